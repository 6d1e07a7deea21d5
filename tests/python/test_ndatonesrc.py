# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndatonesrc, bit by bit against NumPy, and as audiotestsrc behaves."""

import numpy as np
import pytest
from elements import BLOCK, make_run, no_complaints  # noqa: F401

RATE = 48000


def cycles(frames, freq, rate=RATE):
    x = frames.astype(np.float64) * freq / rate
    return x - np.floor(x)


def noise(frames):
    bits = frames.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)).astype(np.float64) / 2**52 - 1


WAVES = {
    "sine": lambda n, f: np.sin(cycles(n, f) * (2 * np.pi)),
    "square": lambda n, f: 1 - 2 * np.floor(cycles(n, f) * 2),
    "saw": lambda n, f: 2 * (cycles(n, f) - np.floor(cycles(n, f) + 0.5)),
    "triangle": lambda n, f: 1
    - 4 * np.abs((cycles(n, f) + 0.25) - np.floor(cycles(n, f) + 0.25) - 0.5),
    "silence": lambda n, f: np.zeros(len(n)),
    "white-noise": lambda n, f: noise(n),
}


def reference(wave, first, n_frames, freq=440.0, volume=0.8):
    n = np.arange(first, first + n_frames)
    return (WAVES[wave](n, freq) * volume).astype(np.float32)


@pytest.mark.parametrize("wave", WAVES)
def test_wave_is_numpy_s_bit_by_bit(make_run, wave):
    run = make_run(
        f"ndatonesrc wave={wave} freq=997 volume=0.7 num-buffers=50 ! "
        "audio/x-raw,channels=2"
    )

    frames = np.concatenate([f for _, f in run.play().pull_all()])

    expected = reference(wave, 0, 50 * BLOCK, 997.0, 0.7)
    assert np.array_equal(frames, np.stack([expected, expected], axis=1))


def test_noise_is_white_and_full():
    samples = reference("white-noise", 0, 1 << 16, volume=1.0)

    assert abs(samples.mean()) < 0.01
    assert abs(samples.std() - 1 / np.sqrt(3)) < 0.01
    assert np.abs(np.corrcoef(samples[1:], samples[:-1])[0, 1]) < 0.02


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000])
def test_time_stamps_are_scaled_from_the_frames(make_run, gst, rate):
    run = make_run(f"ndatonesrc num-buffers=300 ! audio/x-raw,rate={rate}")

    for number, (buffer, frames) in enumerate(run.play().pull_all()):
        first = number * BLOCK
        end = (first + BLOCK) * gst.SECOND // rate
        assert len(frames) == BLOCK
        assert buffer.pts == first * gst.SECOND // rate
        assert buffer.pts + buffer.duration == end
        assert (buffer.offset, buffer.offset_end) == (first, first + BLOCK)


def test_format_is_the_block_s_if_downstream_takes_it(make_run):
    run = make_run("ndatonesrc num-buffers=1").play()
    sample = run.sink.emit("pull-sample")

    text = sample.get_caps().to_string()
    for field in ("rate=(int)48000", "channels=(int)1"):
        assert field in text
    assert "block-frames" not in text


def test_more_channels_than_two_get_a_mask(make_run):
    run = make_run("ndatonesrc num-buffers=1 ! audio/x-raw,channels=6").play()

    text = run.sink.emit("pull-sample").get_caps().to_string()
    assert "channel-mask=(bitmask)0x0000000000000000" in text


def test_impossible_format_is_not_linked(make_run):
    with pytest.raises(Exception, match="can't handle caps"):
        make_run("ndatonesrc ! audio/x-raw,format=S16LE")


def test_seek_finds_the_sound_that_would_have_been_there(make_run, gst):
    run = make_run("ndatonesrc wave=white-noise name=src").pause()

    assert run.seek(gst.SECOND + 1, gst.SECOND + 30 * gst.MSECOND)
    run.play()
    pulled = run.pull_all()

    # the first frame not before the one, up to the first not before the other
    assert pulled[0][0].offset == RATE + 1
    assert [len(frames) for _, frames in pulled] == [512, 512, 415]
    frames = np.concatenate([f for _, f in pulled])[:, 0]
    assert np.array_equal(frames, reference("white-noise", RATE + 1, 1439))


def test_seek_backwards_gives_the_same_blocks_from_the_end(make_run, gst):
    run = make_run("ndatonesrc").pause()

    assert run.seek(0, 30 * gst.MSECOND, -1.0)
    run.play()
    pulled = run.pull_all()

    assert [b.offset for b, _ in pulled] == [928, 416, 0]
    frames = np.concatenate([f for _, f in reversed(pulled)])[:, 0]
    assert np.array_equal(frames, reference("sine", 0, 1440))


def test_flush_in_mid_stream_starts_again_with_discont(make_run, gst):
    run = make_run("ndatonesrc").play()
    for _ in range(5):
        run.pull()

    assert run.seek(0, 20 * gst.MSECOND)
    pulled = run.pull_all()

    assert pulled[0][0].has_flags(gst.BufferFlags.DISCONT)
    frames = np.concatenate([f for _, f in pulled])[:, 0]
    assert np.array_equal(frames, reference("sine", 0, 960))


def test_new_rate_goes_on_at_the_same_time(make_run, gst):
    run = make_run(
        "ndatonesrc num-buffers=40 ! capsfilter name=filter "
        "caps=audio/x-raw,rate=48000"
    )
    run.sink.set_property("max-buffers", 1)
    run.play()
    pulled = [run.pull() for _ in range(5)]
    run.filter.set_property("caps", gst.Caps.from_string(
        "audio/x-raw,rate=32000"))
    pulled += run.pull_all()

    gaps = [
        after.pts - before.pts - before.duration
        for (before, _), (after, _) in zip(pulled, pulled[1:])
    ]
    durations = {buffer.duration for buffer, _ in pulled}
    assert max(durations) == 16 * gst.MSECOND and len(pulled) == 40
    assert all(0 <= gap <= gst.SECOND // 32000 for gap in gaps)


def test_new_freq_goes_on_in_the_cycle(make_run):
    run = make_run("ndatonesrc name=src num-buffers=60")
    run.sink.set_property("max-buffers", 1)
    run.play()
    frames = [run.pull()[1] for _ in range(10)]
    run.src.set_property("freq", 300.0)
    frames += [f for _, f in run.pull_all()]

    samples = np.concatenate(frames)[:, 0]
    steepest = 0.8 * 2 * np.pi * 440 / RATE
    assert np.abs(np.diff(samples)).max() <= steepest * 1.01
    n_crossings = np.count_nonzero(np.diff(np.signbit(samples[-4800:])))
    assert n_crossings == pytest.approx(2 * 300 * 0.1, abs=1)


def test_live_gives_nothing_while_paused(make_run, gst):
    run = make_run("ndatonesrc name=src is-live=true num-buffers=3")

    run.pipeline.set_state(gst.State.PAUSED)

    result = run.pipeline.get_state(gst.CLOCK_TIME_NONE)[0]
    assert result == gst.StateChangeReturn.NO_PREROLL
    query = gst.Query.new_latency()
    assert run.src.query(query)
    assert query.parse_latency()[0]
    assert len(run.play().pull_all()) == 3


def test_live_waits_for_the_time_of_each_buffer(make_run, gst):
    run = make_run("ndatonesrc is-live=true num-buffers=10").play()
    clock = run.pipeline.get_clock()

    for _ in range(10):
        buffer, _ = run.pull()
        now = clock.get_time() - run.pipeline.get_base_time()
        assert now >= buffer.pts


def test_silence_is_a_gap(make_run, gst):
    run = make_run("ndatonesrc wave=silence num-buffers=2").play()

    for buffer, _ in run.pull_all():
        assert buffer.has_flags(gst.BufferFlags.GAP)


def test_eos_ends_it(make_run, gst):
    run = make_run("ndatonesrc").play()
    run.pull()

    run.pipeline.send_event(gst.Event.new_eos())
    run.pull_all()

    run.wait(gst.MessageType.EOS)


def test_it_plays_again_and_again(make_run):
    run = make_run("ndatonesrc num-buffers=3")

    for _ in range(3):
        frames = np.concatenate([f for _, f in run.play().pull_all()])[:, 0]
        assert np.array_equal(frames, reference("sine", 0, 3 * BLOCK))
        run.stop()
