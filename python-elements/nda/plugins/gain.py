# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
r"""Gain: makes the sound louder or softer.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=gain parameters=gain=0.5 \
        ! ndasink

Its one parameter is `gain`, the factor for every sample, from 0.0 (silence)
to 10.0 (+20 dB); 1.0 at first. At 1.0 the sound passes bit by bit. Nothing
is clipped: what is louder than 1.0 afterwards is for the sink to deal with.

A new gain during the stream is reached over one block, in a straight line,
so that it does not click.
"""

from __future__ import annotations

import numpy as np

from base_plugin import (
    AudioBuffer,
    AudioProcessorPlugin,
    PluginInfo,
    PluginState,
    PluginType,
)

MIN_GAIN = 0.0
MAX_GAIN = 10.0
BLOCK_FRAMES = 512


def parse_gain(value: str) -> float:
    """Return the factor that `value` spells.

    Raises
    ------
    ValueError
        If it is not a number, or not from `MIN_GAIN` to `MAX_GAIN`.
    """
    try:
        gain = float(value)
    except ValueError:
        gain = float("nan")
    # Written so that "nan" is refused as well.
    if not MIN_GAIN <= gain <= MAX_GAIN:
        raise ValueError(
            f"gain must be a number from {MIN_GAIN} to {MAX_GAIN}, "
            f"not “{value}”"
        )
    return gain


class GainPlugin(AudioProcessorPlugin):
    """Multiplies every sample by one factor.

    A block makes no arrays: all of them are made in `start` and written
    with ``out=`` afterwards.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sample_rate = 48000
        self._channels = 2
        # What was asked for, and what the last frame was multiplied by.
        self._gain = 1.0
        self._reached = 1.0
        # The latter as NumPy wants it: a Python float would be converted
        # again for every block, which costs as much as multiplying by it.
        self._factor = np.array(1.0, dtype=np.float32)

    def get_info(self) -> PluginInfo:
        return PluginInfo(
            name="Gain",
            version="1.0.0",
            author="the nda authors",
            description="Makes the sound louder or softer",
            plugin_type=PluginType.PROCESSOR,
        )

    def initialize(self) -> bool:
        self.state = PluginState.INITIALIZED
        return True

    def start(self) -> bool:
        self._reached = self._gain
        self._factor[()] = self._gain
        self._prepare_ramp(BLOCK_FRAMES)
        self.state = PluginState.RUNNING
        return True

    def stop(self) -> None:
        self.state = PluginState.INITIALIZED

    def shutdown(self) -> None:
        self.state = PluginState.UNLOADED

    def process_audio(self, buffer: AudioBuffer) -> bool:
        block = buffer.data
        # Read once: it may be set from another thread at any moment.
        gain = self._gain
        if gain != self._reached:
            self._fade(block, self._reached, gain)
            self._reached = gain
            self._factor[()] = gain
        elif gain != 1.0:
            np.multiply(block, self._factor, out=block)
        return True

    def set_parameter(self, key: str, value: str) -> bool:
        if key != "gain":
            return False
        self._gain = parse_gain(value)
        return True

    def get_parameter(self, key: str) -> str:
        return str(self._gain) if key == "gain" else ""

    def get_sample_rate(self) -> int:
        return self._sample_rate

    def set_sample_rate(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate

    def get_channel_count(self) -> int:
        return self._channels

    def set_channel_count(self, channels: int) -> None:
        self._channels = channels

    def _prepare_ramp(self, n_frames: int) -> None:
        # From just above 0 to exactly 1: the last frame has the new gain.
        self._line = np.arange(1, n_frames + 1, dtype=np.float32)
        self._line /= n_frames
        self._ramp = np.empty(n_frames, dtype=np.float32)

    def _fade(self, block: np.ndarray, old: float, new: float) -> None:
        """Multiply `block`, (channels, frames), by a line from old to new."""
        if block.shape[1] != len(self._line):
            self._prepare_ramp(block.shape[1])
        np.multiply(self._line, new - old, out=self._ramp)
        np.add(self._ramp, old, out=self._ramp)
        # One channel at a time: broadcasting makes NumPy allocate a buffer.
        for channel in block:
            np.multiply(channel, self._ramp, out=channel)


def create_plugin() -> GainPlugin:
    """Return a new instance; the host calls this once per element."""
    return GainPlugin()
