# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Levels and fades of the ready-made plugins."""

from __future__ import annotations

import math

import numpy as np


SILENCE = -200  # dBFS; what is not louder is silent


def factor_of(level: float) -> float:
    """Return the factor for a level in dBFS: 1.0 for 0, 0.0 for silence."""
    return math.pow(10.0, level / 20.0) if level > SILENCE else 0.0


def level_of(factor: float) -> float:
    """Return the level in dBFS of a factor that is not negative."""
    return -math.inf if factor == 0 else 20.0 * math.log10(factor)


class Fade:
    """A factor that gets to a new value over one block, in a straight line.

    Nothing is allocated while the block size stays the same.
    """

    def __init__(self, factor: float, n_frames: int) -> None:
        self._reached = factor
        self._factor = np.array(factor, dtype=np.float64)
        self._prepare(n_frames)

    def _prepare(self, n_frames: int) -> None:
        # From just above 0 to exactly 1: the last frame has the new factor.
        self._line = np.arange(1, n_frames + 1, dtype=np.float64)
        self._line /= max(1, n_frames)
        self._ramp = np.empty(n_frames, dtype=np.float64)

    def apply(self, signal: np.ndarray, factor: float) -> None:
        """Multiply `signal`, float64 of shape (frames,), in place."""
        if factor == self._reached:
            np.multiply(signal, self._factor, out=signal)
            return
        if len(signal) != len(self._line):
            self._prepare(len(signal))
        np.multiply(self._line, factor - self._reached, out=self._ramp)
        np.add(self._ramp, self._reached, out=self._ramp)
        np.multiply(signal, self._ramp, out=signal)
        self._reached = factor
        self._factor[()] = factor
