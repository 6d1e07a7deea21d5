# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Null sink: throws the sound away, and says how loud it was.

    gst-launch-1.0 ndapysrc plugin=sine num-buffers=50 \
        ! ndapysink plugin=null_sink

========== ======= ===================================================
parameter  default
========== ======= ===================================================
`interval` 0.1     seconds, from 0.01 to 60: what `rms` and `peak` are
                   measured over, rounded up to whole blocks
`channels` 2       1 to 64
========== ======= ===================================================

To be read with `get-parameter`, one value a channel, separated by commas:

========== ===========================================================
`rms`      dBFS, the root mean square of the last whole interval
`peak`     dBFS, the largest sample, either sign, of the last interval
`maxPeak`  dBFS, the largest sample since `start`
`frames`   frames taken since `start` (one number)
========== ===========================================================

0 dBFS is a sample of 1.0; so a sine whose peak is 0 dBFS has an `rms` of
-3.01, and silence is -inf. Before the first interval is over, both are -inf.
A NaN among the samples makes the `rms` of its interval nan.
"""

from __future__ import annotations

import math

import numpy as np

from base_plugin import AudioBuffer
from _nda_basics import (
    MAX_CHANNELS,
    Integer,
    Number,
    ReadySink,
)
from _nda_levels import level_of

BLOCK_FRAMES = 512


class NullSinkPlugin(ReadySink):
    """Measures and forgets; a block makes no arrays."""

    NAME = "Null sink"
    DESCRIPTION = "Throws the sound away and measures its level"
    PARAMETERS = {
        "interval": Number(0.1, 0.01, 60.0, "seconds"),
        "channels": Integer(2, 1, MAX_CHANNELS),
    }
    FIXED = frozenset({"channels"})

    def __init__(self) -> None:
        super().__init__()
        self._forget()

    def changed(self, key: str) -> None:
        if key == "channels":
            self._channels = self._parameters["channels"]

    def set_channel_count(self, channels: int) -> None:
        super().set_channel_count(channels)
        self._parameters["channels"] = self._channels

    def prepare(self) -> None:
        self._forget()

    def _forget(self) -> None:
        silence = [0.0] * self._channels
        self._n_frames = 0
        self._n_measured = 0
        self._power = silence.copy()
        self._peak = silence.copy()
        self._max_peak = silence.copy()
        self._signal = np.empty(BLOCK_FRAMES)
        # What is read from another thread: bound whole, never edited
        self._levels = silence, silence

    def write_audio(self, buffer: AudioBuffer) -> bool:
        n_frames = buffer.data.shape[1]
        if n_frames == 0:
            return True
        if n_frames != len(self._signal):
            self._signal = np.empty(n_frames)
        # A reduction of one channel makes no array, one of the block does.
        for index, channel in enumerate(buffer.data):
            self._measure(index, channel)
        self._n_frames += n_frames
        self._n_measured += n_frames
        if self._n_measured >= self._interval_frames():
            self._publish()
        return True

    def _measure(self, index: int, channel: np.ndarray) -> None:
        # In float64, where the squares of the smallest samples are not 0
        np.copyto(self._signal, channel)
        self._power[index] += float(np.dot(self._signal, self._signal))
        peak = max(
            float(np.maximum.reduce(channel)),
            -float(np.minimum.reduce(channel)),
        )
        self._peak[index] = max(self._peak[index], peak)
        self._max_peak[index] = max(self._max_peak[index], peak)

    def _interval_frames(self) -> float:
        return self._parameters["interval"] * self._sample_rate

    def _publish(self) -> None:
        rms = [math.sqrt(power / self._n_measured) for power in self._power]
        self._levels = rms, self._peak
        self._n_measured = 0
        self._power = [0.0] * self._channels
        self._peak = [0.0] * self._channels

    def get_available_space(self) -> int:
        return self._buffer_size

    def read_out(self, key: str) -> str:
        rms, peak = self._levels
        if key == "rms":
            return as_levels(rms)
        if key == "peak":
            return as_levels(peak)
        if key == "maxPeak":
            return as_levels(self._max_peak)
        if key == "frames":
            return str(self._n_frames)
        return ""


def as_levels(factors: list[float]) -> str:
    """Return factors as levels in dBFS: "-3.01,-inf"."""
    return ",".join(f"{level_of(factor):.2f}" for factor in factors)


def create_plugin() -> NullSinkPlugin:
    """Return a new instance; the host calls this once per element."""
    return NullSinkPlugin()
