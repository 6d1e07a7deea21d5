# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an ndapysink does when it is asked to drain."""

import numpy as np
import pytest

from roles import SINK, kept_frames


@pytest.fixture
def push_by_hand(gst, isolation, write_plugin, journal):
    """An ndapysink that plays, and a function that pushes frames into it and
    returns when it has them."""
    made = []

    def make(text=""):
        sink = gst.ElementFactory.make("ndapysink")
        made.append(sink)
        gst.util_set_object_arg(sink, "isolation", isolation)
        sink.set_property("plugin", str(write_plugin(text, base=SINK)))
        sink.set_property("sync", False)
        pad = gst.Pad.new("test", gst.PadDirection.SRC)
        pad.set_active(True)
        assert pad.link(sink.get_static_pad("sink")) == gst.PadLinkReturn.OK
        sink.set_state(gst.State.PLAYING)
        segment = gst.Segment()
        segment.init(gst.Format.TIME)
        caps = gst.Caps.from_string(
            "audio/x-raw,format=F32LE,rate=48000,channels=2,"
            "layout=interleaved"
        )
        for event in (
            gst.Event.new_stream_start("test"),
            gst.Event.new_caps(caps),
            gst.Event.new_segment(segment),
        ):
            assert pad.push_event(event)
        position = 0

        def push(frames):
            nonlocal position
            data = np.ascontiguousarray(frames, np.float32).tobytes()
            buffer = gst.Buffer.new_wrapped(data)
            buffer.pts = position * gst.SECOND // 48000
            position += len(frames)
            assert pad.push(buffer) == gst.FlowReturn.OK

        return pad, push

    yield make
    for sink in made:
        sink.set_state(gst.State.NULL)


@pytest.mark.parametrize("rate", [48000, 44100])
def test_drain_leaves_nothing_inside(gst, push_by_hand, noise, rate):
    pushed = noise(700)
    pad, push = push_by_hand(f"Plugin.get_sample_rate = lambda self: {rate}")

    push(pushed[:100])
    assert pad.peer_query(gst.Query.new_drain())
    drained = len(kept_frames())
    push(pushed[100:])
    assert pad.peer_query(gst.Query.new_drain())

    assert abs(drained - 100 * rate / 48000) <= 1
    assert abs(len(kept_frames()) - 700 * rate / 48000) <= 2
    if rate == 48000:
        assert (kept_frames() == pushed).all()
