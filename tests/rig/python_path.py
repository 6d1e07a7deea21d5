# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays noise from the microphone to the speaker of the rig, through elements
written in Python and ndapybridge, and returns the result.
"""

from typing import NamedTuple

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401

RATE = 48000
CAPS = f"audio/x-raw,format=F32LE,rate={RATE},channels=2,layout=interleaved"
ENDS = Gst.MessageType.EOS | Gst.MessageType.ERROR

Gst.init(None)


class Found(NamedTuple):
    """What was found in the end."""

    n_lost: int
    n_altered: int
    n_overruns: int
    n_underruns: int


def stat(pipeline, name, field):
    return pipeline.get_by_name(name).get_property("stats").get_value(field)


def wait_for_blocks(pipeline, name, n_blocks):
    while stat(pipeline, name, "num-blocks") < n_blocks:
        message = pipeline.get_bus().timed_pop_filtered(
            10 * Gst.MSECOND, ENDS
        )
        assert message is None, message.parse_error()


def hear(sink):
    """What comes, up to half a second of silence after it."""
    heard, n_silent, has_begun = [], 0, False
    while not has_begun or n_silent < RATE // 2:
        buffer = sink.emit("pull-sample").get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        frames = np.frombuffer(data, np.float32).reshape(-1, 2)
        has_sound = frames.any()
        has_begun |= has_sound
        n_silent = 0 if has_sound else n_silent + len(frames)
        if has_begun:
            heard.append(frames)
    return np.concatenate(heard)


def run_path(n_seconds):
    """Send so much noise on its way, and return a `Found`."""
    random = np.random.default_rng(5)
    shape = (n_seconds * RATE, 2)
    signal = 0.1 + 0.9 * random.random(shape, dtype=np.float32)
    ear = Gst.parse_launch(
        f"pulsesrc device=ear_tap buffer-time=2000000 ! {CAPS} ! "
        "appsink name=sink sync=false"
    )
    path = Gst.parse_launch(
        "ndamicsrc device=mic period=4096 name=mic ! "
        "ndapybridge plugin=passthrough ! ndaspectrum ! "
        "ndaspeakersink device=ear name=speaker period=4096 "
        "cushion=24"
    )
    voice = Gst.parse_launch(
        f"appsrc name=src format=time max-bytes=0 caps={CAPS} ! "
        "pulsesink device=cable"
    )
    ear.set_state(Gst.State.PLAYING)
    path.set_state(Gst.State.PLAYING)
    wait_for_blocks(path, "speaker", 100)
    source = voice.get_by_name("src")
    source.emit("push-buffer", Gst.Buffer.new_wrapped(signal.tobytes()))
    source.emit("end-of-stream")
    voice.set_state(Gst.State.PLAYING)

    heard = hear(ear.get_by_name("sink"))

    heard = heard[heard.any(axis=1)]
    n_both = min(len(heard), len(signal))
    altered = (heard[:n_both] != signal[:n_both]).any(axis=1)
    found = Found(
        n_lost=len(signal) - len(heard),
        n_altered=int(np.count_nonzero(altered)),
        n_overruns=stat(path, "mic", "num-overruns"),
        n_underruns=stat(path, "speaker", "num-underruns"),
    )
    for pipeline in (voice, path, ear):
        pipeline.set_state(Gst.State.NULL)
    return found
