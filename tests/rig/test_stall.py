# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests a process that stands still for longer than a sound server keeps
sound.

The sound of that time is lost, and counted; later sound is heard. Run live,
below `with-rig one`. The recorded sound tells the time, in steps of 50 ms.
"""

import os
import signal
import subprocess
from array import array

import gi
import pytest

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

PATH = ["gst-launch-1.0", "ndasrc", "!", "ndasink"]
PLAYER = (
    "audiotestsrc samplesperbuffer=4800 volume=0.5 ! "
    "audio/x-raw, rate=48000 ! "
    "pulsesink device=cable buffer-time=1000000 provide-clock=false sync=false"
)
EAR = (
    "pulsesrc device=ear_tap buffer-time=1000000 latency-time=50000 "
    "slave-method=none provide-clock=false ! audio/x-raw, format=F32LE, "
    "rate=48000, channels=2 ! appsink name=ear sync=false"
)
STEPS_A_SECOND = 20
LOUD = 0.1


class Ear:
    def __init__(self) -> None:
        self.pipeline = Gst.parse_launch(EAR)
        self.sink = self.pipeline.get_by_name("ear")
        self.pipeline.set_state(Gst.State.PLAYING)

    def hears(self) -> bool:
        """Return whether the next step is loud."""
        sample = self.sink.emit("pull-sample")
        assert sample, "the ear has been closed"
        buffer = sample.get_buffer()
        frames = array("f", buffer.extract_dup(0, buffer.get_size()))
        return max(map(abs, frames)) > LOUD

    def hears_for(self, loud: bool, seconds: float, within: float) -> bool:
        """Whether it is loud, or silent, for so long within so long."""
        n_asked, n = int(seconds * STEPS_A_SECOND), 0
        for _ in range(int(within * STEPS_A_SECOND)):
            n = n + 1 if self.hears() == loud else 0
            if n == n_asked:
                return True
        return False


@pytest.fixture
def ear():
    Gst.init(None)
    player = Gst.parse_launch(PLAYER)
    player.set_state(Gst.State.PLAYING)
    ear = Ear()
    yield ear
    ear.pipeline.set_state(Gst.State.NULL)
    player.set_state(Gst.State.NULL)


@pytest.fixture
def path():
    process = subprocess.Popen(
        PATH,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"LC_ALL": "C.UTF-8", "LANGUAGE": ""},
    )
    yield process
    process.kill()
    process.wait()


# After some two seconds the server has lost its idea of time, too, and finds
# it again over half a minute: not before then can the source know what is
# missing.
@pytest.mark.parametrize("stall, patience, told", [
    (0.5, 5, "The source has lost some sound."),
    (2, 30, "Sound came too late for the device"),
])
def test_sound_is_heard_again_after_a_stall(ear, path, stall, patience, told):
    assert ear.hears_for(True, seconds=2, within=30)

    path.send_signal(signal.SIGSTOP)
    assert ear.hears_for(False, seconds=stall, within=30)
    path.send_signal(signal.SIGCONT)

    assert ear.hears_for(True, seconds=1, within=patience)
    path.send_signal(signal.SIGINT)
    said, _ = path.communicate()
    assert told in said
