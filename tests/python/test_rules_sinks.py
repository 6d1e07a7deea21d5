# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a sink may count on, rule by rule of the plugin contract."""

import os

import numpy as np
import pytest

from lines import Line
from roles import SINK, kept_frames

BLOCK = 512


@pytest.fixture
def write_sink(write_plugin, journal):
    return lambda text="": write_plugin(text, base=SINK)


@pytest.fixture
def make_sink(make_line):
    def make(plugin, channels=2, clock=None, before="", **props):
        props.setdefault("sync", clock is not None)
        line = make_line(
            f"appsrc name=src format=time ! {before} ndapysink name=py",
            plugin,
            clock,
            **props,
        )
        line.set_format(channels)
        return line

    return make


@pytest.fixture
def play(make_sink):
    """Plays buffers to their end; the line, and the error if there is one."""

    def play_buffers(plugin, buffers, **options):
        line = make_sink(plugin, **options)
        line.play()
        line.push_to_end(buffers)
        return line, line.wait_for_end()

    return play_buffers


@pytest.mark.parametrize("sizes", [[BLOCK] * 3, [1, 511, 513, 4096, 100]])
def test_every_frame_arrives(play, write_sink, noise, sizes):
    pushed = noise(sum(sizes))

    line, error = play(
        write_sink(), np.split(pushed, np.cumsum(sizes)[:-1])
    )

    assert error is None
    assert np.array_equal(kept_frames(), pushed)
    assert line.get_stat("num-frames") == len(pushed)
    assert line.get_stat("num-blocks") == -(-len(pushed) // BLOCK)
    assert line.get_stat("num-retries") == line.get_stat("num-failures") == 0


def test_4_1_calls_come_in_order(play, write_sink, noise, journal):
    path = write_sink(
        """
        def noting(name, result):
            def method(self, *args):
                note(name, *args)
                return result
            return method

        for name, result in (
            ("initialize", True), ("set_parameter", True), ("start", True),
            ("stop", None), ("shutdown", None), ("set_sample_rate", None),
            ("set_buffer_size", None), ("get_available_space", 512),
        ):
            setattr(Plugin, name, noting(name, result))
        Plugin.write_audio = lambda self, buffer: note("write") or True
        """
    )
    line, error = play(path, [noise(BLOCK)], parameters="a=1")
    line.stop()

    assert error is None
    assert journal() == [
        ["initialize"],
        ["set_parameter", "a", "1"],
        ["set_buffer_size", BLOCK],
        ["start"],
        ["get_available_space"],
        ["write"],
        ["stop"],
        ["shutdown"],
    ]


def test_4_2_restart_uses_the_same_instance(gst, make_sink, write_sink, noise):
    path = write_sink(
        """
        instances = 0
        def initialize(self):
            note("initialize")
            return True
        Plugin.initialize = initialize
        """
    )
    line = make_sink(path)
    for _ in range(2):
        line.play()
        line.push(noise(BLOCK + 5))
        line.src.emit("end-of-stream")
        assert line.wait_for_end() is None
        line.pipeline.set_state(gst.State.READY)

    assert len(kept_frames()) == 2 * (BLOCK + 5)


def test_start_that_fails_ends_the_stream(play, write_sink, noise):
    _, error = play(
        write_sink("Plugin.start = lambda self: False"), [noise(BLOCK)]
    )

    assert "start ()" in error.message


@pytest.mark.parametrize("rate", [44100, 96000, 8000])
def test_5_2_another_rate_is_resampled(play, write_sink, rate):
    path = write_sink(f"Plugin.get_sample_rate = lambda self: {rate}")
    time = np.arange(20 * BLOCK) / 48000
    tone = np.sin(2 * np.pi * 997 * time).astype(np.float32)

    line, error = play(path, [np.stack([tone, tone], 1)])

    kept = kept_frames()
    expected = np.sin(2 * np.pi * 997 / rate * np.arange(len(kept)))
    middle = slice(500, len(kept) - 500)
    assert error is None
    assert abs(len(kept) - len(tone) * rate / 48000) <= 8
    assert np.abs(kept[middle, 0] - expected[middle]).max() < 0.05


@pytest.mark.parametrize("channels", [1, 2, 3, 64])
def test_5_3_caps_follow_the_plugin(
    gst, make_sink, write_sink, noise, channels
):
    path = write_sink(f"Plugin.get_channel_count = lambda self: {channels}")
    line = make_sink(path, channels)
    line.pipeline.set_state(gst.State.READY)
    caps = line.element.get_static_pad("sink").query_caps(None)
    counts = {
        int(text.split(")")[1])
        for text in caps.to_string().replace(";", ",").split(",")
        if text.strip().startswith("channels=(int)")
    }
    pushed = noise(BLOCK, channels)

    line.play()
    line.push(pushed)
    line.src.emit("end-of-stream")

    assert line.wait_for_end() is None
    assert np.array_equal(kept_frames(channels), pushed)
    assert counts == ({1, 2} if channels <= 2 else {channels})


def test_5_4_mono_after_the_start_gets_the_mean(play, write_sink, noise):
    path = write_sink(
        """
        def start(self):
            self.channels = 1
            return True
        Plugin.start = start
        """
    )
    pushed = noise(BLOCK)

    _, error = play(path, [pushed])

    assert error is None
    assert np.array_equal(
        kept_frames(1)[:, 0],
        np.float32(0.5) * (pushed[:, 0] + pushed[:, 1]),
    )


def test_5_5_mono_is_doubled(play, write_sink, noise):
    pushed = noise(BLOCK, 1)

    _, error = play(write_sink(), [pushed], channels=1)

    assert error is None
    assert np.array_equal(kept_frames(), np.repeat(pushed, 2, 1))


@pytest.mark.parametrize("frames", [256, 300, 64])
def test_5_6_short_buffers_are_cut(play, write_sink, noise, frames, journal):
    path = write_sink(
        f"""
        Plugin.get_buffer_size = lambda self: {frames}
        Plugin.set_buffer_size = lambda self, frames: note("size", frames)
        def write_audio(self, buffer):
            note(buffer.data.shape[1])
            self.keep(buffer)
            return True
        Plugin.write_audio = write_audio
        """
    )
    pushed = noise(4 * BLOCK)

    _, error = play(path, np.split(pushed, 4))

    sizes = [entry[0] for entry in journal() if len(entry) == 1]
    assert error is None
    assert np.array_equal(kept_frames(), pushed)
    assert set(sizes[:-1]) == {frames}
    assert sizes[-1] == (4 * BLOCK) % frames or sizes[-1] == frames
    assert [e[1] for e in journal() if len(e) == 2] == [BLOCK, frames]


@pytest.mark.parametrize("answer", ["1024", "0", "None", "1 / 0"])
def test_5_6_anything_else_is_a_block(play, write_sink, noise, answer):
    path = write_sink(
        f"""
        Plugin.get_buffer_size = lambda self: {answer}
        def write_audio(self, buffer):
            assert buffer.data.shape == (2, 512)
            self.keep(buffer)
            return True
        Plugin.write_audio = write_audio
        """
    )
    pushed = noise(2 * BLOCK)

    _, error = play(path, [pushed])

    assert error is None and np.array_equal(kept_frames(), pushed)


def test_6_1_3_bits_survive(play, write_sink):
    bits = np.random.default_rng(1).integers(
        0, 2**32, (BLOCK * 4 + 100, 2), dtype=np.uint32
    )
    bits[0, 0], bits[1, 0], bits[2, 0] = 0x7FA00001, 0x00000001, 0xFF800000

    _, error = play(write_sink(), [bits.view(np.float32)])

    assert error is None
    assert np.array_equal(kept_frames().view(np.uint32), bits)


def test_6_1_7_short_last_block_has_its_exact_frames(
    play, write_sink, noise, journal
):
    path = write_sink(
        """
        def write_audio(self, buffer):
            note(buffer.get_frame_count(), buffer.get_channel_count())
            self.keep(buffer)
            return True
        Plugin.write_audio = write_audio
        """
    )
    pushed = noise(2 * BLOCK + 100)

    play(path, [pushed])

    assert journal() == [[BLOCK, 2], [BLOCK, 2], [100, 2]]
    assert np.array_equal(kept_frames(), pushed)


@pytest.mark.parametrize(
    "fault, failures",
    [
        ("return False", 0),
        ("return None", 0),
        ("return np.bool_(False)", 0),
        ("raise ValueError('full')", 3),
        ("sys.exit(1)", 3),
        ("return np.zeros(2) == 0", 3),
    ],
)
def test_6_2_the_same_block_is_offered_again(
    play, write_sink, noise, fault, failures
):
    path = write_sink(
        f"""
        import sys
        def write_audio(self, buffer):
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls in (2, 3, 4):
                self.keep(buffer)
                buffer.data[:] = 99  # travels nowhere
                buffer.data = None
                {fault}
            self.keep(buffer)
            return True
        Plugin.write_audio = write_audio
        """
    )
    pushed = noise(3 * BLOCK)

    line, error = play(path, [pushed])

    blocks = np.split(pushed, 3)
    assert error is None
    assert np.array_equal(
        kept_frames(),
        np.concatenate([blocks[0]] + [blocks[1]] * 4 + [blocks[2]]),
    )
    assert line.get_stat("num-retries") == 3
    assert line.get_stat("num-failures") == failures
    assert line.get_stat("num-blocks") == 3


def test_6_2_2_nothing_is_written_before_there_is_room(
    play, write_sink, noise, journal
):
    path = write_sink(
        """
        room = iter([0, 100, 511, 512, 4096, 512])
        def get_available_space(self):
            note("room")
            return next(room)
        def write_audio(self, buffer):
            note("write")
            self.keep(buffer)
            return True
        Plugin.get_available_space = get_available_space
        Plugin.write_audio = write_audio
        """
    )
    pushed = noise(3 * BLOCK)

    line, error = play(path, [pushed])

    assert error is None
    assert [name for name, in journal()] == (
        ["room"] * 4 + ["write"] + ["room", "write"] * 2
    )
    assert line.get_stat("num-retries") == 0


@pytest.mark.parametrize("answer", ["0", "-1", "float('nan')"])
def test_6_2_2_nonsense_about_room_costs_one_wait(
    play, write_sink, noise, journal, answer
):
    path = write_sink(
        f"""
        def get_available_space(self):
            note("room")
            return {answer}
        Plugin.get_available_space = get_available_space
        """
    )
    pushed = noise(10 * BLOCK)

    _, error = play(path, [pushed])

    assert error is None
    assert np.array_equal(kept_frames(), pushed)
    # 100 ms, of 5 ms and its answer each, then once a block
    assert 2 + 9 <= len(journal()) <= 21 + 9


@pytest.mark.parametrize("answer", ["1 / 0", "'x'", "None"])
def test_6_2_2_no_answer_is_room_for_a_block(
    play, write_sink, noise, answer
):
    path = write_sink(f"Plugin.get_available_space = lambda self: {answer}")
    pushed = noise(3 * BLOCK)

    _, error = play(path, [pushed])

    assert error is None and np.array_equal(kept_frames(), pushed)


def test_6_2_2_a_sink_that_drops_its_oldest_loses_nothing(
    play, write_sink, noise
):
    path = write_sink(
        """
        import collections
        def start(self):
            self.ring = collections.deque(maxlen=4)
            self.playing = threading.Thread(target=self.play)
            self.going = True
            self.playing.start()
            return True
        def play(self):
            import time
            while self.going or self.ring:
                if self.ring:
                    with open(os.environ["NDA_TEST_JOURNAL"] + ".f32",
                              "ab") as kept:
                        kept.write(self.ring.popleft())
                time.sleep(0.002)
        def get_available_space(self):
            return 512 * (4 - len(self.ring))
        def write_audio(self, buffer):
            self.ring.append(buffer.data.T.tobytes())
            return True
        def stop(self):
            self.going = False
            self.playing.join()
        Plugin.start, Plugin.play, Plugin.stop = start, play, stop
        Plugin.get_available_space = get_available_space
        Plugin.write_audio = write_audio
        """
    )
    pushed = noise(40 * BLOCK)

    line, error = play(path, [pushed])
    line.stop()

    assert error is None and np.array_equal(kept_frames(), pushed)


def test_6_2_3_budget_is_over_and_the_stream_ends(play, write_sink, noise):
    path = write_sink("Plugin.write_audio = lambda self, buffer: False")

    line, error = play(path, [noise(BLOCK)], write_budget=20_000_000)

    assert "20 ms" in error.message and "write-budget" in error.message
    # at once, then 0 to 20 ms
    assert 2 <= line.get_stat("num-retries") <= 6
    assert line.get_stat("num-blocks") == 0


def test_6_2_3_what_a_sink_raises_is_in_the_error(play, write_sink, noise):
    path = write_sink(
        """
        def write_audio(self, buffer):
            raise OSError("the disk is full")
        Plugin.write_audio = write_audio
        """
    )

    _, error = play(path, [noise(BLOCK)], write_budget=20_000_000)

    assert "OSError: the disk is full" in error.message
    assert "20 ms" in error.message and "write-budget" in error.message


def test_6_2_3_budget_counts_the_time_in_the_plugin(play, write_sink, noise):
    path = write_sink(
        """
        import time

        def write_audio(self, buffer):
            time.sleep(0.05)
            return False
        Plugin.write_audio = write_audio
        """
    )

    line, error = play(path, [noise(BLOCK)], write_budget=100_000_000)

    assert "100 ms" in error.message
    assert line.get_stat("num-retries") <= 4  # not 21


def test_6_2_3_what_nobody_took_is_not_counted_as_played(
    gst, write_sink, noise
):
    path = write_sink(
        """
        def get_sample_rate(self): return 44100
        def write_audio(self, buffer): os._exit(1)
        Plugin.get_sample_rate = get_sample_rate
        Plugin.write_audio = write_audio
        """
    )
    line = Line(
        gst,
        "appsrc name=src format=time ! ndapysink name=py",
        path,
        isolation="process",
        restart="never",
    )
    line.set_format(2)
    line.play()
    line.push_to_end(np.split(noise(20 * BLOCK), 20))

    assert line.wait_for_end() is None
    # those of which nothing was due are in the fit
    assert line.get_stat("num-blocks") <= 4
    line.stop()


def test_7_4_parameter_is_set_between_blocks(make_sink, write_sink, noise):
    line = make_sink(write_sink())
    line.play()
    line.push(noise(BLOCK))

    line.element.emit("set-parameter", "mood", "blue")

    assert line.element.emit("get-parameter", "mood") == "blue"


def test_9_2_stop_unblocks_a_write(
    gst, make_sink, write_sink, noise, journal
):
    path = write_sink(
        """
        released = threading.Event()
        def write_audio(self, buffer):
            note("in")
            return released.wait(600)
        def stop(self):
            note("stop")
            released.set()
        Plugin.write_audio, Plugin.stop = write_audio, stop
        """
    )
    line = make_sink(path)
    line.play()
    line.push(noise(BLOCK))
    line.push(noise(BLOCK))
    while ["in"] not in journal():
        os.sched_yield()

    assert line.stop() == gst.StateChangeReturn.SUCCESS
    assert ["stop"] in journal()


def test_pause_and_play_lose_nothing(gst, make_sink, write_sink, noise):
    pushed = noise(50 * BLOCK)
    line = make_sink(write_sink())
    line.play()
    blocks = iter(np.split(pushed, 50))
    for n, frames in enumerate(blocks):
        line.push(frames)
        if n % 10 == 3:
            # not in haste: GStreamer loses its way then, fakesink's too
            line.pipeline.get_state(gst.CLOCK_TIME_NONE)
            line.pipeline.set_state(gst.State.PAUSED)
            line.push(next(blocks))  # to preroll on
            line.pipeline.get_state(gst.CLOCK_TIME_NONE)
            line.play()
    line.src.emit("end-of-stream")

    assert line.wait_for_end() is None
    assert np.array_equal(kept_frames(), pushed)


# --- time, by a clock that only the test moves ---


@pytest.fixture
def clock(gst):
    import gi

    gi.require_version("GstCheck", "1.0")
    from gi.repository import GstCheck

    return GstCheck.TestClock.new()


def test_6_2_2_a_big_buffer_is_written_at_the_clock_s_pace(
    gst, make_sink, write_sink, noise, clock
):
    line = make_sink(write_sink(), clock=clock)
    line.play()
    line.push(noise(4 * BLOCK))

    for n in range(4):
        waits = clock.wait_for_next_pending_id()
        assert (
            gst.Clock.id_get_time(waits) == n * BLOCK * gst.SECOND // 48000
        )
        assert line.get_stat("num-blocks") == n
        clock.crank()


def test_6_2_4_what_it_changes_travels_nowhere(
    make_sink, write_sink, noise
):
    path = write_sink(
        """
        def write_audio(self, buffer):
            buffer.data[:] = 9
            return True
        Plugin.write_audio = write_audio
        """
    )
    line = make_sink(
        path,
        before="tee name=t ! queue ! appsink name=sink sync=false t. ! "
        "queue !",
    )
    pushed = noise(4 * BLOCK)
    line.play()
    line.push_to_end(np.split(pushed, 4))

    assert np.array_equal(line.pull_all(), pushed)
    assert line.wait_for_end() is None
