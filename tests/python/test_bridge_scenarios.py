# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-validate's scenarios, with our own means, beside GStreamer's elements.

A WAV file plays through an element to its end. What is asked of ours is asked
of upstream's in the same place: after a seek the first frame is the one that
was asked for, and all frames behind it come.
"""

import threading
import wave

import gi
import pytest

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)

RATE = 48000
SECONDS = 2
END = "fakesink name=end sync={sync}"
PLACES = {
    "queue": "queue ! " + END,
    "bridge": "ndapybridge plugin=passthrough ! " + END,
    "bridge in a process": (
        "ndapybridge plugin=passthrough isolation=process ! " + END
    ),
    "audioresample": "audioresample ! " + END,
    "ndaresample": "ndaresample ! " + END,
    "Python sink": "ndapysink plugin=null_sink name=end sync={sync}",
}
FLAGS = Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE
CYCLE = ("READY", "PAUSED", "PLAYING", "PAUSED", "READY", "NULL")


class Run:
    """A file on its way, and what arrived since the last flush."""

    def __init__(self, path, place, sync="false"):
        self.pipeline = Gst.parse_launch(
            f"filesrc location={path} ! wavparse ! audioconvert"
            " ! audio/x-raw,format=F32LE ! "
            + PLACES[place].format(sync=sync)
        )
        self.changed = threading.Condition()
        self.first = None
        self.n_frames = 0
        self.pipeline.get_by_name("end").get_static_pad("sink").add_probe(
            Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_FLUSH, self.look
        )

    def look(self, pad, info):
        with self.changed:
            if info.type & Gst.PadProbeType.BUFFER:
                buffer = info.get_buffer()
                if self.first is None:
                    self.first = buffer.pts
                bpf = 4 * pad.get_current_caps()[0]["channels"]
                self.n_frames += buffer.get_size() // bpf
            elif info.get_event().type == Gst.EventType.FLUSH_STOP:
                self.first = None
                self.n_frames = 0
            self.changed.notify_all()
        return Gst.PadProbeReturn.OK

    def go(self, state):
        """Changes the state, and waits until that is done."""
        self.pipeline.set_state(getattr(Gst.State, state))
        result = self.pipeline.get_state(Gst.CLOCK_TIME_NONE)
        assert result[0] == Gst.StateChangeReturn.SUCCESS
        assert result[1] == getattr(Gst.State, state)

    def seek(self, ms):
        """Seeks, and sees that what comes begins there."""
        assert self.pipeline.seek_simple(
            Gst.Format.TIME, FLAGS, ms * Gst.MSECOND
        )
        self.pipeline.get_state(Gst.CLOCK_TIME_NONE)
        with self.changed:
            self.changed.wait_for(lambda: self.first is not None)
            assert abs(self.first - ms * Gst.MSECOND) <= 1

    def wait_for_another(self):
        """Until some frame more has come."""
        with self.changed:
            n_before = self.n_frames
            self.changed.wait_for(
                lambda: self.n_frames not in (n_before, 0)
                or self.n_frames == SECONDS * RATE
            )

    def finish(self, ms=0):
        """To the end; all frames from `ms` on have come."""
        message = self.pipeline.get_bus().timed_pop_filtered(
            Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
        )
        self.pipeline.set_state(Gst.State.NULL)
        assert message.type == Gst.MessageType.EOS
        assert self.n_frames == (SECONDS * 1000 - ms) * RATE // 1000


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "two_seconds.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(range(256)) * (SECONDS * RATE * 4 // 256))
    return path


@pytest.fixture(params=PLACES)
def place(request):
    return request.param


def test_simple_seeks(path, place):
    run = Run(path, place)
    run.go("PAUSED")
    for ms in (1000, 0, 1500):
        run.seek(ms)
    run.go("PLAYING")

    run.finish(1500)


def test_seek_forward(path, place):
    """While it plays, which it does as fast as it goes."""
    run = Run(path, place)
    run.go("PAUSED")
    run.pipeline.set_state(Gst.State.PLAYING)
    for ms in range(0, SECONDS * 1000, 100):
        run.seek(ms)
    run.go("PAUSED")
    run.seek(300)
    while run.pipeline.get_bus().pop_filtered(Gst.MessageType.EOS):
        pass  # ends of what played before
    run.go("PLAYING")

    run.finish(300)


def test_scrub_forward(path, place):
    run = Run(path, place)
    run.go("PAUSED")
    for ms in range(0, SECONDS * 1000, 50):
        run.seek(ms)
    run.go("PLAYING")

    run.finish(1950)


def test_pause_resume(path, place):
    run = Run(path, place, sync="true")
    run.go("PAUSED")
    for _ in range(10):
        run.pipeline.set_state(Gst.State.PLAYING)
        run.wait_for_another()
        run.go("PAUSED")
    run.go("PLAYING")

    run.finish()


def test_change_state_intensive(path, place):
    run = Run(path, place)
    for _ in range(5):
        for state in CYCLE:
            run.go(state)
    run.n_frames = 0
    run.go("PLAYING")

    run.finish()
