# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A second process of a plugin that waits for the first one to end."""

import os
import signal

import numpy as np
import pytest

from lines import Line
from processes import children, descriptors, moulds, wait_until
from roles import SINK, SOURCE, kept_frames

pytestmark = pytest.mark.usefixtures("crashes")

BLOCK = 512
FAULTS = {
    "killed": "os.kill(os.getpid(), 9)",
    "exited": "os._exit(3)",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "endless": "while True: pass",
    "stuck in C": "import ctypes; ctypes.PyDLL(None).pause()",
}

# Puts its input, negated, out; a block that begins with 1 is the end of the
# process, once if ONCE is a file that is not there yet
MORTAL = """
import os
def process_audio(self, buffer):
    if buffer.data[0, 0] == 1 and not os.path.exists(ONCE):
        if ONCE:
            open(ONCE, "w").close()
        %s
    np.negative(buffer.data, out=buffer.data)
    return True
Plugin.process_audio = process_audio
"""
TELLING = """
import os
def get_parameter(self, key):
    return str(os.getpid())
Plugin.get_parameter = get_parameter
"""


@pytest.fixture
def isolation():
    return "process"


@pytest.fixture
def make_mortal(make_bridge, write_plugin, tmp_path):
    """A bridge with a plugin that a block can be the end of."""

    def make(fault, is_once=True, **props):
        once = str(tmp_path / "once") if is_once else ""
        # What ends by itself may take as long as a busy machine makes it take
        is_hung = fault in (FAULTS["endless"], FAULTS["stuck in C"])
        props.setdefault("deadline", 500_000_000 if is_hung else 0)
        path = write_plugin(f"ONCE = {once!r}\n" + MORTAL % fault + TELLING)
        return make_bridge(path, standby=True, **props)

    return make


def stands_by(element, n=1):
    """Waits until as many have come to stand by."""
    wait_until(lambda: element.get_stat("num-standbys") == n)


def pid_of(element):
    return int(element.element.emit("get-parameter", "pid"))


def push_and_pull(bridge, block):
    bridge.push(block)
    return bridge.pull()[1]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("policy", ["stop", "silence"])
def test_block_in_whose_call_it_ends_goes_to_the_standby(
    gst, make_mortal, noise, fault, policy
):
    bridge = make_mortal(FAULTS[fault], on_error=policy)
    bridge.play()
    stands_by(bridge)
    pushed = noise(6 * BLOCK)
    pushed[3 * BLOCK, 0] = 1  # the fourth block is the end

    out = [push_and_pull(bridge, block) for block in np.split(pushed, 6)]

    assert np.array_equal(np.concatenate(out), -pushed)
    assert bridge.get_stat("num-failures") == 0
    assert bridge.get_stat("num-restarts") == 1
    assert bridge.bus.pop_filtered(gst.MessageType.ERROR) is None
    state = bridge.pipeline.get_state(gst.CLOCK_TIME_NONE)[1]
    assert state == gst.State.PLAYING
    stands_by(bridge, 2)  # another one
    wait_until(lambda: len(children()) == 2)  # the ended one is reaped


def test_no_block_is_lost_when_it_is_killed_again_and_again(
    make_mortal, noise
):
    bridge = make_mortal("pass", on_error="silence")
    bridge.play()
    pushed = noise(BLOCK)
    stands_by(bridge)
    n_fds = descriptors()

    for n in range(1, 6):
        os.kill(pid_of(bridge), signal.SIGKILL)
        assert np.array_equal(push_and_pull(bridge, pushed), -pushed)
        stands_by(bridge, n + 1)

    assert bridge.get_stat("num-failures") == 0
    assert bridge.get_stat("num-restarts") == 5
    wait_until(lambda: descriptors() == n_fds)
    bridge.stop()
    assert children() == [] and moulds() == []


def test_each_restart_takes_a_standby_although_no_block_comes(
    make_mortal, noise
):
    bridge = make_mortal("pass")
    bridge.play()
    push_and_pull(bridge, noise(BLOCK))
    stands_by(bridge)

    os.kill(pid_of(bridge), signal.SIGKILL)

    stands_by(bridge, 2)
    assert bridge.get_stat("num-restarts") == 1


# Its set_parameter () takes until the process of the number `value` has ended.
# The block of that process that begins with 1 waits for that call to begin.
REFRESHED = """
import time
def is_alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2][1] != "Z"
    except OSError:
        return False
def set_parameter(self, key, value):
    if int(value) != os.getpid():
        open(BEGUN, "w").close()
    while int(value) != os.getpid() and is_alive(value):
        time.sleep(0.001)
def wait_until_begun():
    while not os.path.exists(BEGUN):
        time.sleep(0.001)
Plugin.set_parameter = set_parameter
"""


def test_standby_that_gets_a_parameter_meanwhile_is_waited_for(
    make_bridge, write_plugin, tmp_path, noise
):
    paths = f"ONCE = {str(tmp_path / 'once')!r}\n"
    paths += f"BEGUN = {str(tmp_path / 'begun')!r}\n"
    fault = "wait_until_begun(); os.kill(os.getpid(), 9)"
    path = write_plugin(paths + MORTAL % fault + TELLING + REFRESHED)
    bridge = make_bridge(path, standby=True, on_error="silence", deadline=0)
    bridge.play()
    stands_by(bridge)
    bridge.element.emit("set-parameter", "until", str(pid_of(bridge)))
    pushed = noise(BLOCK)
    pushed[0, 0] = 1

    assert np.array_equal(push_and_pull(bridge, pushed), -pushed)
    assert bridge.get_stat("num-failures") == 0


@pytest.mark.parametrize("fault", ["exited", "endless"])
def test_block_that_is_the_end_of_both_has_the_policy(
    make_mortal, noise, fault
):
    bridge = make_mortal(FAULTS[fault], is_once=False, on_error="silence")
    bridge.play()
    stands_by(bridge)
    block = np.full((BLOCK, 2), 0.25, np.float32)
    assert (push_and_pull(bridge, block) == -0.25).all()
    assert not push_and_pull(bridge, np.ones((BLOCK, 2), np.float32)).any()

    wait_until(lambda: (push_and_pull(bridge, block) == -0.25).all())
    assert bridge.get_stat("num-failures") >= 1


def test_it_is_initialised_and_told_but_not_started(
    make_bridge, write_noting_plugin, journal
):
    path = write_noting_plugin(
        """
        def initialize(self):
            note("initialize")
            return True
        Plugin.initialize = initialize
        """
    )
    bridge = make_bridge(path, standby=True, parameters="level=2")
    bridge.play()
    push_and_pull(bridge, np.zeros((BLOCK, 2), np.float32))
    stands_by(bridge)

    names = [entry[0] for entry in journal()]
    assert names.count("initialize") == 2
    assert names.count("start") == 1
    assert journal().count(["set_parameter", "level", "2"]) == 2
    bridge.stop()
    assert [entry[0] for entry in journal()].count("shutdown") == 2


def test_parameters_are_those_that_were_set_last(make_bridge, write_plugin):
    path = write_plugin(
        TELLING
        + """
level = "0"
def set_parameter(self, key, value):
    self.level = value
def process_audio(self, buffer):
    buffer.data[:] = float(self.level)
    return True
Plugin.set_parameter, Plugin.process_audio = set_parameter, process_audio
"""
    )
    bridge = make_bridge(path, standby=True, parameters="level=0.25")
    bridge.play()
    block = np.zeros((BLOCK, 2), np.float32)
    push_and_pull(bridge, block)
    stands_by(bridge)
    bridge.element.emit("set-parameter", "level", "0.5")
    os.kill(pid_of(bridge), signal.SIGKILL)

    assert (push_and_pull(bridge, block) == 0.5).all()
    assert bridge.get_stat("num-failures") == 0


def test_standby_that_ends_is_replaced(make_mortal, noise):
    bridge = make_mortal("pass", on_error="silence")
    bridge.play()
    stands_by(bridge)
    (standby,) = [pid for pid in children() if pid != pid_of(bridge)]
    os.kill(standby, signal.SIGKILL)
    stands_by(bridge, 2)

    pushed = noise(BLOCK)
    assert np.array_equal(push_and_pull(bridge, pushed), -pushed)
    assert bridge.get_stat("num-restarts") == 0


def test_restart_never_has_one_standby_and_no_other(make_mortal, noise):
    bridge = make_mortal("pass", on_error="silence", restart="never")
    bridge.play()
    stands_by(bridge)
    pushed = noise(BLOCK)
    os.kill(pid_of(bridge), signal.SIGKILL)
    assert np.array_equal(push_and_pull(bridge, pushed), -pushed)
    os.kill(pid_of(bridge), signal.SIGKILL)

    assert not push_and_pull(bridge, pushed).any()
    assert bridge.get_stat("num-restarts") == 1
    assert bridge.get_stat("num-standbys") == 1


def test_it_starts_when_the_one_at_work_has_ended_at_rest(
    gst, make_mortal, noise
):
    bridge = make_mortal("pass")
    bridge.pipeline.set_state(gst.State.READY)
    stands_by(bridge)
    os.kill(pid_of(bridge), signal.SIGKILL)
    bridge.play()

    pushed = noise(BLOCK)
    assert np.array_equal(push_and_pull(bridge, pushed), -pushed)


def test_source_goes_on(gst, write_plugin, journal):
    path = write_plugin(
        """
        import os
        def read_audio(self, buffer):
            buffer.data[:] = 0.5
            return True
        def get_parameter(self, key):
            return str(os.getpid())
        Plugin.read_audio = read_audio
        Plugin.get_parameter = get_parameter
        """,
        base=SOURCE,
    )
    line = Line(
        gst,
        "ndapysrc name=py is-live=false ! appsink name=sink sync=false "
        "max-buffers=1",
        path,
        isolation="process",
        standby=True,
    )
    line.play()
    line.pull()
    stands_by(line)
    os.kill(pid_of(line), signal.SIGKILL)

    while line.get_stat("num-restarts") == 0:
        assert (line.pull()[1] == 0.5).all()
    assert line.get_stat("num-failures") == 0
    line.stop()


def test_sink_loses_nothing(gst, write_plugin, journal, noise):
    path = write_plugin(TELLING, base=SINK)
    line = Line(
        gst,
        "appsrc name=src format=time ! ndapysink name=py sync=false",
        path,
        isolation="process",
        standby=True,
    )
    line.set_format(2)
    line.play()
    pushed = noise(20 * BLOCK)
    for n, block in enumerate(np.split(pushed, 20)):
        if n == 10:
            wait_until(lambda: line.get_stat("num-blocks") == 10)
            stands_by(line)
            os.kill(pid_of(line), signal.SIGKILL)
        line.push(block)
    line.src.emit("end-of-stream")

    assert line.wait_for_end() is None
    assert np.array_equal(kept_frames(), pushed)
    assert line.get_stat("num-failures") == 0
    assert line.get_stat("num-restarts") == 1
    line.stop()
