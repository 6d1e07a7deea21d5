# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin that delays and says so, beside the untouched stream through a tee:
what one has less the other is nothing, from the first frame to the last."""

import numpy as np
import pytest

from delays import SECOND, delaying

# Stretches of sound that do not follow each other begin so far apart
APART = 480000

QUEUE = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0"
SINK = "appsink sync=false async=false wait-on-eos=false name"


@pytest.fixture
def make_pair(make_line, tmp_path):
    """A line whose `sink` has the plugin's sound, and `dry` the other."""

    def make(frames, latency):
        path = tmp_path / "delay.py"
        path.write_text(delaying(frames=frames, latency=latency))
        line = make_line(
            f"appsrc name=src format=time ! tee name=t t. ! {QUEUE} "
            f"! ndapybridge name=py ! {SINK}=sink t. ! {QUEUE} ! {SINK}=dry",
            path,
        )
        line.set_format(2)
        line.dry = line.pipeline.get_by_name("dry")
        line.play()
        return line

    return make


def pull(sink, n_frames=None):
    """So many frames, or all that are left: {where they begin: frames}, for
    each stretch."""
    stretches, n_pulled = {}, 0
    while n_frames is None or n_pulled < n_frames:
        sample = sink.emit("pull-sample")
        if sample is None:
            break
        buffer = sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        block = np.frombuffer(data, np.float32).reshape(-1, 2)
        begin = round(buffer.pts * 48000 / SECOND)
        stretch = stretches.setdefault(begin // APART * APART, [])
        # in its place
        assert begin % APART == sum(map(len, stretch))
        stretch.append(block)
        n_pulled += len(block)
    return {at: np.concatenate(blocks) for at, blocks in stretches.items()}


def push(gst, line, at, frames, seed=0):
    """The frames of a stretch, cut anyhow, the first as a discontinuity."""
    rng = np.random.default_rng(seed)
    begin = 0
    while begin < len(frames):
        end = min(begin + int(rng.integers(1, 1500)), len(frames))
        buffer = gst.Buffer.new_wrapped(frames[begin:end].tobytes())
        buffer.pts = (at + begin) * SECOND // 48000
        buffer.duration = (at + end) * SECOND // 48000 - buffer.pts
        if begin == 0:
            buffer.set_flags(gst.BufferFlags.DISCONT)
        line.src.emit("push-buffer", buffer)
        begin = end


def noise(n_frames, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (n_frames, 2)).astype(np.float32)


def assert_cancelled(wet, dry):
    assert wet.keys() == dry.keys()
    for at, frames in dry.items():
        assert wet[at].shape == frames.shape
        # -0.0 less 0.0 would be nothing too
        assert not (wet[at] - frames).any()
        assert wet[at].tobytes() == frames.tobytes()


@pytest.mark.parametrize("frames", [480, 512, 1024])
@pytest.mark.parametrize("latency", [1, 72, 511, 512, 513, 4800, 48000])
def test_21_declared_delay_cancels(gst, make_pair, frames, latency):
    line = make_pair(frames, latency)
    sound = noise(2 * latency + 7777)

    push(gst, line, 0, sound)
    line.src.emit("end-of-stream")

    dry = pull(line.dry)
    assert dry[0].tobytes() == sound.tobytes()
    assert_cancelled(pull(line.sink), dry)


def send_gap(gst, pad, at):
    pad.push_event(gst.Event.new_gap(at * SECOND // 48000, SECOND))


def send_segment(gst, pad, at):
    segment = gst.Segment()
    segment.init(gst.Format.TIME)
    segment.start = segment.time = at * SECOND // 48000
    pad.push_event(gst.Event.new_segment(segment))


def send_nothing(gst, pad, at):
    """The next buffer says so itself."""


@pytest.mark.parametrize(
    "cut", [send_gap, send_segment, send_nothing], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("latency", [1, 700, 48000])
def test_21_declared_delay_cancels_on_both_sides_of_a_cut(
    gst, make_pair, latency, cut
):
    line = make_pair(480, latency)
    pad = line.src.get_static_pad("src")
    dry = {}

    for n in range(3):
        at, sound = n * APART, noise(5000 + 777 * n + latency // 2, n)
        if n:
            cut(gst, pad, at)
        push(gst, line, at, sound, n)
        # all of it has passed the tee before the next cut
        dry.update(pull(line.dry, len(sound)))
    line.src.emit("end-of-stream")

    assert len(dry) == 3
    assert_cancelled(pull(line.sink), dry)


@pytest.mark.parametrize("latency", [1, 700, 48000])
def test_21_declared_delay_cancels_behind_a_flush(gst, make_pair, latency):
    line = make_pair(480, latency)
    pad = line.src.get_static_pad("src")
    before, after = noise(2 * latency + 5000), noise(9000 + latency, 1)

    push(gst, line, 0, before)
    pull(line.dry, len(before))
    first = pull(line.sink, 512)[0]
    pad.push_event(gst.Event.new_flush_start())
    pad.push_event(gst.Event.new_flush_stop(True))
    send_segment(gst, pad, 0)
    push(gst, line, APART, after)
    line.src.emit("end-of-stream")

    assert first.tobytes() == before[: len(first)].tobytes()
    dry = pull(line.dry)
    assert dry[APART].tobytes() == after.tobytes()
    assert_cancelled(pull(line.sink), dry)
