# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins that share a process."""

import os
import signal
import threading

import numpy as np
import pytest

from processes import children, descriptors, moulds, wait_until

BLOCK = 512

# Puts its input, negated, out; a block that begins with 1 is its end
MORTAL = """
import os, sys, threading
def process_audio(self, buffer):
    if buffer.data[0, 0] == 1:
        %s
    np.negative(buffer.data, out=buffer.data)
    return True
def get_parameter(self, key):
    return str(eval(key))
Plugin.process_audio, Plugin.get_parameter = process_audio, get_parameter
"""


@pytest.fixture
def isolation():
    return "process"


@pytest.fixture
def make_member(make_bridge, write_plugin):
    """Bridges of one group, and those that it is told to leave out."""

    def make(fault="pass", group="one", **props):
        path = write_plugin(MORTAL % fault)
        props.setdefault("on_error", "silence")
        bridge = make_bridge(path, group=group, **props)
        bridge.play()
        return bridge

    return make


def ask(bridge, expression):
    return bridge.element.emit("get-parameter", expression)


def push_and_pull(bridge, block):
    bridge.push(block)
    return bridge.pull()[1]


def plays(bridge, value=0.5):
    block = np.full((BLOCK, 2), value, np.float32)
    return (push_and_pull(bridge, block) == -value).all()


def test_members_share_one_process(make_member):
    members = [make_member() for _ in range(3)]

    (process,) = children()
    assert {ask(m, "os.getpid()") for m in members} == {str(process)}
    assert all(plays(m, 0.1 + n / 8) for n, m in enumerate(members))


def test_other_names_and_settings_are_other_processes(make_member):
    make_member()
    make_member(group="two")
    make_member(deadline=10**9)
    make_member(group="")

    assert len(children()) == 4


def test_one_that_stops_leaves_the_others_alone(make_member):
    first, second = make_member(), make_member()
    assert plays(first) and plays(second)
    first.stop()

    assert len(children()) == 1
    assert plays(second)
    assert second.get_stat("num-restarts") == 0
    second.stop()
    assert children() == [] and moulds() == []


# Its start () keeps Python's lock until somebody writes to a pipe:
# ctypes.PyDLL does not give the lock up
SLOW_START = """
import ctypes
def start(self):
    open(BEGUN, "w").close()
    ctypes.PyDLL(None).open(PIPE.encode(), 0)
    return True
Plugin.start = start
"""


def test_block_is_not_late_while_another_member_starts(
    make_member, make_bridge, write_plugin, tmp_path
):
    begun, pipe = tmp_path / "begun", tmp_path / "pipe"
    os.mkfifo(pipe)
    deadline = 100_000_000
    first = make_member(deadline=deadline)
    assert plays(first)
    paths = f"BEGUN, PIPE = {str(begun)!r}, {str(pipe)!r}\n"
    second = make_bridge(
        write_plugin(paths + MORTAL % "pass" + SLOW_START),
        group="one",
        deadline=deadline,
    )
    starting = threading.Thread(target=second.play)
    starting.start()
    wait_until(begun.exists)
    ending = threading.Timer(4 * deadline / 1e9, pipe.write_text, [""])
    ending.start()

    assert plays(first)
    ending.join()
    starting.join()
    assert plays(second)
    assert first.get_stat("num-restarts") == 0
    assert first.get_stat("num-failures") == 0


def test_one_comes_in_where_another_was(make_member):
    first, second = make_member(), make_member()
    for _ in range(5):
        assert plays(first) and plays(second)
        first.stop()
        first.play()

    assert plays(first) and plays(second)
    assert second.get_stat("num-restarts") == 0
    assert len(children()) == 1


def test_nothing_is_left_of_one_that_has_left(gst, make_member):
    first, second = make_member(), make_member()
    counts = set()
    for _ in range(5):
        first.pipeline.set_state(gst.State.NULL)
        counts.add(descriptors())
        first.pipeline.set_state(gst.State.READY)

    assert len(counts) == 1
    assert plays(second)


@pytest.mark.parametrize(
    "fault", ["os._exit(3)", "os.kill(os.getpid(), 9)", "while True: pass"]
)
def test_fault_takes_all_down_and_all_come_back(gst, make_member, fault):
    deadline = 500_000_000 if "while" in fault else 0
    members = [make_member(fault, deadline=deadline) for _ in range(3)]
    assert all(map(plays, members))
    end = np.ones((BLOCK, 2), np.float32)
    assert not push_and_pull(members[0], end).any()

    for member in members:
        wait_until(lambda: plays(member))
        assert member.get_stat("num-restarts") == 1
        assert member.bus.pop_filtered(gst.MessageType.ERROR) is None
    (process,) = children()
    assert {ask(m, "os.getpid()") for m in members} == {str(process)}


def test_block_calls_come_from_one_thread(make_bridge, write_plugin):
    path = write_plugin(
        """
        import threading
        threads = set()
        def process_audio(self, buffer):
            threads.add(threading.get_ident())
            return True
        def get_parameter(self, key):
            return str(len(threads))
        Plugin.process_audio = process_audio
        Plugin.get_parameter = get_parameter
        """
    )
    members = [make_bridge(path, group="one") for _ in range(2)]
    for member in members * 2:
        member.play()
        push_and_pull(member, np.zeros((BLOCK, 2), np.float32))

    assert {ask(member, "") for member in members} == {"1"}


def test_start_keeps_nobody_waiting(make_member, make_bridge, write_plugin,
                                    tmp_path):
    member = make_member()
    path = write_plugin(
        f"""
        import os
        def start(self):
            open({str(tmp_path / "starts")!r}, "w").close()
            while not os.path.exists({str(tmp_path / "go")!r}):
                os.sched_yield()
            return True
        Plugin.start = start
        """,
        name="slow",
    )
    slow = make_bridge(path, group="one")
    slow.play()
    slow.push(np.full((BLOCK, 2), 0.5, np.float32))
    wait_until((tmp_path / "starts").exists)
    assert plays(member)
    (tmp_path / "go").touch()

    assert slow.pull()[1].any()
    assert len(children()) == 1


def test_error_in_one_file_is_its_own(gst, make_member, make_bridge,
                                      write_plugin):
    member = make_member()
    broken = make_bridge(write_plugin("raise OSError('no')", name="broken"),
                         group="one")
    change = broken.pipeline.set_state(gst.State.READY)

    assert change == gst.StateChangeReturn.FAILURE
    assert "no" in broken.wait(gst.MessageType.ERROR).parse_error()[0].message
    assert plays(member)
    assert len(children()) == 1


def test_sandbox_is_around_all_of_them(make_member):
    attempt = "__import__('socket').socket()"
    members = [make_member(sandbox="on") for _ in range(2)]

    assert all(plays(member) for member in members)
    assert {ask(member, attempt) for member in members} == {""}
    assert len(children()) == 1


def test_standby_is_in_a_second_process(make_member):
    members = [make_member(standby=True) for _ in range(2)]
    for member in members:
        wait_until(lambda: member.get_stat("num-standbys") == 1)
    assert len(children()) == 2
    os.kill(int(ask(members[0], "os.getpid()")), signal.SIGKILL)

    assert all(map(plays, members))
    for member in members:
        assert member.get_stat("num-failures") == 0
        wait_until(lambda: member.get_stat("num-standbys") == 2)
    wait_until(lambda: len(children()) == 2)  # the killed one is reaped


def test_memory_of_all_counts(make_member):
    members = [
        make_member("self.hoard = np.ones(50_000_000)", deadline=0,
                    memory_limit=300_000_000)
        for _ in range(2)
    ]
    push_and_pull(members[0], np.ones((BLOCK, 2), np.float32))

    for member in members:
        wait_until(lambda: member.get_stat("num-restarts") == 1)


# Its start () fails in every process but the first
FIRST_ONLY = """
def start(self):
    if os.path.exists(ONCE):
        return False
    open(ONCE, "w").close()
    return True
Plugin.start = start
"""


def test_standby_that_does_not_start_leaves_the_others_alone(
    make_member, make_bridge, write_plugin, tmp_path
):
    once = f"ONCE = {str(tmp_path / 'once')!r}\n"
    plugin = write_plugin(once + MORTAL % "pass" + FIRST_ONLY, name="once")
    failing = make_bridge(
        plugin, group="one", standby=True, on_error="silence"
    )
    failing.play()
    other = make_member(standby=True)
    assert plays(failing) and plays(other)
    for member in (failing, other):
        wait_until(lambda: member.get_stat("num-standbys") == 1)
    os.kill(int(ask(other, "os.getpid()")), signal.SIGKILL)
    assert plays(other)
    second = ask(other, "os.getpid()")

    push_and_pull(failing, np.zeros((BLOCK, 2), np.float32))
    assert failing.get_stat("num-failures") == 1
    assert plays(other)
    assert ask(other, "os.getpid()") == second
    assert other.get_stat("num-failures") == 0
    assert other.get_stat("num-restarts") == 1


# Opens as many files as a process may have, when it is told to
GREEDY = """
import resource
held = []
def set_parameter(self, key, value):
    if value == "free":
        held.clear()
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    try:
        while True:
            held.append(open("/dev/null"))
    except OSError:
        pass
Plugin.set_parameter = set_parameter
"""


def test_group_without_descriptors_refuses_a_member(
    gst, make_member, make_bridge, write_plugin
):
    greedy = make_bridge(write_plugin(MORTAL % "pass" + GREEDY), group="one")
    greedy.play()
    assert plays(greedy)
    greedy.element.emit("set-parameter", "take", "all")
    late = make_bridge(write_plugin("", name="late"), group="one")

    for _ in range(3):
        change = late.pipeline.set_state(gst.State.READY)
        assert change == gst.StateChangeReturn.FAILURE
        error = late.wait(gst.MessageType.ERROR).parse_error()[0].message
        assert "ulimit -n" in error
        late.pipeline.set_state(gst.State.NULL)
    assert plays(greedy)
    assert greedy.get_stat("num-restarts") == 0

    greedy.element.emit("set-parameter", "take", "free")
    change = late.pipeline.set_state(gst.State.READY)
    assert change == gst.StateChangeReturn.SUCCESS
    assert len(children()) == 1


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


# Its module code waits for a pipe, in every process but the first
SLOW_LOAD = """
import os
def shutdown(self):
    open(SHUT, "w").close()
Plugin.shutdown = shutdown
if os.path.exists(ONCE):
    open(PIPE).read()
open(ONCE, "w").close()
"""


def test_member_that_is_closed_while_it_loads_is_shut_down(
    gst, make_member, make_bridge, write_plugin, tmp_path
):
    once, pipe, shut = (tmp_path / n for n in ("once", "pipe", "shut"))
    os.mkfifo(pipe)
    paths = f"ONCE, PIPE, SHUT = {str(once)!r}, {str(pipe)!r}, {str(shut)!r}\n"
    member = make_member()
    slow = make_bridge(
        write_plugin(paths + SLOW_LOAD, name="slow"), group="one"
    )
    slow.pipeline.set_state(gst.State.READY)
    os.kill(int(ask(member, "os.getpid()")), signal.SIGKILL)
    wait_until(lambda: plays(member))
    pid = int(ask(member, "os.getpid()"))
    n_threads = threads(pid)
    opened = os.open(pipe, os.O_WRONLY)  # waits until the plugin is loaded
    slow.pipeline.set_state(gst.State.NULL)
    os.close(opened)

    wait_until(shut.exists)
    wait_until(lambda: threads(pid) <= n_threads)
    assert plays(member)
    assert ask(member, "os.getpid()") == str(pid)


# Waits for a pipe once, in its module code or in its start ()
SLOW_ONCE = """
import os
def wait(place):
    if place == PLACE and not os.path.exists(ONCE):
        open(ONCE, "w").close()
        open(PIPE).read()
    return True
Plugin.start = lambda self: wait("start")
wait("module")
"""


@pytest.mark.parametrize("place", ["module", "start"])
def test_fault_of_another_does_not_fail_one_that_begins(
    gst, make_member, make_bridge, write_plugin, tmp_path, place
):
    member = make_member()
    once, pipe = tmp_path / "once", tmp_path / "pipe"
    os.mkfifo(pipe)
    paths = f"ONCE, PIPE, PLACE = {str(once)!r}, {str(pipe)!r}, {place!r}\n"
    path = write_plugin(paths + MORTAL % "pass" + SLOW_ONCE, name="beginner")
    beginner = make_bridge(path, group="one")
    begun = threading.Thread(target=beginner.play)
    begun.start()
    if place == "start":
        begun.join()
        beginner.push(np.full((BLOCK, 2), 0.5, np.float32))
    opened = os.open(pipe, os.O_WRONLY)  # waits until the plugin waits
    os.kill(int(ask(member, "os.getpid()")), signal.SIGKILL)
    begun.join()

    if place == "start":
        assert (beginner.pull()[1] == -0.5).all()
    wait_until(lambda: plays(member))
    assert plays(beginner)
    assert beginner.bus.pop_filtered(gst.MessageType.ERROR) is None
    os.close(opened)
    assert ask(beginner, "os.getpid()") == ask(member, "os.getpid()")


def test_plugin_that_ends_its_process_while_it_loads_fails(
    gst, make_member, make_bridge, write_plugin
):
    member = make_member()
    broken = make_bridge(
        write_plugin("import os; os._exit(3)", name="broken"), group="one"
    )
    change = broken.pipeline.set_state(gst.State.READY)

    assert change == gst.StateChangeReturn.FAILURE
    error = broken.wait(gst.MessageType.ERROR).parse_error()[0].message
    assert "status 3" in error
    wait_until(lambda: plays(member))


def test_group_that_has_just_ended_takes_no_member(
    gst, make_member, make_bridge, write_plugin
):
    late = make_bridge(write_plugin("", name="late"), group="one")
    member = make_member()

    for _ in range(4):
        os.kill(int(ask(member, "os.getpid()")), signal.SIGKILL)
        change = late.pipeline.set_state(gst.State.READY)
        assert change == gst.StateChangeReturn.SUCCESS
        late.pipeline.set_state(gst.State.NULL)
        wait_until(lambda: plays(member))
