# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin that delays and says so, beside the untouched stream behind a tee.

Both say the same at each time stamp, to the bit: from the first frame to the
last, and on both sides of what cuts the stream.
"""

import numpy as np
import pytest

from delays import SECOND, any_bits, delaying, frames_of

STEREO = "audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved"
STRETCH = 480000  # frames between the beginnings of two stretches

# How a stretch begins; the first one has its segment
CUTS = ["", "discontinuity", "gap", "segment", "flush", "segment"]


class Heard:
    """What passes a pad: the frames of each stretch, by their time stamps."""

    def __init__(self, gst, pad):
        self.stretches = {}
        pad.add_probe(gst.PadProbeType.BUFFER, self._note)
        self._ok = gst.PadProbeReturn.OK

    def _note(self, _pad, info):
        buffer = info.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        frames = np.frombuffer(data, np.uint32).reshape(-1, 2)
        n, at = divmod(frames_of(buffer.pts), STRETCH)
        kept = self.stretches.setdefault(n, [])
        assert at == sum(map(len, kept)), "a frame is elsewhere"
        kept.append(frames)
        return self._ok

    def frames(self, n):
        return np.concatenate(self.stretches[n])


@pytest.fixture
def feed(gst):
    """A pad that a test pushes through by itself."""
    pad = gst.Pad.new("feed", gst.PadDirection.SRC)
    pad.set_active(True)
    yield pad
    pad.set_active(False)


def begin(gst, pad, sink):
    assert pad.link(sink) == gst.PadLinkReturn.OK
    pad.push_event(gst.Event.new_stream_start("test"))
    pad.push_event(gst.Event.new_caps(gst.Caps.from_string(STEREO)))


def push_segment(gst, pad, start):
    segment = gst.Segment()
    segment.init(gst.Format.TIME)
    segment.start = segment.time = start
    pad.push_event(gst.Event.new_segment(segment))


def cut(gst, pad, how, start):
    if how == "gap":
        pad.push_event(gst.Event.new_gap(start - SECOND, SECOND))
    if how == "flush":
        pad.push_event(gst.Event.new_flush_start())
        pad.push_event(gst.Event.new_flush_stop(True))
    if how in ("", "flush", "segment"):
        push_segment(gst, pad, start)


def push_stretch(gst, pad, frames, n, is_discont):
    """In pieces of any length."""
    ends = np.cumsum(np.random.default_rng(n).integers(1, 2500, len(frames)))
    at = n * STRETCH
    for piece in np.split(frames, ends[ends < len(frames)]):
        buffer = gst.Buffer.new_wrapped(piece.tobytes())
        buffer.pts = at * SECOND // 48000
        at += len(piece)
        buffer.duration = at * SECOND // 48000 - buffer.pts
        if is_discont:
            buffer.set_flags(gst.BufferFlags.DISCONT)
        is_discont = False
        assert pad.push(buffer) == gst.FlowReturn.OK


@pytest.mark.parametrize("frames", [480, 512])
@pytest.mark.parametrize("latency", [1, 513, 4800, 48000])
def test_21_it_cancels_the_untouched_stream_to_the_bit(
    gst, make_line, feed, tmp_path, frames, latency
):
    path = tmp_path / "delay.py"
    path.write_text(delaying(frames=frames, latency=latency))
    line = make_line(
        "tee name=t ! ndapybridge name=py ! "
        "fakesink name=delayed sync=false async=false "
        "t. ! fakesink name=untouched sync=false async=false",
        path,
    )
    delayed, untouched = (
        Heard(gst, line.pipeline.get_by_name(name).get_static_pad("sink"))
        for name in ("delayed", "untouched")
    )
    line.play()
    begin(gst, feed, line.pipeline.get_by_name("t").get_static_pad("sink"))

    for n, how in enumerate(CUTS):
        cut(gst, feed, how, n * STRETCH * SECOND // 48000)
        sound = any_bits(latency + 9000 + n)
        push_stretch(gst, feed, sound, n, how in ("discontinuity", "gap"))
    feed.push_event(gst.Event.new_eos())

    assert line.wait_for_end() is None
    for n, after in enumerate([*CUTS[1:], ""]):
        one, other = delayed.stretches.get(n), untouched.frames(n)
        assert len(other) == latency + 9000 + n
        if after == "flush":  # that dropped what was held back
            one = delayed.frames(n) if one else other[:0]
            other = other[: len(one)]
        else:
            one = delayed.frames(n)
        assert np.array_equal(one, other)
