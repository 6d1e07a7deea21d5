# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process of a group of plugins: the other side of ndapygroup.c.

This text follows ndapyworker.py in one program. The main thread takes members
in. Each member has two threads, as a plugin in its own process has: one thread
answers questions, and here loads the plugin too; the other starts the plugin
and makes its block calls.
"""

N_OF_A_MEMBER = 4  # descriptors: socket, memory, doorbells


def begin_group(what):
    """Handle the first request of a group, with the settings that its members
    share."""
    _, api, secret_words, is_caged, folder = what
    begin_process(api, secret_words, is_caged, folder)


def let_go():
    """Collect the objects that a member has left. The collector also visits
    the pages that are still shared with other processes, and they are shared
    no longer."""
    global _shares_frozen
    _shares_frozen = False
    unsettle()


def end_serving(member):
    """End the member's block thread, unless it is in a call for ever."""
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
    """Answer the first request of a member, and return whether its plugin was
    loaded."""
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
    """Run a member's thread until its plugin is shut down or the other side
    ends."""
    member = Instance(mmap.mmap(memory, 0), *bells)
    os.close(memory)
    with socket.socket(fileno=control) as asked:
        load_member(asked, member)
    for bell in bells:
        os.close(bell)


def take_in_members(control):
    """Run the main thread until no more members can join."""
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
