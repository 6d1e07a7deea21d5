# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process of a group of plugins: the other side of ndapygroup.c.

This text follows ndapyworker.py in one program. The main thread takes members
in. Each member has two threads, as a plugin in its own process has: one thread
answers questions, and here loads the plugin too; the other starts the plugin
and makes its block calls.
"""

import select

N_OF_A_MEMBER = 4  # descriptors: socket, memory, doorbells
PATIENCE = 1  # seconds for the first request of a member that is refused


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


def serve_loaded(control, number, member):
    """Answer questions until the plugin is shut down. If the other side waits
    for it no longer, shut it down."""
    is_shut_down = False
    try:
        send(control, number, "ok")
        is_shut_down = serve_questions(control, member)
    except OSError:
        pass
    if not is_shut_down:
        member.shut_down()
    end_serving(member)
    let_go()


def load_member(control, member):
    """Answer the first request of a member, and serve it if its plugin was
    loaded."""
    request = receive(control)
    if request is None:
        return
    number, (_, path, role, entry, _, _, deadline, *_) = request
    try:
        member.load(path, role, entry)
        start_serving(member, deadline)
    except Problem as problem:
        send(control, number, "problem", *problem.args)
    except RuntimeError as error:  # there is no thread for it
        member.shut_down()
        send(control, number, "problem", "load", "", str(error))
    else:
        serve_loaded(control, number, member)


def serve_member(control, memory, *bells):
    """Run a member's thread until its plugin is shut down or the other side
    ends."""
    try:
        with socket.socket(fileno=control) as asked:
            load_member(asked, Instance(memory, *bells))
    except OSError:
        pass  # the other side did not wait for the answer
    for bell in bells:
        os.close(bell)


def refuse(received, reason):
    """Answer the first request of a member with a problem, so that it does not
    take the others of the group for dead."""
    control, *rest = received
    for descriptor in rest:
        os.close(descriptor)
    with socket.socket(fileno=control) as asked:
        asked.settimeout(PATIENCE)
        try:
            number, _ = receive(asked)
            send(asked, number, "problem", "load", "", reason)
        except (OSError, TypeError):
            pass  # the other side has ended


def reserve(spare, descriptor):
    """Keep as many descriptors as a member needs. Return whether there are so
    many."""
    try:
        while len(spare) < N_OF_A_MEMBER:
            spare.append(os.dup(descriptor))
    except OSError:
        return False
    return True


def receive_member(control, spare):
    """Return the descriptors of the next member, or None if there is none.
    They take the place of the spare ones."""
    select.select([control], [], [])
    while spare:
        os.close(spare.pop())
    text, received, _, _ = socket.recv_fds(
        control, 1, N_OF_A_MEMBER, socket.MSG_CMSG_CLOEXEC
    )
    return received if text else None


def take_in(control, memory, *bells):
    """Begin a member's thread."""
    shared = mmap.mmap(memory, 0)
    threading.Thread(
        target=serve_member, args=(control, shared, *bells), daemon=True
    ).start()
    os.close(memory)


def take_in_members(control):
    """Run the main thread until no more members can join. If the process can
    hold no more, the next one is refused."""
    spare = []
    while True:
        reserve(spare, control.fileno())
        received = receive_member(control, spare)
        if received is None:
            return
        try:
            if not reserve(spare, control.fileno()):
                raise OSError(
                    "all descriptors are in use; see “ulimit -n”"
                )
            take_in(*received)
        except (OSError, RuntimeError) as error:
            refuse(received, f"its group has no room for it: {error}")
