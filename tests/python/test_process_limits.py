# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long a plugin's process may take for what, and what is told then."""

import os
import resource

import numpy as np
import pytest

from processes import children, error_without_threads, only_child, wait_until

BLOCK = 512
SHORT = 300_000_000  # ns


@pytest.fixture
def isolation():
    return "process"


def push_and_pull(bridge, value=0.5):
    bridge.push(np.full((BLOCK, 2), value, np.float32))
    return bridge.pull()[1]


def texts(bridge, gst):
    """Of all warnings so far."""
    found = []
    while message := bridge.bus.pop_filtered(gst.MessageType.WARNING):
        found.append(message.parse_warning()[0].message)
    return found


# --- parameters --------------------------------------------------------------

SETTERS = {
    "os._exit(7)": "status 7",
    "os.kill(os.getpid(), 9)": "signal 9",
    "time.sleep(1000)": "set_parameter () did not return within 5000 ms",
}
FRAIL = """
import os, time
def set_parameter(self, key, value):
    if key == "bad":
        %s
    note("set", key, value)
Plugin.set_parameter = set_parameter
"""


@pytest.mark.parametrize("fault", SETTERS)
@pytest.mark.parametrize("is_playing", [False, True])
def test_parameter_that_ends_its_process_is_dropped_and_told(
    gst, make_bridge, write_noting_plugin, journal, fault, is_playing
):
    path = write_noting_plugin(FRAIL % fault)
    bridge = make_bridge(
        path, on_error="silence", timeout=5_000_000_000, parameters="good=1"
    )
    if is_playing:
        bridge.play()
        push_and_pull(bridge)
    else:
        bridge.pipeline.set_state(gst.State.READY)
    bridge.element.emit("set-parameter", "bad", "1")
    wait_until(lambda: bridge.get_stat("num-restarts") == 1)

    told = [text for text in texts(bridge, gst) if "bad: " in text]
    assert SETTERS[fault] in told[0]
    assert [entry for entry in journal() if entry[0] == "set"] == [
        ["set", "good", "1"]
    ] * 2
    wait_until(lambda: len(children()) == 1)  # the ended one is reaped


def test_parameter_that_every_other_process_dies_of_is_dropped(
    gst, make_bridge, write_noting_plugin, tmp_path
):
    path = write_noting_plugin(
        f"""
        def set_parameter(self, key, value):
            note("set", key)
            if key == "bad" and os.path.exists({str(tmp_path / "now")!r}):
                os._exit(7)
        Plugin.set_parameter = set_parameter
        """
    )
    bridge = make_bridge(path, on_error="silence", parameters="bad=1,good=1")
    bridge.play()
    push_and_pull(bridge)
    (tmp_path / "now").touch()
    os.kill(only_child(), 9)

    wait_until(lambda: bridge.get_stat("num-restarts") == 1)
    assert any("bad: " in text and "not set again" in text
               for text in texts(bridge, gst))


# --- start, first call, stop ------------------------------------------------


def test_start_and_the_first_call_may_compute_for_longer_than_a_call(
    gst, make_bridge, write_plugin
):
    path = write_plugin(
        """
        import time
        def compute():
            end = time.thread_time() + 0.5
            while time.thread_time() < end:
                pass
        def start(self):
            compute()
            return True
        def process_audio(self, buffer):
            self.n_blocks += 1
            if self.n_blocks == 1:
                compute()
            return True
        Plugin.start, Plugin.process_audio = start, process_audio
        """
    )
    bridge = make_bridge(path, deadline=100_000_000)
    for _ in range(2):  # a start beside a thread that was in real time
        bridge.play()
        assert push_and_pull(bridge).all()
        bridge.pipeline.set_state(gst.State.READY)

    assert bridge.get_stat("num-restarts") == 0


def test_first_call_that_does_not_return_is_told(
    gst, make_bridge, write_plugin
):
    path = write_plugin(
        """
        import time
        def process_audio(self, buffer):
            time.sleep(1000)
        Plugin.process_audio = process_audio
        """
    )
    bridge = make_bridge(path, deadline=1, timeout=5_000_000_000,
                         restart="never")
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))

    message = bridge.wait(gst.MessageType.ERROR).parse_error()[0].message
    assert "the first block call did not return within 5000 ms" in message
    assert "“timeout”" in message


def test_call_that_does_not_return_is_told_with_the_property(
    gst, make_bridge, write_plugin
):
    path = write_plugin(
        """
        import time
        def process_audio(self, buffer):
            self.n_blocks += 1
            if self.n_blocks > 1:
                time.sleep(1000)
            return True
        Plugin.process_audio = process_audio
        """
    )
    bridge = make_bridge(path, deadline=100_000_000, restart="never")
    bridge.play()
    push_and_pull(bridge)
    bridge.push(np.zeros((BLOCK, 2)))

    message = bridge.wait(gst.MessageType.ERROR).parse_error()[0].message
    assert "a block call did not return within 100 ms" in message
    assert "“deadline”" in message


@pytest.mark.parametrize("name", ["stop", "shutdown"])
@pytest.mark.parametrize("seconds, is_told", [(0.5, False), (1000, True)])
def test_end_that_takes_long_is_waited_for_and_then_told(
    gst, make_bridge, write_noting_plugin, journal, name, seconds, is_told
):
    path = write_noting_plugin(
        f"""
        import time
        def {name}(self):
            time.sleep({seconds})
            note("{name}")
        Plugin.{name} = {name}
        """
    )
    bridge = make_bridge(path, timeout=5_000_000_000)
    bridge.pipeline.set_auto_flush_bus(False)
    bridge.play()
    push_and_pull(bridge)

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS
    told = texts(bridge, gst)
    assert ([name] in journal()) == (not is_told)
    late = [text for text in told
            if f"{name} () did not return within 5000 ms" in text]
    assert len(late) == is_told
    assert all(text.startswith("The process of the plugin") for text in late)


def test_restart_that_is_stuck_does_not_keep_the_pipeline_from_its_end(
    gst, make_bridge, write_plugin, tmp_path
):
    path = write_plugin(
        f"""
        import os, time
        if os.path.exists({str(tmp_path / "again")!r}):
            open({str(tmp_path / "stuck")!r}, "w").close()
            time.sleep(1000)
        """
    )
    bridge = make_bridge(path, on_error="silence", timeout=10**15)
    bridge.play()
    push_and_pull(bridge)
    (tmp_path / "again").touch()
    os.kill(only_child(), 9)
    wait_until((tmp_path / "stuck").exists)

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS
    assert children() == []


# --- what the system has no more of -----------------------------------------


def test_out_of_descriptors_is_told_as_that(gst, make_bridge, write_plugin):
    bridge = make_bridge(write_plugin())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = set()
    try:
        for n in range(len(os.listdir("/proc/self/fd")) + 1, 60):
            resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))
            change = bridge.pipeline.set_state(gst.State.READY)
            bridge.pipeline.set_state(gst.State.NULL)
            if change == gst.StateChangeReturn.FAILURE:
                message = bridge.bus.pop_filtered(gst.MessageType.ERROR)
                if message:
                    told.add(message.parse_error()[0].message)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert any("Too many open files" in text for text in told)
    for text in told:
        assert "Bad file descriptor" not in text
        assert "“python”" not in text


def test_thread_that_is_not_to_be_had_is_an_error():
    error = error_without_threads("ndapybridge plugin=gain isolation=process")

    assert "thread" in error
