# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin that is edited while it runs: the edited one goes on, if it can."""

import os

import numpy as np
import pytest

from roles import SINK, SOURCE, kept_frames

BLOCK = 512

# Its level is the test's to edit
LEVEL = """
def process_audio(self, buffer):
    buffer.data[:] = {level} + self.offset
    return True
def set_parameter(self, key, value):
    self.offset = float(value)
def get_parameter(self, key):
    return "{level}"
Plugin.offset = 0.0
Plugin.process_audio = process_audio
Plugin.set_parameter, Plugin.get_parameter = set_parameter, get_parameter
"""


@pytest.fixture
def write_level(write_noting_plugin):
    return lambda level, more="": write_noting_plugin(
        LEVEL.format(level=level) + more
    )


def go_on(bridge, n_blocks=1):
    """The levels of so many blocks."""
    levels = []
    for _ in range(n_blocks):
        bridge.push(np.zeros((BLOCK, 2)))
        frames = bridge.pull()[1]
        assert len(frames) == BLOCK and (frames == frames[0, 0]).all()
        levels.append(frames[0, 0])
    return levels


def test_edited_plugin_takes_its_place_between_two_blocks(
    make_bridge, write_level, journal
):
    bridge = make_bridge(write_level(1), parameters="offset=0.25")
    bridge.play()
    assert go_on(bridge, 3) == [1.25] * 3
    bridge.element.emit("set-parameter", "offset", "0.5")
    bridge.element.emit("get-parameter", "offset")  # after it

    write_level(2)
    assert go_on(bridge, 3) == [1.5] * 3  # it is not asked for yet
    assert bridge.element.emit("reload")

    assert go_on(bridge, 3) == [2.5] * 3
    assert bridge.get_stat("num-reloads") == 1
    assert bridge.get_stat("num-blocks") == 9
    assert bridge.get_stat("num-failures") == 0
    bridge.stop()
    names = [name for name, *_ in journal()]
    assert names.count("initialize") == names.count("start") == 2
    assert names.count("stop") == names.count("shutdown") == 2


def test_parameter_set_after_a_reload_is_not_lost(make_bridge, write_level):
    bridge = make_bridge(write_level(1))
    bridge.play()
    go_on(bridge)

    write_level(2)
    assert bridge.element.emit("reload")
    assert bridge.element.emit("set-parameter", "offset", "0.5")

    assert go_on(bridge, 2) == [2.5] * 2


def test_processor_is_started_before_the_other_is_stopped(
    make_bridge, write_level, journal
):
    bridge = make_bridge(write_level(1))
    bridge.play()
    go_on(bridge)
    bridge.element.emit("reload")
    go_on(bridge)
    while bridge.get_stat("num-reloads") < 1:
        os.sched_yield()
    bridge.stop()

    names = [name for name, *_ in journal()]
    life = [n for n in names if n in ("start", "stop", "shutdown")]
    assert life == ["start", "start", "stop", "shutdown", "stop", "shutdown"]


@pytest.mark.parametrize(
    "edit, why",
    [
        ("\ndef broken(:\n", "SyntaxError"),
        ("\nraise OSError('no dongle')\n", "no dongle"),
        ("\nPlugin.initialize = lambda self: False\n", "initialize ()"),
        ("\nPlugin.start = lambda self: False\n", "start ()"),
    ],
)
def test_broken_edit_keeps_the_one_before(
    gst, make_bridge, write_level, edit, why
):
    bridge = make_bridge(write_level(1))
    bridge.play()
    go_on(bridge)

    path = write_level(2, edit)
    bridge.element.emit("reload")
    levels = go_on(bridge, 3)

    warning, debug = bridge.wait(gst.MessageType.WARNING).parse_warning()
    assert levels == [1] * 3
    assert "the one before goes on" in warning.message
    assert why in warning.message and str(path) in warning.message
    assert bridge.get_stat("num-reloads") == 0
    assert bridge.get_stat("num-failures") == 0
    write_level(3)
    assert bridge.element.emit("reload")
    assert go_on(bridge, 2) == [3, 3]


def test_plugin_at_rest_is_exchanged_at_once(gst, make_bridge, write_level):
    bridge = make_bridge(write_level(1))
    bridge.pipeline.set_state(gst.State.READY)
    write_level(2)

    assert bridge.element.emit("reload")

    assert bridge.element.emit("get-parameter", "level") == "2"
    assert bridge.get_stat("num-reloads") == 1
    bridge.play()
    assert go_on(bridge) == [2]


def test_edited_twice_between_two_blocks_it_is_the_last(
    make_bridge, write_level, journal
):
    bridge = make_bridge(write_level(1))
    bridge.play()
    go_on(bridge)
    for level in (2, 3):
        write_level(level)
        bridge.element.emit("reload")

    assert go_on(bridge) == [3]
    bridge.stop()
    names = [name for name, *_ in journal()]
    assert names.count("shutdown") == names.count("initialize") == 3


@pytest.mark.parametrize("state", ["READY", "NULL"])
def test_edit_that_waits_for_a_block_does_not_outlive_the_end(
    gst, make_bridge, write_level, journal, state
):
    bridge = make_bridge(write_level(1))
    bridge.play()
    assert go_on(bridge) == [1]
    write_level(2)
    assert bridge.element.emit("reload")  # the next block finds it
    bridge.pipeline.set_state(getattr(gst.State, state))
    bridge.stop()
    names = [name for name, *_ in journal()]
    assert names.count("shutdown") == names.count("initialize") == 2
    write_level(3)

    bridge.play()
    assert go_on(bridge, 2) == [3, 3]
    names = [name for name, *_ in journal()]
    assert names.count("initialize") == 3
    bridge.stop()


def test_without_a_plugin_there_is_nothing_to_reload(make_bridge):
    bridge = make_bridge("gain")

    assert not bridge.element.emit("reload")


@pytest.mark.parametrize("how", ["written", "replaced"])
def test_auto_reload_follows_the_file(make_bridge, write_level, how):
    path = write_level(1)
    bridge = make_bridge(path, auto_reload="true")
    bridge.play()
    go_on(bridge)

    if how == "written":
        write_level(2)
    else:
        edited = path.with_suffix(".new")
        edited.write_text(path.read_text().replace("= 1 +", "= 2 +"))
        os.replace(edited, path)
    while go_on(bridge) != [2]:
        pass

    while bridge.get_stat("num-reloads") < 1:
        os.sched_yield()


DEVICE = """
Plugin.start = lambda self: note("start") or True
Plugin.stop = lambda self: note("stop")
"""


def test_source_lets_go_of_its_device_first(
    make_line, write_plugin, journal
):
    path = write_plugin(DEVICE, base=SOURCE)
    line = make_line(
        "ndapysrc name=py is-live=false ! appsink name=sink sync=false",
        path,
    )
    line.sink.set_property("max-buffers", 1)
    line.play()
    assert line.pull()[1][0, 0] == 0
    write_plugin(
        DEVICE + "\nPlugin.read_audio = lambda self, buffer: "
        "buffer.data.fill(-1) or True\n",
        base=SOURCE,
    )

    assert line.element.emit("reload")
    while line.pull()[1][0, 0] != -1:
        pass

    while line.get_stat("num-reloads") < 1:
        os.sched_yield()
    assert journal() == [["start"], ["stop"], ["start"]]
    assert line.get_stat("num-failures") == 0


def test_source_that_changes_its_channels_is_refused_and_starts_again(
    gst, make_line, write_plugin, journal
):
    line = make_line(
        "ndapysrc name=py is-live=false ! appsink name=sink sync=false",
        write_plugin(DEVICE, base=SOURCE),
    )
    line.sink.set_property("max-buffers", 1)
    line.play()
    line.pull()
    write_plugin(
        DEVICE + "\nPlugin.get_channel_count = lambda self: 1\n",
        base=SOURCE,
    )
    line.element.emit("reload")

    last = -1
    while line.bus.peek() is None or not (
        warning := line.bus.pop_filtered(gst.MessageType.WARNING)
    ):
        frames = line.pull()[1]
        assert frames[0, 0] > last
        last = frames[0, 0]

    message = warning.parse_warning()[0].message
    assert "number of channels: 48000 Hz, 512, 1 instead of" in message
    assert "instead of 48000 Hz, 512, 2" in message
    assert "Set the element to NULL and to PLAYING again" in message
    assert line.pull()[1][0, 0] > last
    assert journal() == [["start"], ["stop"], ["start"], ["stop"], ["start"]]


def test_sink_loses_no_block(make_line, write_plugin, journal, noise):
    path = write_plugin("", base=SINK)
    line = make_line(
        "appsrc name=src format=time ! ndapysink name=py sync=false", path
    )
    line.set_format(2)
    line.play()
    pushed = noise(30 * BLOCK)
    for n, block in enumerate(np.split(pushed, 30)):
        line.push(block)
        if n % 10 == 5:
            assert line.element.emit("reload")
    line.src.emit("end-of-stream")

    assert line.wait_for_end() is None
    assert np.array_equal(kept_frames(), pushed)
    assert line.get_stat("num-failures") == 0
    assert line.get_stat("num-reloads") >= 1
