# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process of a group of plugins: the other side of ndapygroup.c.

Behind ndapyworker.py. The main thread takes members in. Each member has a
thread that loads its plugin, answers questions about it and starts it; so a
member that loads or starts keeps the others waiting for the GIL alone. One
thread makes the block calls of all, in rounds. It sleeps until the doorbell
is rung; a round serves all that wait by then, and costs one wake.
"""

PLACE_BYTES = 4  # of the text that tells a member's place


class _Bell:
    """A descriptor that lasts as long as somebody may ring it."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def __del__(self):
        os.close(self.descriptor)


class Member(Instance):
    """A plugin of a group, its place and its part of the memory."""

    def __init__(self, descriptor, reply_bell):
        super().__init__(mmap.mmap(descriptor, 0))
        os.close(descriptor)
        self.bell = _Bell(reply_bell)
        self.is_first_call = True

    def answer_with(self, result):
        numbers = self.numbers
        numbers[RESULT] = result
        numbers[REPLY_NUMBER] = numbers[NUMBER]
        os.eventfd_write(self.bell.descriptor, 1)

    def start_beside(self):
        """On a thread of its own: a start may take as long as it likes."""
        self.thread = threading.current_thread()
        result = answer_between(self)
        self.thread = None
        self.is_first_call = True
        self.answer_with(result)


class Group:
    """The members, by their places, and who of them waits."""

    def __init__(self, memory, deadline):
        import numpy

        self.find = numpy.flatnonzero
        self.asked = numpy.frombuffer(memory, numpy.uint32)
        self.served = self.asked.copy()
        self.members = {}
        self.deadline = deadline
        self.is_quick = False

    def add(self, place, member):
        self.served[place] = self.asked[place]
        self.members[place] = member

    def remove(self, place, member):
        if self.members.get(place) is member:
            del self.members[place]

    def take_waiting(self):
        """Those whose request has not been served. It counts as served."""
        places = self.find(self.asked != self.served)
        if not len(places):
            return ()
        self.served[places] = self.asked[places]
        found = map(self.members.get, places.tolist())
        return [member for member in found if member is not None]

    def call(self, member):
        """Real time, but for a first call, which may compile."""
        is_first = member.is_first_call
        if is_first and self.is_quick:
            set_scheduler(os.SCHED_OTHER, 0)
            self.is_quick = False
        member.thread = threading.current_thread()
        result = answer_call(member)
        member.thread = None
        member.is_first_call = False
        member.answer_with(result)
        if not self.is_quick:
            become_real_time(self.deadline)
            self.is_quick = True

    def serve(self, member):
        if member.numbers[OP] == OP_CALL:
            self.call(member)
        elif member.numbers[OP] == OP_RESET:
            member.answer_with(answer_between(member))
        else:
            threading.Thread(target=member.start_beside, daemon=True).start()

    def serve_blocks(self):
        """The block thread, without which there is nobody to answer."""
        try:
            while True:
                os.eventfd_write(BELL, FULL)  # as make_calls () does
                while waiting := self.take_waiting():
                    for member in waiting:
                        self.serve(member)
                collect()
        except BaseException:
            traceback.print_exc()
        os._exit(1)


def begin_group(what):
    """The first request of a group: what its members have in common."""
    _, api, secret_words, deadline, is_caged, folder = what
    memory = begin_process(api, secret_words, is_caged, folder)
    group = Group(memory, int(deadline))
    threading.Thread(
        target=group.serve_blocks, name="nda-py-blocks", daemon=True
    ).start()
    return group


def let_go():
    """Have what a member has left behind collected. What is shared with other
    processes by now is looked through as well, and shared no longer."""
    global _shares_frozen
    _shares_frozen = False
    unsettle()


def serve_loaded(control, number, group, place, member):
    group.add(place, member)
    send(control, number, "ok")  # a request may follow at once
    try:
        serve_questions(control, member)
    finally:
        group.remove(place, member)
    let_go()


def serve_member(control, group, place, member):
    """A member's thread, until its plugin is shut down or nobody asks."""
    with control:
        request = receive(control)
        if request is None:
            return
        number, (_, path, role, entry, *_) = request
        try:
            member.load(path, role, entry)
        except Problem as problem:
            send(control, number, "problem", *problem.args)
            return
        serve_loaded(control, number, group, place, member)


def take_in_members(control, group):
    """The main thread, until nobody is left who joins."""
    while True:
        text, received, _, _ = socket.recv_fds(
            control, PLACE_BYTES, 3, socket.MSG_CMSG_CLOEXEC
        )
        if not text:
            return
        if len(received) < 3:
            os._exit(1)
        member = Member(*received[1:])
        threading.Thread(
            target=serve_member,
            args=(
                socket.socket(fileno=received[0]),
                group,
                int(text),
                member,
            ),
            daemon=True,
        ).start()
