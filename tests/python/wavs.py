# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""WAV files, as tests write them."""

import struct
from pathlib import Path

import numpy as np
import pytest

import plugin_driver as driver

# A quiet and a signalling NaN with payloads, infinity, a denormal, minus zero
ODD_BITS = [0x7FC54321, 0xFFA12345, 0x7F800000, 1, 0x80000000]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def noise(channels, n_frames):
    random = np.random.default_rng(2)
    return random.uniform(-1, 1, (channels, n_frames)).astype(np.float32)


def chunk(kind, body):
    return struct.pack("<4sI", kind, len(body)) + body + bytes(len(body) % 2)


def format_chunk(tag, channels, bits, sample_rate=48000, extensible=False):
    frame = channels * bits // 8
    body = struct.pack(
        "<HHIIHH",
        0xFFFE if extensible else tag,
        channels,
        sample_rate,
        sample_rate * frame,
        frame,
        bits,
    )
    if extensible:
        body += struct.pack("<HHIH", 22, bits, 0, tag)
        body += bytes.fromhex("000000001000800000aa00389b71")
    return chunk(b"fmt ", body)


def save(*chunks, name="in.wav", kind=b"RIFF"):
    body = b"WAVE" + b"".join(chunks)
    Path(name).write_bytes(struct.pack("<4sI", kind, len(body)) + body)
    return name


def stored(bits, samples):
    """Return integers (channels, frames) as the bytes of a file."""
    frames = np.ascontiguousarray(samples.T).astype("<i4")
    if bits == 8:
        frames += 128
    n_bytes = bits // 8
    return frames.view(np.uint8).reshape(-1, 4)[:, :n_bytes].tobytes()


def play(name, n_blocks, n_frames=512, **parameters):
    plugin = driver.running("wav_player", filename=name, **parameters)
    return driver.read(plugin, *[n_frames] * n_blocks)
