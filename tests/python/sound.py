# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signals for tests, and processors that they go through."""

import numpy as np

import nda
import plugin_driver as driver

RATE = 48000
BLOCK = 512
MS = RATE // 1000


def running(name, channels=2, **parameters):
    plugin = driver.initialized(
        name, **{key: str(value) for key, value in parameters.items()}
    )
    plugin.set_sample_rate(RATE)
    plugin.set_channels(channels)
    assert plugin.start() is True
    return plugin


def process(plugin, signal, sizes=None):
    """Run (channels, frames) through a plugin in blocks; return the result."""
    sizes = sizes or [BLOCK] * (signal.shape[1] // BLOCK)
    assert sum(sizes) == signal.shape[1]
    blocks = []
    for block in np.split(signal, np.cumsum(sizes)[:-1], axis=1):
        buffer = nda.AudioBuffer(*block.shape)
        buffer.data[:] = block
        data = buffer.data
        assert plugin.process_audio(buffer) is True
        assert buffer.data is data
        blocks.append(data)
    return np.concatenate(blocks, axis=1)


def noise(n_blocks=20, channels=2, peak=1.0):
    random = np.random.default_rng(7)
    shape = channels, n_blocks * BLOCK
    return (peak * random.uniform(-1, 1, shape)).astype(np.float32)


def tone(frequency, n_frames=60 * BLOCK, level=0.0, channels=2):
    wave = np.sin(2 * np.pi * frequency / RATE * np.arange(n_frames))
    wave *= 10 ** (level / 20)
    return np.tile(wave.astype(np.float32), (channels, 1))


def constant(level, n_frames):
    """A stretch of stereo whose peak is `level` dBFS in each frame."""
    return np.full((2, n_frames), 10 ** (level / 20), np.float32)


def level_of(signal):
    """The level in dB of a tone of which this is a part, 0 for peak 1."""
    return 20 * np.log10(np.sqrt(2 * np.mean(signal.astype(float) ** 2)))


def same_bits(one, other):
    return driver.bits_of(one).tobytes() == driver.bits_of(other).tobytes()
