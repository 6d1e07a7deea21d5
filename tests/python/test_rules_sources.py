# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a source may count on, rule by rule of the plugin contract."""

import os

import numpy as np
import pytest

from roles import SOURCE

BLOCK = 512


@pytest.fixture
def write_source(write_plugin, journal):
    return lambda text="": write_plugin(text, base=SOURCE)


@pytest.fixture
def make_source(make_line):
    def make(plugin, clock=None, caps="", **props):
        props.setdefault("is_live", clock is not None)
        return make_line(
            f"ndapysrc name=py ! {caps} appsink name=sink sync=false",
            plugin,
            clock,
            **props,
        )

    return make


def count(n_frames, channels=2):
    return np.repeat(
        np.arange(n_frames, dtype=np.float32)[:, None], channels, 1
    )


def test_blocks_are_stamped_in_frames_and_counted(
    gst, make_source, write_source
):
    line = make_source(write_source(), num_buffers=3)
    line.play()

    for n in range(3):
        buffer, frames = line.pull()
        assert buffer.pts == n * BLOCK * gst.SECOND // 48000
        assert buffer.offset == n * BLOCK
        assert bool(buffer.get_flags() & gst.BufferFlags.DISCONT) == (n == 0)
        assert np.array_equal(frames, count(4 * BLOCK)[n * BLOCK :][:BLOCK])
    assert line.pull() is None
    assert line.get_stat("num-blocks") == 3
    assert line.get_stat("num-frames") == 3 * BLOCK


def test_4_1_calls_come_in_order(make_source, write_source, journal):
    path = write_source(
        """
        def noting(name, result):
            def method(self, *args):
                note(name, *args)
                return result
            return method

        for name, result in (
            ("initialize", True), ("set_parameter", True), ("start", True),
            ("stop", None), ("shutdown", None), ("get_sample_rate", 48000),
            ("set_sample_rate", None), ("set_buffer_size", None),
        ):
            setattr(Plugin, name, noting(name, result))
        """
    )
    line = make_source(path, parameters="a=1", num_buffers=1)
    line.play()
    line.pull()
    line.stop()

    called = [tuple(entry) for entry in journal()]
    assert [c for c in called if c[0] != "get_sample_rate"] == [
        ("initialize",),
        ("set_parameter", "a", "1"),
        ("set_buffer_size", BLOCK),
        ("start",),
        ("stop",),
        ("shutdown",),
    ]


def test_4_5_slow_start_does_not_keep_the_application(
    gst, make_source, write_source, journal, tmp_path
):
    path = write_source(
        """
        import time
        def start(self):
            note("starting")
            while not os.path.exists(os.environ["NDA_TEST_JOURNAL"] + ".go"):
                time.sleep(0.001)
            return True
        Plugin.start = start
        """
    )
    line = make_source(path, num_buffers=1)

    assert line.play() != gst.StateChangeReturn.FAILURE  # came back
    while ["starting"] not in journal():
        os.sched_yield()
    (tmp_path / "journal.go").touch()
    assert len(line.pull()[1]) == BLOCK


def test_start_that_fails_ends_the_stream(make_source, write_source):
    line = make_source(write_source("Plugin.start = lambda self: False"))
    line.play()

    error = line.wait_for_end()

    assert "start ()" in error.message


@pytest.mark.parametrize("rate", [44100, 96000, 8000])
def test_5_2_another_rate_is_resampled(make_source, write_source, rate):
    path = write_source(
        f"""
        def read_audio(self, buffer):
            n = np.arange(self.position, self.position + buffer.data.shape[1])
            self.position += buffer.data.shape[1]
            buffer.data[:] = np.sin(2 * np.pi * 997 / {rate} * n)
            return True
        Plugin.read_audio = read_audio
        Plugin.get_sample_rate = lambda self: {rate}
        """
    )
    line = make_source(path, num_buffers=20)
    line.play()

    frames = line.pull_all()

    assert len(frames) == 20 * BLOCK
    expected = np.sin(2 * np.pi * 997 / 48000 * np.arange(len(frames)))
    middle = slice(2000, len(frames) - 2000)
    assert np.abs(frames[middle, 0] - expected[middle]).max() < 0.05


def test_5_2_rate_is_asked_for_and_read_back(make_source, write_source):
    path = write_source(
        """
        def start(self):
            return self.rate == 48000
        Plugin.start = start
        init = Plugin.__init__
        def __init__(self):
            init(self)
            self.rate = 44100
        Plugin.__init__ = __init__
        """
    )
    line = make_source(path, num_buffers=1)
    line.play()

    assert np.array_equal(line.pull_all(), count(BLOCK))


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 64])
def test_5_3_caps_follow_the_plugin(make_source, write_source, channels):
    path = write_source(f"Plugin.get_channel_count = lambda self: {channels}")
    line = make_source(path, num_buffers=2)
    line.play()

    assert np.array_equal(line.pull_all(), count(2 * BLOCK, channels))


def test_5_4_mono_after_the_start_is_mono(make_source, write_source):
    path = write_source(
        """
        def start(self):
            self.channels = 1
            return True
        Plugin.start = start
        """
    )
    line = make_source(path, num_buffers=2)
    line.play()

    assert np.array_equal(line.pull_all(), count(2 * BLOCK, 1))


def test_5_5_mono_is_doubled_and_stereo_averaged(make_source, write_source):
    mono = write_source("Plugin.get_channel_count = lambda self: 1")
    line = make_source(mono, num_buffers=1, caps="audio/x-raw,channels=2 !")
    line.play()
    assert np.array_equal(line.pull_all(), count(BLOCK, 2))

    stereo = write_source(
        """
        def read_audio(self, buffer):
            buffer.data[0], buffer.data[1] = 1.0, 0.5
            return True
        Plugin.read_audio = read_audio
        """
    )
    line = make_source(stereo, num_buffers=1, caps="audio/x-raw,channels=1 !")
    line.play()
    assert (line.pull_all() == 0.75).all()


@pytest.mark.parametrize("frames", [256, 300, 64, 1])
def test_5_6_short_buffers_are_put_together(
    make_source, write_source, journal, frames
):
    path = write_source(
        f"""
        def set_buffer_size(self, frames):
            note(frames)
            self.frames = {frames}
        Plugin.set_buffer_size = set_buffer_size
        read = Plugin.read_audio
        def read_audio(self, buffer):
            assert buffer.data.shape == (2, {frames})
            return read(self, buffer)
        Plugin.read_audio = read_audio
        """
    )
    line = make_source(path, num_buffers=4)
    line.play()

    assert np.array_equal(line.pull_all(), count(4 * BLOCK))
    assert journal() == [[512], [frames]]


@pytest.mark.parametrize(
    "answer", ["1024", "0", "-5", "None", "'x'", "1 / 0", "512"]
)
def test_5_6_anything_else_is_a_block(make_source, write_source, answer):
    path = write_source(
        f"""
        Plugin.get_buffer_size = lambda self: {answer}
        read = Plugin.read_audio
        def read_audio(self, buffer):
            assert buffer.data.shape == (2, 512)
            return read(self, buffer)
        Plugin.read_audio = read_audio
        """
    )
    line = make_source(path, num_buffers=2)
    line.play()

    assert np.array_equal(line.pull_all(), count(2 * BLOCK))


def test_6_1_source_finds_zeros_in_the_same_array(make_source, write_source):
    path = write_source(
        """
        read = Plugin.read_audio
        def read_audio(self, buffer):
            assert not buffer.data.any()
            data = buffer.data
            assert data.dtype == np.float32 and data.flags.c_contiguous
            assert data.flags.writeable and data.flags.aligned
            self.seen = getattr(self, "seen", (buffer, data))
            assert self.seen[0] is buffer and self.seen[1] is data
            return read(self, buffer)
        Plugin.read_audio = read_audio
        """
    )
    line = make_source(path, num_buffers=4)
    line.play()

    assert np.array_equal(line.pull_all(), count(4 * BLOCK))
    assert line.get_stat("num-failures") == 0


def test_6_1_3_bits_survive(make_source, write_source):
    path = write_source(
        """
        def read_audio(self, buffer):
            bits = buffer.data.view(np.uint32)
            bits[:] = np.random.default_rng(1).integers(
                0, 2**32, bits.shape, dtype=np.uint32)
            bits[:, :3] = 0x7FA00001, 1, 0xFF800000
            return True
        Plugin.read_audio = read_audio
        """
    )
    bits = np.random.default_rng(1).integers(
        0, 2**32, (2, BLOCK), dtype=np.uint32
    )
    bits[:, :3] = 0x7FA00001, 1, 0xFF800000
    line = make_source(path, num_buffers=1)
    line.play()

    assert np.array_equal(line.pull_all().view(np.uint32), bits.T)


def test_6_1_4_rebound_data_is_taken(make_source, write_source):
    path = write_source(
        """
        def read_audio(self, buffer):
            buffer.data = np.full((2, 512), 0.25)
            return True
        Plugin.read_audio = read_audio
        """
    )
    line = make_source(path, num_buffers=2)
    line.play()

    assert (line.pull_all() == 0.25).all()


@pytest.mark.parametrize(
    "answer", ["False", "None", "np.bool_(False)", "0", "[]"]
)
def test_6_2_false_is_no_block_and_no_time(
    gst, make_source, write_source, answer
):
    path = write_source(
        f"""
        read = Plugin.read_audio
        def read_audio(self, buffer):
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls in (1, 3, 4, 5):
                buffer.data[:] = 99
                return {answer}
            return read(self, buffer)
        Plugin.read_audio = read_audio
        """
    )
    line = make_source(path, num_buffers=3)
    line.play()

    pulled = [line.pull() for _ in range(3)]

    assert np.array_equal(
        np.concatenate([frames for _, frames in pulled]), count(3 * BLOCK)
    )
    assert [buffer.offset for buffer, _ in pulled] == [0, BLOCK, 2 * BLOCK]
    assert line.get_stat("num-retries") == 4
    assert line.get_stat("num-failures") == 0


@pytest.mark.parametrize(
    "fault",
    ["raise ValueError('no')", "sys.exit(3)", "return np.zeros(2) == 0"],
)
def test_6_2_exception_is_nothing_now_and_a_failure(
    gst, make_source, write_source, fault
):
    path = write_source(
        f"""
        import sys
        read = Plugin.read_audio
        def read_audio(self, buffer):
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls == 2:
                {fault}
            return read(self, buffer)
        Plugin.read_audio = read_audio
        """
    )
    line = make_source(path, num_buffers=2)
    line.play()

    assert np.array_equal(line.pull_all(), count(2 * BLOCK))
    assert line.wait(gst.MessageType.WARNING)
    assert line.get_stat("num-failures") == 1
    assert line.get_stat("num-retries") == 1


def test_7_4_parameter_is_set_while_the_source_rests(
    gst, make_source, write_source
):
    line = make_source(write_source())
    line.pipeline.set_state(gst.State.READY)

    line.element.emit("set-parameter", "mood", "blue")

    assert line.element.emit("get-parameter", "mood") == "blue"
    line.play()
    line.pull()
    line.element.emit("set-parameter", "mood", "true")
    assert line.element.emit("get-parameter", "mood") == "true"


def test_9_2_stop_unblocks_a_read(gst, make_source, write_source, journal):
    path = write_source(
        """
        released = threading.Event()
        def read_audio(self, buffer):
            note("in")
            return released.wait(600)
        def stop(self):
            note("stop")
            released.set()
        Plugin.read_audio, Plugin.stop = read_audio, stop
        """
    )
    line = make_source(path)
    line.play()
    while ["in"] not in journal():
        os.sched_yield()

    assert line.stop() == gst.StateChangeReturn.SUCCESS
    assert ["stop"] in journal()


def test_4_2_restart_uses_the_same_instance(gst, make_source, write_source):
    line = make_source(write_source())
    line.play()
    first = line.pull()[1]
    line.pipeline.set_state(gst.State.READY)
    line.play()

    buffer, again = line.pull()
    while buffer.offset:  # what appsink still has of the first time
        buffer, again = line.pull()

    assert first[0, 0] == 0 and again[0, 0] > 0


# --- time, by a clock that only the test moves ---


@pytest.fixture
def clock(gst):
    import gi

    gi.require_version("GstCheck", "1.0")
    from gi.repository import GstCheck

    return GstCheck.TestClock.new()


def block_end(gst, n):
    return (n + 1) * BLOCK * gst.SECOND // 48000


def test_6_2_1_a_block_is_read_when_its_last_frame_is_due(
    gst, make_source, write_source, clock
):
    line = make_source(write_source(), clock)
    line.play()

    for n in range(5):
        waits = clock.wait_for_next_pending_id()
        assert gst.Clock.id_get_time(waits) == block_end(gst, n)
        assert line.get_stat("num-blocks") == n
        clock.crank()
        buffer, _ = line.pull()
        assert buffer.pts == n * BLOCK * gst.SECOND // 48000
    assert line.get_stat("num-late") == 0


def test_6_2_1_after_a_stall_it_catches_up(
    gst, make_source, write_source, clock
):
    line = make_source(write_source(), clock)
    line.play()
    clock.wait_for_next_pending_id()

    clock.set_time(block_end(gst, 9))
    pulled = []
    for _ in range(10):
        clock.wait_for_next_pending_id()
        clock.process_next_clock_id()  # which has come already
        pulled.append(line.pull())

    assert [b.offset for b, _ in pulled] == [n * BLOCK for n in range(10)]
    waits = clock.wait_for_next_pending_id()
    assert gst.Clock.id_get_time(waits) == block_end(gst, 10)
    assert line.get_stat("num-discontinuities") == 0
    assert line.get_stat("num-late") == 8


@pytest.fixture
def moody_source(write_source):
    return write_source(
        """
        read = Plugin.read_audio
        def read_audio(self, buffer):
            return read(self, buffer) if self.mood == "true" else False
        Plugin.read_audio = read_audio
        """
    )


def test_6_2_after_a_block_without_data_time_begins_anew(
    gst, make_source, moody_source, clock
):
    line = make_source(moody_source, clock)
    line.play()
    clock.crank()
    line.pull()
    clock.wait_for_next_pending_id()
    line.element.emit("set-parameter", "mood", "false")
    while clock.get_time() < 100 * gst.MSECOND:
        clock.crank()
    clock.wait_for_next_pending_id()  # it has been asked, in vain
    line.element.emit("set-parameter", "mood", "true")
    clock.crank()

    buffer, frames = line.pull()

    now = clock.get_time()
    assert buffer.get_flags() & gst.BufferFlags.DISCONT
    assert now - block_end(gst, 0) <= buffer.pts <= now
    assert buffer.offset == BLOCK and frames[0, 0] == BLOCK
    assert line.get_stat("num-discontinuities") == 1
    assert line.get_stat("num-retries") > 50


def test_6_2_less_than_a_block_without_data_moves_no_time(
    gst, make_source, moody_source, clock
):
    line = make_source(moody_source, clock)
    line.play()
    clock.crank()
    line.pull()
    clock.wait_for_next_pending_id()
    line.element.emit("set-parameter", "mood", "false")
    for _ in range(5):
        clock.crank()
    clock.wait_for_next_pending_id()  # it has been asked, in vain
    line.element.emit("set-parameter", "mood", "true")
    clock.crank()

    buffer, _ = line.pull()

    assert buffer.pts == block_end(gst, 0)
    assert not buffer.get_flags() & gst.BufferFlags.DISCONT
    assert line.get_stat("num-discontinuities") == 0


def test_rest_of_a_block_goes_out_before_a_gap(
    gst, make_source, write_source, clock
):
    path = write_source(
        """
        read = Plugin.read_audio
        def read_audio(self, buffer):
            return read(self, buffer) if self.mood == "true" else False
        Plugin.read_audio = read_audio
        Plugin.get_buffer_size = lambda self: 300
        """
    )
    line = make_source(path, clock)
    line.play()
    clock.crank()
    clock.crank()
    assert len(line.pull()[1]) == BLOCK
    clock.wait_for_next_pending_id()
    line.element.emit("set-parameter", "mood", "false")
    while clock.get_time() < 100 * gst.MSECOND:
        clock.crank()
    clock.wait_for_next_pending_id()  # it has been asked, in vain
    line.element.emit("set-parameter", "mood", "true")
    clock.crank()

    _, rest = line.pull()
    clock.crank()
    buffer, frames = line.pull()

    assert len(rest) == 2 * 300 - BLOCK and rest[0, 0] == BLOCK
    assert buffer.get_flags() & gst.BufferFlags.DISCONT
    assert len(frames) == BLOCK and frames[0, 0] == 600


def test_latency_is_a_block(gst, make_source, write_source, clock):
    line = make_source(write_source(), clock)
    line.play()
    clock.crank()
    line.pull()
    query = gst.Query.new_latency()

    assert line.element.get_static_pad("src").query(query)

    live, low, high = query.parse_latency()
    assert live and low == block_end(gst, 0)
    assert high == gst.CLOCK_TIME_NONE
