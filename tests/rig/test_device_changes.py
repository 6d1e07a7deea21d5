# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests devices of a PipeWire desktop that are removed, come back under their
name or another, or are no longer the default, live.

The server moves a stream whose device disappears to another device, and back
to its own. The pipeline must not notice. Run below `with-rig --server pipewire
one`.
"""

import pytest
from test_device_loss import Gst, count, pactl

MIDDLE = "ndapybridge plugin=passthrough"


class Extra:
    """One more device of the desktop, a speaker and its monitor."""

    def __init__(self) -> None:
        self.module = None

    def plug_in(self, name: str = "extra") -> None:
        self.module = pactl(
            "load-module", "module-null-sink", f"sink_name={name}",
            "rate=48000", "channels=2",
        ).strip()

    def pull_out(self) -> None:
        if self.module:
            pactl("unload-module", self.module)
        self.module = None


@pytest.fixture
def extra():
    extra = Extra()
    extra.plug_in()
    yield extra
    pactl("set-default-sink", "ear")
    pactl("set-default-source", "mic")
    extra.pull_out()


@pytest.fixture
def play():
    Gst.init(None)
    made = []

    def start(src: str, sink: str) -> Gst.Pipeline:
        pipeline = Gst.parse_launch(
            f"ndasrc name=src {src} ! {MIDDLE} ! ndasink name=sink {sink}"
        )
        made.append(pipeline)
        pipeline.set_state(Gst.State.PLAYING)
        assert_goes_on(pipeline)
        return pipeline

    yield start
    for pipeline in made:
        pipeline.set_state(Gst.State.NULL)


def assert_goes_on(pipeline: Gst.Pipeline) -> None:
    """Two seconds of it are played, without an error."""
    end = count(pipeline, "sink", "num-blocks") + 188
    while count(pipeline, "sink", "num-blocks") < end:
        message = pipeline.get_bus().timed_pop_filtered(
            100 * Gst.MSECOND, Gst.MessageType.ERROR
        )
        assert not message, str(message.parse_error())


def test_the_default_changes(play, extra):
    pipeline = play("", "")
    pactl("set-default-sink", "extra")
    assert_goes_on(pipeline)
    pactl("set-default-source", "extra.monitor")
    assert_goes_on(pipeline)
    extra.pull_out()
    assert_goes_on(pipeline)
    extra.plug_in()
    assert_goes_on(pipeline)


def test_a_device_is_removed_and_comes_back(play, extra):
    pipeline = play("device=extra.monitor", "device=extra")
    extra.pull_out()
    assert_goes_on(pipeline)
    extra.plug_in()
    assert_goes_on(pipeline)


def test_a_device_comes_back_under_another_name(play, extra):
    pipeline = play("device=extra.monitor", "device=extra")
    extra.pull_out()
    extra.plug_in("renamed")
    assert_goes_on(pipeline)
    extra.pull_out()
    extra.plug_in()
    assert_goes_on(pipeline)
