# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process of a group of plugins: the other side of ndapygroup.c.

Behind ndapyworker.py. The main thread takes members in. Each member has two
threads, as a plugin in a process of its own has: one answers questions, and
here loads the plugin too, the other starts the plugin and makes its block
calls.
"""

N_OF_A_MEMBER = 4  # descriptors: socket, memory, doorbells


def begin_group(what):
    """The first request of a group: what its members have in common."""
    _, api, secret_words, is_caged, folder = what
    begin_process(api, secret_words, is_caged, folder)


def let_go():
    """Have what a member has left behind collected. What is shared with other
    processes by now is looked through as well, and shared no longer."""
    global _shares_frozen
    _shares_frozen = False
    unsettle()


def end_serving(member):
    """Have its block thread end, unless it is in a call for ever."""
    member.numbers[OP] = OP_END
    os.eventfd_read(member.bells[0])
    member.thread.join()


def serve_loaded(control, number, member, deadline):
    start_serving(member, deadline)
    send(control, number, "ok")
    serve_questions(control, member)
    end_serving(member)
    let_go()


def load_member(control, member):
    """Answers the first request, and the others if it could be loaded."""
    request = receive(control)
    if request is None:
        return
    number, (_, path, role, entry, _, _, deadline, *_) = request
    try:
        member.load(path, role, entry)
    except Problem as problem:
        send(control, number, "problem", *problem.args)
        return
    serve_loaded(control, number, member, deadline)


def serve_member(control, memory, *bells):
    """A member's thread, until its plugin is shut down or nobody asks."""
    member = Instance(mmap.mmap(memory, 0), *bells)
    os.close(memory)
    with socket.socket(fileno=control) as asked:
        load_member(asked, member)
    for bell in bells:
        os.close(bell)


def take_in_members(control):
    """The main thread, until nobody is left who joins."""
    while True:
        text, received, _, _ = socket.recv_fds(
            control, 1, N_OF_A_MEMBER, socket.MSG_CMSG_CLOEXEC
        )
        if not text:
            return
        if len(received) < N_OF_A_MEMBER:
            os._exit(1)  # it may have no more of them
        threading.Thread(
            target=serve_member, args=received, daemon=True
        ).start()
