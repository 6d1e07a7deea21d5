# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins in processes of their own: what kills one takes nothing along."""

import os
import signal
import sys

import numpy as np
import pytest

from lines import Line
from processes import children, descriptors, only_child, wait_until
from roles import SINK, SOURCE, kept_frames

pytestmark = pytest.mark.usefixtures("crashes")

BLOCK = 512
FAULTS = {
    "killed": ("os.kill(os.getpid(), 9)", "signal 9"),
    "exited": ("os._exit(3)", "status 3"),
    "segfault": (
        "import ctypes; ctypes.string_at(0)",
        "signal 11",
    ),
    "endless": ("while True: pass", "500 ms"),
    # the system's own limit on a thread with real-time priority
    "over time": (
        "import signal, threading\n"
        "        me = threading.get_ident()\n"
        "        signal.pthread_kill(me, signal.SIGXCPU)",
        "500 ms",
    ),
    "stuck in C": ("import ctypes; ctypes.PyDLL(None).pause()", "500 ms"),
}

# Puts its input, negated, out; a block that begins with 1 is its end.
MORTAL = """
import os
def process_audio(self, buffer):
    if buffer.data[0, 0] == 1:
        %s
    np.negative(buffer.data, out=buffer.data)
    return True
Plugin.process_audio = process_audio
"""


@pytest.fixture
def isolation():
    return "process"


@pytest.fixture
def mortal(make_bridge, write_plugin):
    """A bridge with a plugin that a block can be the end of."""

    def make(fault, **props):
        # What ends by itself may take as long as a busy machine makes it take
        if fault in [code for code, why in FAULTS.values() if "ms" in why]:
            props.setdefault("deadline", 500_000_000)
        return make_bridge(write_plugin(MORTAL % fault), **props)

    return make


def play_on(bridge, noise):
    """Push and pull blocks until the plugin is heard again."""
    block = np.full((BLOCK, 2), 0.25, np.float32)
    for n in range(100000):
        bridge.push(block)
        pulled = bridge.pull()[1]
        if (pulled == -0.25).all():
            return n
    raise AssertionError("the plugin never came back")


@pytest.mark.parametrize("fault", FAULTS)
def test_pipeline_plays_on_and_the_plugin_comes_back(
    gst, mortal, noise, fault
):
    code, why = FAULTS[fault]
    bridge = mortal(code, on_error="silence")
    bridge.play()
    before = np.full((BLOCK, 2), 0.5, np.float32)
    bridge.push(before)
    assert (bridge.pull()[1] == -0.5).all()

    end = np.ones((BLOCK, 2), np.float32)
    bridge.push(end)
    assert not bridge.pull()[1].any()  # the policy, from this block on
    play_on(bridge, noise)

    state = bridge.pipeline.get_state(gst.CLOCK_TIME_NONE)
    warning = bridge.wait(gst.MessageType.WARNING).parse_warning()
    assert state[1] == gst.State.PLAYING
    assert bridge.get_stat("num-restarts") == 1
    assert bridge.get_stat("num-failures") >= 1
    assert why in warning[0].message
    assert bridge.bus.pop_filtered(gst.MessageType.ERROR) is None
    wait_until(lambda: len(children()) == 1)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("policy", ["stop", "silence"])
def test_no_sample_of_the_input_comes_out(
    gst, mortal, noise, fault, policy
):
    bridge = mortal(FAULTS[fault][0], on_error=policy, max_blocks=64)
    pushed = noise(6 * BLOCK)
    pushed[3 * BLOCK, 0] = 1  # the fourth block is the end
    bridge.play()
    bridge.push_to_end(np.split(pushed, 6))

    out = []
    while (pulled := bridge.pull()) is not None:
        out.append(pulled[1])

    out = np.concatenate(out)
    alive = out.any(axis=1)
    assert np.array_equal(out[: 3 * BLOCK], -pushed[: 3 * BLOCK])
    assert not out[3 * BLOCK : 4 * BLOCK].any()
    assert np.array_equal(out[alive], -pushed[: len(out)][alive])
    assert (bridge.wait(gst.MessageType.ERROR, 0) is not None) == (
        policy == "stop"
    )


def test_passthrough_is_the_untouched_input(mortal, noise):
    fault = "buffer.data[:] = 9; os._exit(1)"
    bridge = mortal(fault, on_error="passthrough")
    pushed = noise(BLOCK)
    pushed[0, 0] = 1
    bridge.play()
    bridge.push(pushed)

    assert np.array_equal(bridge.pull()[1], pushed)


def test_parameters_are_there_after_a_restart(make_bridge, write_plugin):
    path = write_plugin(
        """
        import os
        level = "1"
        def set_parameter(self, key, value):
            self.level = value
        def get_parameter(self, key):
            return self.level
        def process_audio(self, buffer):
            if buffer.data[0, 0] == 1:
                os._exit(1)
            buffer.data[:] = float(self.level)
            return True
        Plugin.set_parameter, Plugin.get_parameter = (
            set_parameter, get_parameter)
        Plugin.process_audio = process_audio
        """
    )
    bridge = make_bridge(path, on_error="silence", parameters="level=2")
    bridge.play()
    bridge.element.emit("set-parameter", "level", "3")
    bridge.push(np.ones((BLOCK, 2)))
    assert not bridge.pull()[1].any()

    bridge.push(np.zeros((BLOCK, 2)))
    while not (frames := bridge.pull()[1]).any():
        bridge.push(np.zeros((BLOCK, 2)))

    assert (frames == 3).all()


def test_restart_never_leaves_the_policy_in_force(mortal, gst):
    bridge = mortal("os._exit(1)", on_error="silence", restart="never")
    bridge.play()
    for _ in range(20):
        bridge.push(np.ones((BLOCK, 2)))
        assert not bridge.pull()[1].any()

    wait_until(lambda: children() == [])
    assert bridge.get_stat("num-restarts") == 0
    assert bridge.get_stat("num-failures") == 20


def test_killed_again_and_again_leaves_nothing_behind(mortal, noise):
    bridge = mortal("pass", on_error="silence")
    bridge.play()
    play_on(bridge, noise)
    n_fds = descriptors()

    for n in range(1, 6):
        (worker,) = children()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: bridge.get_stat("num-restarts") == n)
        play_on(bridge, noise)
        wait_until(lambda: len(children()) == 1)  # the killed one is reaped

    assert descriptors() == n_fds
    bridge.stop()
    assert children() == []


def test_it_inherits_no_descriptor_and_no_key(
    make_bridge, write_noting_plugin, journal
):
    low = os.open("/dev/null", os.O_RDONLY)
    secret = os.dup2(low, 200, inheritable=True)
    path = write_noting_plugin(
        """
        def initialize(self):
            import sys
            note("fds", [int(fd) for fd in os.listdir("/proc/self/fd")])
            with open("/proc/self/cmdline") as line:
                note("argv", line.read(), sys.argv, os.environ.get("KEY", ""))
            return True
        Plugin.initialize = initialize
        """
    )
    bridge = make_bridge(path, parameters="key=0123456789")
    bridge.play()
    os.close(secret)
    os.close(low)
    bridge.stop()

    fds, argv = (entry for entry in journal() if entry[0] in ("fds", "argv"))
    # its own seven, the memory's second, and the one that lists them
    assert len(fds[1]) <= 9 and secret not in fds[1]
    assert "0123456789" not in "".join(map(str, argv))
    assert argv[2] == [""]


def test_the_parent_s_death_ends_it(tmp_path, write_plugin):
    import subprocess

    program = (
        "import os, sys, gi\n"
        "gi.require_version('Gst', '1.0')\n"
        "from gi.repository import Gst\n"
        "Gst.init(None)\n"
        "bridge = Gst.ElementFactory.make('ndapybridge')\n"
        "bridge.set_property('plugin', sys.argv[1])\n"
        "Gst.util_set_object_arg(bridge, 'isolation', 'process')\n"
        "bridge.set_state(Gst.State.READY)\n"
        "print(bridge.emit('get-parameter', 'pid'), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    path = write_plugin(
        "import os\n"
        "Plugin.get_parameter = lambda self, key: str(os.getpid())\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, path], stdout=subprocess.PIPE
    )

    pid = int(done.stdout)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}/fd/0"))


def test_it_that_takes_too_much_memory_is_replaced(mortal, gst):
    bridge = mortal(
        "self.hoard = np.ones(50_000_000)",
        on_error="silence",
        memory_limit=200_000_000,
        deadline=0,
    )
    bridge.play()
    bridge.push(np.ones((BLOCK, 2)))
    bridge.pull()

    wait_until(lambda: bridge.get_stat("num-restarts") == 1)
    bridge.push(np.zeros((BLOCK, 2)))
    bridge.pull()


def test_another_interpreter_can_be_chosen(
    make_bridge, write_noting_plugin, journal, tmp_path
):
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\nNDA_TEST_PYTHON=mine exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    path = write_noting_plugin(
        """
        def initialize(self):
            note("python", os.environ.get("NDA_TEST_PYTHON"))
            return True
        Plugin.initialize = initialize
        """
    )
    bridge = make_bridge(path, python=python)
    bridge.play()

    assert ["python", "mine"] in journal()


@pytest.mark.parametrize(
    "python, why",
    [
        ("/no/such/python3", "“/no/such/python3” does not start"),
        ("/bin/true", "exited with status 0"),
    ],
)
def test_an_interpreter_that_is_none_fails_the_state_change(
    gst, make_bridge, write_plugin, python, why
):
    bridge = make_bridge(write_plugin(), python=python)

    assert (
        bridge.pipeline.set_state(gst.State.READY)
        == gst.StateChangeReturn.FAILURE
    )
    error = bridge.wait(gst.MessageType.ERROR).parse_error()[0]
    assert why in error.message


def test_1_3_1_5_it_begins_as_the_program_s_own_python_would(
    make_bridge, write_noting_plugin, journal
):
    path = write_noting_plugin(
        """
        import sys
        note("is", os.getcwd(), sys.argv, sys.flags.utf8_mode, __name__,
             sys.version_info[:2], threading.current_thread().name)
        note("has", os.environ["NDA_TEST_JOURNAL"])
        """
    )
    make_bridge(path).play()

    assert journal()[:2] == [
        ["is", os.getcwd(), [""], 1, "plugin_under_test",
         list(sys.version_info[:2]), "MainThread"],
        ["has", os.environ["NDA_TEST_JOURNAL"]],
    ]


def test_1_3_virtual_environment_is_that_of_the_program(
    make_bridge, write_noting_plugin, journal, tmp_path, monkeypatch
):
    import venv

    venv.create(tmp_path / "venv", system_site_packages=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    path = write_noting_plugin("import sys\nnote('in', sys.prefix)\n")
    make_bridge(path).play()

    assert journal()[0] == ["in", str(tmp_path / "venv")]


def test_package_that_is_missing_is_told_with_the_interpreter(
    gst, make_bridge, write_plugin, tmp_path
):
    python = tmp_path / "bare"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    bridge = make_bridge(write_plugin("import nosuch"), python=python)

    bridge.pipeline.set_state(gst.State.READY)
    error = bridge.wait(gst.MessageType.ERROR).parse_error()[0]

    assert "No module named" in error.message
    assert error.message.endswith(f" under {sys.executable}")


def test_source_that_dies_is_back_with_a_discontinuity(
    gst, write_plugin, journal
):
    path = write_plugin(
        """
        import time
        time.sleep(0.1)  # it is not back before the next block is due
        def read_audio(self, buffer):
            if self.mood != "true":
                os._exit(1)
            buffer.data[:] = 0.5
            return True
        Plugin.read_audio = read_audio
        """,
        base=SOURCE,
    )
    line = Line(
        gst,
        "ndapysrc name=py ! appsink name=sink sync=false",
        path,
        isolation="process",
        is_live="true",
        parameters="mood=true",
    )
    line.play()
    line.pull()
    os.kill(only_child(), signal.SIGKILL)

    buffer, frames = line.pull()
    while not buffer.get_flags() & gst.BufferFlags.DISCONT:
        buffer, frames = line.pull()

    assert (frames == 0.5).all()
    assert line.get_stat("num-restarts") == 1
    assert line.get_stat("num-discontinuities") >= 1
    assert line.bus.pop_filtered(gst.MessageType.ERROR) is None
    line.stop()


def test_sink_that_dies_without_a_clock_loses_one_block_at_most(
    gst, write_plugin, journal, noise
):
    path = write_plugin("", base=SINK)
    line = Line(
        gst,
        "appsrc name=src format=time ! ndapysink name=py sync=false",
        path,
        isolation="process",
        write_budget=60 * gst.SECOND,
    )
    line.set_format(2)
    line.play()
    pushed = noise(20 * BLOCK)
    for n, block in enumerate(np.split(pushed, 20)):
        if n == 10:
            wait_until(lambda: line.get_stat("num-blocks") == 10)
            os.kill(only_child(), signal.SIGKILL)
        line.push(block)
    line.src.emit("end-of-stream")

    assert line.wait_for_end() is None
    assert np.array_equal(kept_frames(), pushed)
    assert line.get_stat("num-restarts") == 1
    line.stop()


def test_sink_waits_for_a_process_once_a_block(gst, tmp_path, noise):
    path = tmp_path / "grains.py"
    path.write_text(
        "import os\nfrom nda import Sink\n"
        "class Grains(Sink):\n    frames = 16\n"
        "    def write(self, block): os._exit(1)\n"
    )
    line = Line(
        gst,
        "appsrc name=src format=time ! ndapysink name=py sync=false",
        path,
        isolation="process",
        restart="never",
        write_budget=20_000_000,
    )
    line.set_format(2)
    line.play()
    line.push_to_end(np.split(noise(4 * BLOCK), 4))

    assert line.wait_for_end() is None
    # without and with room, each at once and four times more; not 32 calls
    assert line.get_stat("num-failures") <= 4 * 10
    line.stop()
