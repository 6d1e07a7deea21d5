# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Any frames, any rate, nothing lost: section 4 of the second door.

The arithmetic has tests of its own (tests/check/python/adapter.c). Here are
plugins in pipelines, in both isolations.
"""

import numpy as np
import pytest

from delays import (
    BLOCK,
    SECOND,
    any_bits,
    delaying,
    held_by,
    latency_of,
    push_and_set,
)

PASSTHROUGH = """
from nda import Processor

class Plugin(Processor):
    frames = {frames}
    rate = {rate}
    channels = {channels}

    def process(self, block):
        assert block.shape[1] == self.frames
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="plugin", **values):
        path = tmp_path / f"{name}.py"
        path.write_text(text.format(**values) if values else text)
        return path

    return write_file


def passthrough(write, frames, rate=48000, channels=None, name="plugin"):
    return write(
        PASSTHROUGH, name, frames=frames, rate=rate, channels=channels
    )


def cut(frames, seed=0):
    """In pieces of any length."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum(rng.integers(1, 1500, len(frames)))
    return np.split(frames, ends[ends < len(frames)])


def assert_same(outcome, frames):
    """Every bit and every time stamp, in blocks."""
    assert outcome.error is None, outcome.debug
    assert outcome.frames.tobytes() == frames.tobytes()
    at = 0
    for buffer, block in zip(outcome.buffers, outcome.blocks):
        assert len(block) <= BLOCK
        assert buffer.pts == at * SECOND // 48000
        assert buffer.offset == at
        at += len(block)
        assert buffer.pts + buffer.duration == at * SECOND // 48000
        assert buffer.offset_end == at
    short = [len(block) for block in outcome.blocks if len(block) < BLOCK]
    assert len(short) <= 2


# --- every frame, in its place -----------------------------------------------


# Each of the frames with some of 1 to 8 channels; tests/check/python/adapter.c
# has each with each
FRAMES_AND_CHANNELS = {
    **dict.fromkeys([1, 31, 256, 480, 512, 513, 4096, 48000], [1, 2, 8]),
    **dict.fromkeys([80, 240, 441, 1024], [3, 5]),
    **dict.fromkeys([160, 320, 960, 1280], [4, 6, 7]),
}


@pytest.mark.parametrize(
    "frames, channels",
    [(f, c) for f, counts in FRAMES_AND_CHANNELS.items() for c in counts],
)
def test_every_bit_comes_back(run, write, frames, channels):
    sound = any_bits(2000 if frames == 1 else 3 * frames + 9000, channels)

    outcome = run(passthrough(write, frames), cut(sound), channels=channels)

    assert_same(outcome, sound)
    assert outcome.stats.get_value("num-frames") == len(sound)
    assert outcome.stats.get_value("num-blocks") == -(-len(sound) // frames)


@pytest.mark.parametrize("layout", ["interleaved", "non-interleaved"])
@pytest.mark.parametrize("frames", [128, 480])
def test_planes_come_back_too(make_bridge, write, frames, layout):
    bridge = make_bridge(passthrough(write, frames), layout=layout)
    sound = any_bits(20 * BLOCK)
    planes = sound.reshape(20, BLOCK, 2)
    if layout != "interleaved":
        planes = planes.transpose(0, 2, 1).reshape(20, BLOCK, 2)
    bridge.play()

    bridge.push_to_end(planes)

    pulled = []
    while (one := bridge.pull()) is not None:
        block = one[1]
        if layout != "interleaved":
            block = block.reshape(2, -1).T
        pulled.append(block)
    assert np.concatenate(pulled).tobytes() == sound.tobytes()


# Each rate, and each length; tests/check/python/adapter.c has each with each
RATES_AND_FRAMES = {
    8000: 80,
    11025: 160,
    16000: 256,
    22050: 320,
    24000: 480,
    32000: 512,
    44100: 480,
    96000: 320,
}


@pytest.mark.parametrize("rate, frames", RATES_AND_FRAMES.items())
def test_as_many_frames_come_back_from_other_rates(run, write, rate, frames):
    time = np.arange(60000) / 48000
    sound = np.stack([np.sin(2 * np.pi * 997 * time)] * 2, axis=1)
    sound = 0.5 * sound.astype(np.float32)

    outcome = run(passthrough(write, frames, rate, 1), cut(sound))

    assert outcome.error is None
    assert outcome.frames.shape == sound.shape
    middle = slice(5000, -5000)
    wrong = outcome.frames[middle] - sound[middle]
    assert np.sqrt(np.mean(wrong**2)) < 0.35 * 10 ** (-125 / 20)


@pytest.mark.parametrize("latency", [1, 72, 512, 4800])
@pytest.mark.parametrize("frames", [480, 512])
def test_declared_delay_is_taken_out(run, write, frames, latency):
    sound = any_bits(2 * latency + 5000)

    outcome = run(
        write(delaying(frames=frames, latency=latency)), cut(sound, latency)
    )

    assert_same(outcome, sound)


def test_click_through_the_limiter_is_where_its_time_stamp_says(run):
    sound = np.zeros((20 * BLOCK, 2), np.float32)
    sound[3000] = 0.5

    outcome = run("limiter", np.split(sound, 20))

    assert len(outcome.frames) == len(sound)
    assert np.argmax(np.abs(outcome.frames[:, 0])) == 3000


def test_end_of_a_talk_through_denoise_is_heard(run):
    rng = np.random.default_rng(1)
    sound = np.zeros((100 * BLOCK, 1), np.float32)
    sound[-2000:, 0] = rng.uniform(-0.5, 0.5, 2000)

    outcome = run("denoise", np.split(sound, 100), channels=1)

    assert len(outcome.frames) == len(sound)
    heard, spoken = outcome.frames[-2000:, 0], sound[-2000:, 0]
    assert np.argmax(np.correlate(heard, spoken, "full")) == 1999
    assert np.abs(heard[-100:]).max() > 0.1


# --- as soon as it can ------------------------------------------------------


def drive(bridge, sound, held):
    """Each block that comes lets one leave, `held` frames behind it."""
    left = 0
    for n in range(1, len(sound) // BLOCK + 1):
        bridge.push(sound[(n - 1) * BLOCK : n * BLOCK])
        until = n * BLOCK - held
        if until <= left:
            continue
        sample = bridge.sink.emit("try-pull-sample", 60 * SECOND)
        assert sample is not None, "a block leaves later than it could"
        n_frames = sample.get_buffer().get_size() // 8
        assert left + n_frames == until
        left = until
    assert bridge.sink.emit("try-pull-sample", 0) is None


@pytest.mark.parametrize(
    "frames, latency",
    [*((frames, 0) for frames in FRAMES_AND_CHANNELS), (512, 72), (1024, 5)],
)
def test_reported_latency_is_that_of_each_block(
    gst, make_bridge, write, frames, latency
):
    bridge = make_bridge(write(delaying(frames=frames, latency=latency)))
    held = held_by(frames, latency)
    bridge.play()

    drive(bridge, any_bits((held // BLOCK + 20) * BLOCK), held)

    assert latency_of(gst, bridge) == held * SECOND // 48000


def test_chain_costs_the_sum_of_its_delays(gst, make_line, write):
    one, two = (
        passthrough(write, frames, name=f"p{frames}") for frames in (480, 960)
    )
    bridge = make_line(
        "appsrc name=src format=time ! "
        f"ndapybridge plugin={one} ! ndapybridge plugin=limiter ! "
        f"ndapybridge plugin=passthrough ! ndapybridge plugin={one} ! "
        "ndapybridge name=py ! appsink name=sink sync=false wait-on-eos=false",
        two,
    )
    bridge.set_format(2)
    bridge.play()

    drive(bridge, 0.5 * np.ones((60 * BLOCK, 2)), 2 * 448 + 72 + 896)

    query = gst.Query.new_latency()
    assert bridge.element.get_static_pad("src").query(query)
    each = [frames * SECOND // 48000 for frames in (448, 72, 448, 896)]
    assert query.parse_latency()[1] == sum(each)


LATE = """
import numpy as np

def set_parameter(self, key, value):
    self.latency = int(value)
def process_audio(self, buffer):
    self.line = np.hstack([self.line, buffer.data])
    end = self.line.shape[1] - self.latency
    buffer.data[:] = self.line[:, end - 512 : end]
    return True
Plugin.latency = 72
Plugin.line = np.zeros((1, 20000), np.float32)
Plugin.set_parameter = set_parameter
Plugin.process_audio = process_audio
Plugin.get_processing_latency = lambda self: self.latency / 48000
"""


@pytest.mark.parametrize("latency", [0, 71, 4800])
def test_latency_that_changes_keeps_each_frame_in_its_place(
    gst, make_bridge, write_plugin, latency
):
    """An API 1 plugin that is told another latency while sound runs."""
    bridge = make_bridge(write_plugin(LATE), channels=1, max_blocks=1)
    sound = np.arange(1, 60 * BLOCK + 1, dtype=np.float32).reshape(-1, 1)
    bridge.play()

    push_and_set(bridge, sound, "latency", latency)

    at = 0
    while (one := bridge.pull()) is not None:
        buffer, block = one
        assert buffer.pts == at * SECOND // 48000
        right = sound[at : at + len(block)]
        # silence where the plugin left frames out
        assert np.all((block == right) | (block == 0))
        at += len(block)
    assert at == len(sound)
    assert latency_of(gst, bridge) == latency * SECOND // 48000


# --- what does not belong together ------------------------------------------


def push_at(gst, bridge, frames, at, flags=0):
    buffer = gst.Buffer.new_wrapped(frames.tobytes())
    buffer.pts = at * SECOND // 48000
    buffer.set_flags(flags)
    bridge.src.emit("push-buffer", buffer)


@pytest.mark.parametrize("latency", [0, 700])
def test_stretches_on_both_sides_of_a_cut_stay_apart(
    gst, make_bridge, write, latency
):
    bridge = make_bridge(write(delaying(frames=480, latency=latency)))
    sound = any_bits(20 * BLOCK)
    first, second = np.split(sound, [5000])
    bridge.play()

    push_at(gst, bridge, first, 0)
    push_at(gst, bridge, second, 96000, gst.BufferFlags.DISCONT)
    bridge.src.emit("end-of-stream")

    stretches = {0: [], 96000: []}
    while (one := bridge.pull()) is not None:
        buffer, block = one
        n = -(-buffer.pts * 48000 // SECOND)
        start = 0 if n < 96000 else 96000
        assert n == start + sum(map(len, stretches[start]))
        if buffer.has_flags(gst.BufferFlags.DISCONT):
            assert n in (0, 96000)
        stretches[start].append(block)
    assert np.concatenate(stretches[0]).tobytes() == first.tobytes()
    assert np.concatenate(stretches[96000]).tobytes() == second.tobytes()


def test_flush_leaves_nothing_of_what_was_before(gst, make_bridge, write):
    bridge = make_bridge(write(delaying(frames=480, latency=700)))
    before, after = np.split(any_bits(20 * BLOCK), 2)
    bridge.play()
    for block in np.split(before, 10):
        bridge.push(block)
    bridge.pull()

    pad = bridge.src.get_static_pad("src")
    pad.push_event(gst.Event.new_flush_start())
    pad.push_event(gst.Event.new_flush_stop(True))
    segment = gst.Segment()
    segment.init(gst.Format.TIME)
    pad.push_event(gst.Event.new_segment(segment))
    bridge.n_pushed = 0
    bridge.push_to_end(np.split(after, 10))

    assert bridge.pull_all().tobytes() == after.tobytes()


def test_gap_stays_one_to_the_block(gst, make_bridge, write):
    bridge = make_bridge(passthrough(write, 480))
    sound = np.ones((20 * BLOCK, 2), np.float32)
    sound[5 * BLOCK : 10 * BLOCK] = 0
    bridge.play()

    for n, block in enumerate(np.split(sound, 20)):
        flags = gst.BufferFlags.GAP if 5 <= n < 10 else 0
        push_at(gst, bridge, block, n * BLOCK, flags)
    bridge.src.emit("end-of-stream")

    at = 0
    while (one := bridge.pull()) is not None:
        buffer, block = one
        is_within = 5 * BLOCK <= at and at + len(block) <= 10 * BLOCK
        assert buffer.has_flags(gst.BufferFlags.GAP) == is_within
        at += len(block)
    assert at == len(sound)


RESET = """
from nda import Processor

class Counts(Processor):
    frames = 480
    resets = 0

    def reset(self):
        self.resets += 1

    def process(self, block):
        block[:] = self.resets
"""


def test_plugin_is_told_of_a_cut(gst, make_bridge, write):
    bridge = make_bridge(write(RESET), channels=1)
    sound = np.zeros((1000, 1), np.float32)
    bridge.play()

    push_at(gst, bridge, sound, 0)
    push_at(gst, bridge, sound, 96000, gst.BufferFlags.DISCONT)
    push_at(gst, bridge, sound, 192000, gst.BufferFlags.DISCONT)
    bridge.src.emit("end-of-stream")

    expected = np.repeat([0, 1, 2], 1000)
    assert np.array_equal(bridge.pull_all()[:, 0], expected)


# --- failures ---------------------------------------------------------------

FAILING = """
from nda import Processor

class Fails(Processor):
    frames = {frames}
    calls = 0

    def process(self, block):
        self.calls += 1
        assert self.calls not in (4, 5)
        block *= 2
"""


@pytest.mark.parametrize(
    "policy, factor", [("silence", 0), ("passthrough", 1)]
)
@pytest.mark.parametrize("frames", [128, 480])
def test_failed_call_is_replaced_alone(run, write, frames, policy, factor):
    sound = np.arange(1, 10001, dtype=np.float32).reshape(-1, 1)

    outcome = run(
        write(FAILING, frames=frames),
        np.array_split(sound, 20),
        channels=1,
        on_error=policy,
    )

    expected = 2 * sound
    failed = slice(3 * frames, 5 * frames)
    expected[failed] = factor * sound[failed]
    assert_same(outcome, expected)
    assert outcome.stats.get_value("num-failures") == 2


DYING = """
import os
from nda import Processor

class Dies(Processor):
    frames, latency = 480, 480

    def start(self):
        self.line = None

    def process(self, block):
        if block[0, 0] == 3 * 480 + 1:
            os._exit(1)
        line = self.line
        self.line = block.copy()
        block[:] = 0 if line is None else line
"""


@pytest.mark.parametrize("isolation", ["process"], indirect=True)
def test_process_that_dies_shifts_nothing(run, write):
    sound = np.arange(1, 20001, dtype=np.float32).reshape(-1, 1)

    outcome = run(
        write(DYING),
        np.array_split(sound, 40),
        channels=1,
        on_error="silence",
    )

    assert outcome.error is None
    assert len(outcome.frames) == len(sound)
    heard = outcome.frames != 0
    assert np.array_equal(outcome.frames[heard], sound[heard])
    assert np.all(heard[: 2 * 480])
    assert outcome.stats.get_value("num-failures") >= 1


# --- channels and analysers --------------------------------------------------


def test_one_channel_gets_the_mean_and_goes_to_all(run, write):
    sound = np.random.default_rng(2).uniform(-1, 1, (9999, 2))
    sound = sound.astype(np.float32)

    outcome = run(passthrough(write, 480, channels=1), cut(sound))

    mean = (sound[:, :1] + sound[:, 1:]) / np.float32(2)
    assert_same(outcome, np.repeat(mean, 2, axis=1))


ANALYSER = """
from nda import Analyser

class Looks(Analyser):
    frames = 512
    rate = 16000
    channels = 1

    def analyse(self, block):
        assert block.shape == (1, 512)
        block[:] = 7
"""


def test_sound_passes_an_analyser_untouched(gst, make_bridge, write):
    bridge = make_bridge(write(ANALYSER))
    sound = any_bits(40 * BLOCK)
    bridge.play()

    drive(bridge, sound, 0)

    assert latency_of(gst, bridge) == 0
    assert bridge.get_stat("num-blocks") == 40 * BLOCK // 3 // 512
    assert bridge.get_stat("num-failures") == 0


def test_analyser_changes_no_bit(run, write):
    sound = any_bits(20000)

    outcome = run(write(ANALYSER), cut(sound))

    assert_same(outcome, sound)
