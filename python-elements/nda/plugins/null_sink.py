# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Null sink: throws the sound away, and says how loud it was.

    gst-launch-1.0 ndapysrc plugin=sine num-buffers=50 \
        ! ndapysink plugin=null_sink

To be read with `get-parameter`, one value a channel, separated by commas:
`rms` and `peak`, in dBFS, of the last whole interval; `maxPeak`, the largest
peak since the start; and `frames`, how many were taken since then.

0 dBFS is a sample of 1.0; so a sine whose peak is 0 dBFS has an `rms` of
-3.01, and silence is -inf. Before the first interval is over, both are -inf.
A NaN among the samples makes the `rms` of its interval nan.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nda import Float, Int, Sink
from _nda_levels import level_of

DISPLAY_NAME = "Null sink"


class NullSink(Sink):
    """Throws the sound away and measures its level"""

    channels = Int(2, 1, 64, help="how many the sound is brought to")
    interval = Float(
        0.1, 0.01, 60, unit="s", help="what is measured over, in whole blocks"
    )

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._signal = np.empty(512)  # one channel of a block
        self._n_frames = self._n_measured = 0
        self._power, self._peak, self._max_peak = (
            [0.0] * self.channels for _ in range(3)
        )
        # Read on another thread: bound whole, never edited
        self._measured = {"rms": self._power[:], "peak": self._peak[:]}

    def write(self, block: np.ndarray) -> None:
        if len(self._signal) != block.shape[1]:
            self._signal = np.empty(block.shape[1])
        # A reduction of one channel makes no array, one of the block does.
        for index, channel in enumerate(block):
            # In float64, where the squares of the smallest samples are not 0
            np.copyto(self._signal, channel)
            self._power[index] += float(np.dot(self._signal, self._signal))
            low, high = np.minimum.reduce(channel), np.maximum.reduce(channel)
            peak = max(float(high), -float(low))
            self._peak[index] = max(self._peak[index], peak)
            self._max_peak[index] = max(self._max_peak[index], peak)
        self._n_frames += block.shape[1]
        self._n_measured += block.shape[1]
        if self._n_measured >= self.interval * (self.rate or 48000):
            self._publish()

    def _publish(self) -> None:
        rms = [math.sqrt(power / self._n_measured) for power in self._power]
        self._measured = {"rms": rms, "peak": self._peak}
        self._n_measured = 0
        self._power, self._peak = [0.0] * len(rms), [0.0] * len(rms)

    def get_reading(self, name: str) -> Any:
        if name == "frames":
            return self._n_frames
        measured = {**self._measured, "maxPeak": self._max_peak}
        return ",".join(f"{level_of(f):.2f}" for f in measured.get(name, ()))
