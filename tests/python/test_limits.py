# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin that does not return: no thread of the application waits for it
longer than the property `timeout` says, and it is told by its name."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from conftest import PATIENCE
from processes import error_without_threads

HANGS = """
import threading

def {name}(self, *args):
    note("{name}")
    threading.Event().wait()
Plugin.{name} = {name}
"""
MODULE_HANGS = """
import threading
note("module code")
threading.Event().wait()
"""
FACTORY_HANGS = """
import threading

def create_plugin():
    threading.Event().wait()
"""
SHORT = 1_000_000_000  # ns: a cold import takes a third of it


@pytest.fixture
def isolation():
    """A process can be killed; test_processes.py has that."""
    return "thread"


def says(text, method, path):
    return f"“{path}” has not returned from its {method}" in text


@pytest.mark.parametrize(
    "text, method",
    [
        (MODULE_HANGS, "module code"),
        (FACTORY_HANGS, "create_plugin ()"),
        (HANGS.format(name="initialize"), "initialize ()"),
        (HANGS.format(name="get_info"), "get_info ()"),
    ],
)
def test_load_that_does_not_return_fails(
    gst, make_bridge, write_noting_plugin, text, method
):
    path = write_noting_plugin(text)
    bridge = make_bridge(path, timeout=SHORT)

    assert bridge.play() == gst.StateChangeReturn.FAILURE

    message = bridge.wait(gst.MessageType.ERROR)
    assert says(message.parse_error()[0].message, method, path)


@pytest.mark.parametrize("name", ["stop", "shutdown"])
def test_end_that_does_not_return_is_told(
    gst, make_bridge, write_noting_plugin, name
):
    path = write_noting_plugin(HANGS.format(name=name))
    bridge = make_bridge(path, timeout=SHORT)
    bridge.play()
    bridge.push(np.zeros((512, 2)))
    bridge.pull()
    # a bus that flushes has no messages
    bridge.pipeline.set_auto_flush_bus(False)

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS

    message = bridge.wait(gst.MessageType.WARNING)
    assert says(message.parse_warning()[0].message, f"{name} ()", path)


def test_plugin_that_was_given_up_is_replaced(
    gst, make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(
        write_noting_plugin(HANGS.format(name="stop")), timeout=SHORT
    )
    for _ in range(2):
        bridge.play()
        bridge.push(np.ones((512, 2)))
        assert (bridge.pull()[1] == 1).all()
        bridge.pipeline.set_state(gst.State.READY)

    calls = [name for name, *_ in journal()]
    assert calls.count("initialize") == 2
    assert calls.count("shutdown") == 0  # it may be in use still


@pytest.mark.parametrize("name", ["set_parameter", "get_parameter"])
def test_parameter_that_does_not_return_is_told(
    gst, make_bridge, write_noting_plugin, name
):
    path = write_noting_plugin(HANGS.format(name=name))
    bridge = make_bridge(path, timeout=SHORT)
    bridge.pipeline.set_state(gst.State.READY)

    if name == "set_parameter":
        assert not bridge.element.emit("set-parameter", "level", "1")
    else:
        assert bridge.element.emit("get-parameter", "level") == ""

    message = bridge.wait(gst.MessageType.WARNING)
    assert says(message.parse_warning()[0].message, f"{name} ()", path)


def test_edit_that_does_not_return_keeps_the_one_before(
    gst, make_bridge, write_noting_plugin
):
    bridge = make_bridge(write_noting_plugin(), timeout=SHORT)
    bridge.play()
    path = write_noting_plugin(MODULE_HANGS)

    assert not bridge.element.emit("reload")

    message = bridge.wait(gst.MessageType.WARNING)
    assert says(message.parse_warning()[0].message, "module code", path)
    bridge.push(np.ones((512, 2)))
    assert (bridge.pull()[1] == 1).all()
    assert bridge.stop() == gst.StateChangeReturn.SUCCESS


LONGER = 60_000_000_000  # ns: than any test may wait


def is_given_up(bridge, gst):
    """Whether a warning says so, and not that its time was over."""
    while message := bridge.wait(gst.MessageType.WARNING):
        if "is closed" in message.parse_warning()[0].message:
            return True
    return False


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize("how", ["reload", "auto-reload"])
def test_edit_that_does_not_return_does_not_keep_null(
    gst, make_bridge, write_noting_plugin, journal, isolation, how
):
    bridge = make_bridge(
        write_noting_plugin(),
        timeout=LONGER,
        isolation=isolation,
        auto_reload=how == "auto-reload",
    )
    bridge.play()
    bridge.pipeline.set_auto_flush_bus(False)
    write_noting_plugin(MODULE_HANGS)
    reload = threading.Thread(target=bridge.element.emit, args=["reload"])
    if how == "reload":
        reload.start()
    while ["module code"] not in journal():
        os.sched_yield()

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS

    assert is_given_up(bridge, gst)
    if how == "reload":
        reload.join()


def runs_code_of(path):
    """Whether a thread of this interpreter is in a function of that file."""
    for frame in sys._current_frames().values():
        while frame and frame.f_code.co_filename != str(path):
            frame = frame.f_back
        if frame:
            return True
    return False


def test_loop_of_a_plugin_that_was_given_up_ends(
    gst, make_bridge, write_noting_plugin
):
    path = write_noting_plugin("while True: max(1, 2)")
    bridge = make_bridge(path, timeout=SHORT)

    assert bridge.play() == gst.StateChangeReturn.FAILURE

    message = bridge.wait(gst.MessageType.ERROR)
    assert says(message.parse_error()[0].message, "module code", path)
    while runs_code_of(path):
        os.sched_yield()


def test_second_ctrl_c_ends_the_program(write_noting_plugin, journal):
    path = write_noting_plugin(HANGS.format(name="shutdown"))
    program = subprocess.Popen(
        "gst-launch-1.0 -q audiotestsrc is-live=true ! "
        "audio/x-raw,format=F32LE,rate=48000 ! "
        f"ndapybridge plugin={path} ! fakesink".split(),
        start_new_session=True,
    )
    try:
        while ["start"] not in journal():
            assert program.poll() is None
        program.send_signal(signal.SIGINT)
        while ["shutdown"] not in journal():
            assert program.poll() is None
        program.send_signal(signal.SIGINT)

        assert program.wait(PATIENCE) == -signal.SIGINT
    finally:
        program.kill()


def test_thread_that_is_not_to_be_had_is_an_error():
    error = error_without_threads("ndapybridge plugin=gain auto-reload=true")

    assert "thread" in error


NEIGHBOURS = {
    "ends": "import os; os._exit(7)",
    "crashes": "import os; os.abort()",
    "hangs": "import threading; threading.Event().wait()",
    "loops": "while True: pass",
    "forks": "import os, time\nif not os.fork(): time.sleep(9999)",
}


@pytest.mark.parametrize("how", NEIGHBOURS)
def test_neighbour_that_is_asked_for_its_name_does_no_harm(
    run, write_plugin, tmp_path, how
):
    (tmp_path / "a_neighbour.py").write_text(NEIGHBOURS[how])
    write_plugin(name="wanted")

    outcome = run(
        "Test", [np.ones((512, 2))], plugin_path=tmp_path, timeout=2 * SHORT
    )

    assert outcome.error is None and (outcome.frames == 1).all()
