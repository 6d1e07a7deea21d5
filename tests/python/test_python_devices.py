# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndamicsrc and ndaspeakersink over a PortAudio that the test drives."""

import sys
import threading

import numpy as np
import pytest
from elements import BLOCK, make_run, no_complaints  # noqa: F401
from fake_portaudio import FakePortAudio

PACKAGES = ["pyaudio", "sounddevice"]


@pytest.fixture(params=PACKAGES)
def fake(monkeypatch, request):
    """One of the packages, as the only one that there is."""
    portaudio = FakePortAudio()
    for name in PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(
        sys.modules, request.param, getattr(portaudio, request.param)()
    )
    return portaudio


def noise(n_frames):
    random = np.random.default_rng(6)
    return random.uniform(0.1, 1, (2, n_frames)).astype(np.float32)


def stat(element, field):
    return element.get_property("stats").get_value(field)


def wait_for(run, predicate):
    """Until it is true; an error ends the test."""
    while not predicate():
        message = run.bus.timed_pop_filtered(
            run.gst.MSECOND, run.gst.MessageType.ERROR
        )
        assert message is None, message.parse_error()


def listen(run, fake):
    """Play, and wait until the microphone is open."""
    run.play()
    wait_for(run, lambda: fake.streams and "start" in fake.stream.log)
    return fake.stream


# --- the microphone


def test_blocks_are_what_was_heard_in_any_periods(make_run, fake):
    run = make_run("ndamicsrc name=mic num-buffers=4")
    stream = listen(run, fake)
    heard, at = noise(4 * BLOCK), 0
    for n_frames in (480, 480, 1, 511, 576):
        stream.hear(heard[:, at : at + n_frames])
        at += n_frames

    pulled = run.pull_all()

    assert at == 4 * BLOCK
    assert np.array_equal(np.concatenate([f for _, f in pulled]), heard.T)
    for number, (buffer, frames) in enumerate(pulled):
        assert len(frames) == BLOCK and buffer.offset == number * BLOCK
    assert stat(run.mic, "num-frames") == 4 * BLOCK
    assert stat(run.mic, "num-overruns") == 0


def test_overrun_of_the_device_is_counted_and_a_discont(make_run, fake, gst):
    run = make_run("ndamicsrc name=mic num-buffers=4")
    stream = listen(run, fake)
    heard = noise(BLOCK)
    for overflow in (False, False, True, False):
        stream.hear(heard, overflow=overflow)

    disconts = [
        buffer.has_flags(gst.BufferFlags.DISCONT)
        for buffer, _ in run.pull_all()
    ]

    assert disconts == [True, False, True, False]
    assert stat(run.mic, "num-overruns") == 1
    assert stat(run.mic, "num-discontinuities") == 1


def test_queue_that_nobody_empties_overruns(make_run, fake, gst):
    run = make_run("ndamicsrc name=mic num-buffers=60")
    run.sink.set_property("max-buffers", 1)
    stream = listen(run, fake)
    for _ in range(50):
        stream.hear(noise(BLOCK))
    assert stat(run.mic, "num-overruns") > 0
    done = threading.Event()
    feeder = threading.Thread(
        target=lambda: [
            stream.hear(noise(BLOCK)) for _ in iter(done.is_set, True)
        ]
    )
    feeder.start()

    pulled = run.pull_all()

    done.set()
    feeder.join()
    flags = [b.has_flags(gst.BufferFlags.DISCONT) for b, _ in pulled[1:]]
    assert len(pulled) == 60 and any(flags)


def test_pause_gives_the_microphone_back(make_run, fake, gst):
    run = make_run("ndamicsrc name=mic")
    stream = listen(run, fake)
    stream.hear(noise(BLOCK))
    run.pull()

    run.pipeline.set_state(gst.State.PAUSED)
    assert stream.log[-1] == "close"
    run.play()
    wait_for(run, lambda: len(fake.streams) == 2)
    second = fake.stream
    second.hear(noise(BLOCK))

    buffer, _ = run.pull()
    assert buffer.has_flags(gst.BufferFlags.DISCONT)


def test_latency_is_a_block_and_the_device_s(make_run, fake, gst):
    run = make_run("ndamicsrc name=mic")
    listen(run, fake)
    query = gst.Query.new_latency()

    assert run.mic.query(query)

    block = BLOCK * gst.SECOND // 48000
    assert query.parse_latency() == (
        True, block + 20 * gst.MSECOND, 33 * block + 20 * gst.MSECOND
    )


# --- the speaker


class Speaker:
    """A pipeline that ends in ndaspeakersink, fed by the test."""

    def __init__(self, gst, props=""):
        gst.ElementFactory.find("ndaspeakersink") or pytest.skip("no element")
        self.gst = gst
        self.pipeline = gst.parse_launch(
            "appsrc name=src format=time caps=audio/x-raw,format=F32LE,"
            "rate=48000,channels=2,layout=interleaved ! "
            f"ndaspeakersink name=speaker sync=false {props}"
        )
        self.src = self.pipeline.get_by_name("src")
        self.speaker = self.pipeline.get_by_name("speaker")
        self.bus = self.pipeline.get_bus()

    def push(self, frames):
        buffer = self.gst.Buffer.new_wrapped(frames.T.tobytes())
        self.src.emit("push-buffer", buffer)

    def get_rendered(self):
        return stat(self.speaker, "num-frames")


@pytest.fixture
def speaker(gst, fake):
    made = []

    def make(props=""):
        made.append(Speaker(gst, props))
        made[-1].pipeline.set_state(gst.State.PLAYING)
        return made[-1]

    yield make
    for one in made:
        one.pipeline.set_state(gst.State.NULL)


@pytest.mark.parametrize("size", [1, 511, 512, 700, 4096])
def test_all_is_played_after_the_cushion(speaker, fake, gst, size):
    run = speaker("cushion=2")
    sound = noise(4096)
    for at in range(0, 4096, size) if size > 1 else [0]:
        run.push(sound[:, at : at + (size if size > 1 else 4096)])
    run.src.emit("end-of-stream")
    wait_for(run, lambda: fake.streams)

    played = []
    while run.bus.timed_pop_filtered(
        gst.MSECOND, gst.MessageType.EOS
    ) is None:
        played.append(fake.stream.play())
    played = np.concatenate(played, axis=1)

    found = played[:, played.any(axis=0)]
    assert np.array_equal(found, sound)
    begin = np.flatnonzero(played.any(axis=0))[0]
    assert begin >= 2 * BLOCK
    assert stat(run.speaker, "num-frames") == 4096


def test_underruns_are_counted(speaker, fake):
    run = speaker("cushion=1")
    run.push(noise(BLOCK))
    wait_for(run, lambda: run.get_rendered() == BLOCK)
    for _ in range(4):  # cushion, sound, and twice nothing
        fake.stream.play()
    assert stat(run.speaker, "num-underruns") == 0
    run.push(noise(BLOCK))
    wait_for(run, lambda: run.get_rendered() == 2 * BLOCK)
    fake.stream.play(underflow=True)

    assert stat(run.speaker, "num-underruns") == 2


def test_full_queue_blocks_and_can_be_left(speaker, fake, gst):
    run = speaker("cushion=1")
    for _ in range(10):
        run.push(noise(BLOCK))
    # a cushion and one block fill it
    wait_for(run, lambda: run.get_rendered() == BLOCK)

    run.pipeline.set_state(gst.State.PAUSED)
    run.pipeline.set_state(gst.State.NULL)

    assert fake.stream.log[-1] == "close"


def test_its_clock_is_the_pipeline_s(speaker, gst):
    run = speaker()
    run.push(noise(BLOCK))
    run.pipeline.get_state(gst.CLOCK_TIME_NONE)

    clock = run.pipeline.get_clock()
    assert clock.get_name().startswith("NdaSpeakerClock")
    assert clock.get_time() <= clock.get_time()


# --- what is missing


@pytest.mark.parametrize("pipeline", [
    "ndamicsrc ! fakesink", "ndatonesrc ! ndaspeakersink"
])
def test_no_package_is_an_error_that_says_what_to_install(
    gst, monkeypatch, pipeline
):
    for name in PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)
    run = gst.parse_launch(pipeline)
    run.set_state(gst.State.PLAYING)
    message = run.get_bus().timed_pop_filtered(
        60 * gst.SECOND, gst.MessageType.ERROR
    )
    run.set_state(gst.State.NULL)

    error, _ = message.parse_error()
    assert "apt-get install python3-pyaudio" in error.message
    assert "\n" not in error.message


def test_inspection_opens_no_device(gst, fake):
    for name in ("ndamicsrc", "ndaspeakersink"):
        element = gst.ElementFactory.make(name)
        for prop in element.list_properties():
            element.get_property(prop.name)

    assert fake.streams == [] and fake.n_terminated == 0
