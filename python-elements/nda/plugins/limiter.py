# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
r"""Limiter: no peak above a ceiling, without clipping.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=limiter \
        parameters=ceiling=-3,release=80 ! ndasink

The sound comes out `lookahead` later, by default 72 frames; the plugin reports
this as latency. Before a peak comes out, the gain falls in a straight line of
that length. Afterwards the reduction, in decibels, decays exponentially. All
channels get the same gain, so the stereo image stays in its place.

Sound below the ceiling passes bit by bit, only later.
"""

from __future__ import annotations

import math

import numpy as np

from nda import Float, Processor
from _nda_levels import factor_of

DISPLAY_NAME = "Limiter"
MOST_REDUCTION = 200.0  # dB; infinite samples would ask for more
NO_REDUCTION = 1e-3  # dB; what is left is nothing


def to_ceiling(level: float) -> np.float32:
    """Return a level in dBFS as a sample that is not above it."""
    exact = factor_of(level)
    ceiling = np.float32(exact)
    # NumPy 2 would compare them as 32-bit floats, which are always equal.
    if float(ceiling) <= exact:
        return ceiling
    # The next one below, which is 2^-24 to 2^-23 less.
    return np.float32(exact * (1 - 2**-24))


class Limiter(Processor):
    """Lets no peak go beyond a ceiling

    With L frames of look-ahead, the gain of a frame is the mean of L + 1
    values, each of which is the least gain that any of L + 1 frames needs,
    and together they see L frames ahead: whichever peak comes out has been
    among those of all the values. The largest of a window is found by
    doubling, the mean by a running sum, the release by one accumulation:
    d(n) = max (need (n), a d(n-1)) is a^n max (need (k) / a^k).
    """

    ceiling = Float(-1, -60, 0, unit="dBFS", help="no sample goes beyond it")
    release = Float(50, 1, 5000, unit="ms", help="time constant back to 1")
    lookahead = Float(
        1.5, 0.1, 10, unit="ms", help="a peak is seen so early; at a start"
    )

    def start(self) -> None:
        n_ahead = round(self.lookahead * self.rate / 1000)
        self._n_ahead = self.latency = n_ahead
        # What is kept from block to block: the sound that is not out yet, and
        # the gains that the next means begin with.
        self._late = np.zeros((self.channels, n_ahead), np.float32)
        self._past_gains = np.ones(n_ahead)
        self._reduction = 0.0
        self._is_idle = True
        self._make_arrays(self.frames)

    def process(self, block: np.ndarray) -> None:
        ceiling = to_ceiling(self.ceiling)
        self._delay(block)
        is_loud = self._measure() > ceiling
        if is_loud or not self._is_idle:
            self._find_needs(ceiling)
            self._find_gains()
            self._turn_down(block, ceiling)

    def _make_arrays(self, n_frames: int) -> None:
        n_window = self._n_ahead + n_frames
        self._peak = np.empty(n_window, np.float32)
        self._work = np.empty(n_window, np.float32)
        self._gain = np.empty(n_frames, np.float32)
        self._sound = np.empty((self.channels, n_window), np.float32)
        # In decibels and in double precision, as a sum of many must be.
        self._needs = np.empty(n_window)
        self._largest = np.empty((2, n_window))
        self._reductions = np.empty(n_frames)
        self._gains = np.empty(n_window)
        self._sums = np.zeros(n_window + 1)
        self._means = np.empty(n_frames)
        self._steps = np.arange(n_frames, dtype=float)
        self._decay = np.empty(n_frames)
        self._decay_time = math.nan

    def _measure(self) -> float:
        """Find the peak of each frame; return the highest."""
        self._peak.fill(0)
        for channel in self._sound:
            np.absolute(channel, out=self._work)
            # Not np.maximum: what is not a number is not loud.
            np.fmax(self._peak, self._work, out=self._peak)
        return float(self._peak.max())

    def _delay(self, block: np.ndarray) -> None:
        n_ahead, n_frames = self._n_ahead, block.shape[1]
        np.copyto(self._sound[:, :n_ahead], self._late)
        np.copyto(self._sound[:, n_ahead:], block)
        np.copyto(block, self._sound[:, :n_frames])
        np.copyto(self._late, self._sound[:, n_frames:])

    def _find_needs(self, ceiling: np.float32) -> None:
        """Find how far each frame must be turned down, in decibels."""
        needs = self._needs
        np.maximum(self._peak, ceiling, out=self._peak)
        np.copyto(needs, self._peak)
        np.divide(needs, float(ceiling), out=needs)
        np.log10(needs, out=needs)
        np.multiply(needs, 20.0, out=needs)
        np.minimum(needs, MOST_REDUCTION, out=needs)

    def _find_largest(self) -> np.ndarray:
        """Return the largest need of each frame and the L before it."""
        n_window = self._n_ahead + 1
        source, n_done, index = self._needs, 1, 0
        while n_done < n_window:
            n_more = min(n_done, n_window - n_done)
            n = len(source) - n_more
            target = self._largest[index, :n]
            np.maximum(source[:n], source[n_more:], out=target)
            source, n_done, index = target, n_done + n_more, 1 - index
        return source

    def _prepare_decay(self) -> None:
        release = self.release
        if self._decay_time == release:
            return
        self._decay_time = release
        # Backwards in time, so that none of it overflows within a block.
        per_frame = -1000 / (release * self.rate)
        np.multiply(self._steps, per_frame, out=self._decay)
        np.exp(self._decay, out=self._decay)
        self._decay_of_frame = math.exp(per_frame)

    def _find_gains(self) -> None:
        """Find the gain of each frame: the release, then the mean."""
        self._prepare_decay()
        reductions, n_ahead = self._reductions, self._n_ahead
        n_frames = len(reductions)
        np.divide(self._find_largest(), self._decay, out=reductions)
        before = self._reduction * self._decay_of_frame
        reductions[0] = max(float(reductions[0]), before)
        np.maximum.accumulate(reductions, out=reductions)
        np.multiply(reductions, self._decay, out=reductions)
        self._reduction = float(reductions[-1])
        if self._reduction < NO_REDUCTION:
            self._reduction = 0.0

        np.copyto(self._gains[:n_ahead], self._past_gains)
        gains = self._gains[n_ahead:]
        np.multiply(reductions, -math.log(10) / 20, out=gains)
        np.exp(gains, out=gains)
        np.copyto(self._past_gains, self._gains[n_frames:])
        np.cumsum(self._gains, out=self._sums[1:])
        np.subtract(
            self._sums[n_ahead + 1 :], self._sums[:n_frames], out=self._means
        )
        np.divide(self._means, n_ahead + 1, out=self._means)
        # Nothing more to do while all that is added up are ones.
        self._is_idle = bool(
            self._reduction == 0 and self._past_gains.min() == 1
        )

    def _turn_down(self, block: np.ndarray, ceiling: np.float32) -> None:
        np.copyto(self._gain, self._means, casting="same_kind")
        # One channel at a time: broadcasting makes NumPy allocate a buffer.
        for channel in block:
            np.multiply(channel, self._gain, out=channel)
        # What rounding or an infinite sample leaves beyond it.
        np.minimum(block, ceiling, out=block)
        np.maximum(block, -ceiling, out=block)
