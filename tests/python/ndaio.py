# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of ndasrc and ndasink have in common."""

import struct
import wave

import numpy as np
import pytest

BLOCK = 512


@pytest.fixture
def recording(tmp_path):
    """A WAV file of 16-bit noise at 48 kHz, and its samples."""

    def write(name="in.wav", n_frames=24001, channels=2, rate=48000):
        path = tmp_path / name
        samples = (
            np.random.default_rng(7)
            .integers(-(2**15), 2**15, (n_frames, channels))
            .astype("<i2")
        )
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(samples.tobytes())
        return path, samples

    return write


@pytest.fixture
def play(gst):
    """Runs a description until EOS; returns the error there was, or None."""
    made = []

    def run(description, **properties):
        pipeline = gst.parse_launch(description)
        made.append(pipeline)
        for name, value in properties.items():
            element, _, prop = name.partition("__")
            pipeline.get_by_name(element).set_property(
                prop.replace("_", "-"), value
            )
        pipeline.set_state(gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(
            60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
        )
        assert message is not None, "the pipeline hangs"
        run.pipeline = pipeline
        if message.type == gst.MessageType.EOS:
            return None
        return message.parse_error()[0]

    yield run
    for pipeline in made:
        pipeline.set_state(gst.State.NULL)


def read_float_wav(path, kind=3):
    """Frames of a WAV file of 32-bit floats, by its header's own sizes."""
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    at = 12
    while data[at:at + 4] != b"data":
        if data[at:at + 4] == b"fmt ":
            tag, channels = struct.unpack("<HH", data[at + 8:at + 12])
            assert tag == kind
        at += 8 + struct.unpack("<I", data[at + 4:at + 8])[0]
    n_bytes = struct.unpack("<I", data[at + 4:at + 8])[0]
    assert n_bytes <= len(data) - at - 8  # tags may stand behind it
    samples = np.frombuffer(data[at + 8:at + 8 + n_bytes], "<f4")
    return samples.reshape(-1, channels)


def stats(pipeline, name):
    return pipeline.get_by_name(name).get_property("stats")
