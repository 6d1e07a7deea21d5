# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Levels of a whole stream, computed from messages of GStreamer's `level`."""

from __future__ import annotations

import math
from dataclasses import dataclass

SILENCE = -math.inf
NOTHING = -300  # dBFS: what `level` says of silence is below this


def decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else SILENCE


def level_text(value: float) -> str:
    return "silence" if value == SILENCE else f"{value:.1f} dBFS"


@dataclass
class Level:
    """The mean power of all channels, and the highest peak (in dBFS)."""

    energy: float = 0.0
    duration: float = 0.0
    peak: float = SILENCE

    def add(self, rms: list[float], peak: list[float], duration: int) -> None:
        """Add an interval: dBFS of each channel, and nanoseconds.

        The interval behind the last frame has none: its values are NaN.
        """
        if not rms or any(map(math.isnan, rms)):
            return
        heard = [value for value in rms if value > NOTHING]
        power = sum(10 ** (value / 10) for value in heard) / len(rms)
        self.energy += power * duration
        self.duration += duration
        peaks = [value for value in peak if value > NOTHING]
        self.peak = max([self.peak, *peaks])

    @property
    def rms(self) -> float:
        return decibels(self.energy / self.duration if self.duration else 0)

    @property
    def text(self) -> str:
        if self.peak == SILENCE:
            return "silence"
        return f"{level_text(self.rms)} (peak {level_text(self.peak)})"
