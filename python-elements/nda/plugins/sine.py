# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sine: a test tone, or another wave of the same period.

    gst-launch-1.0 ndapysrc plugin=sine parameters=frequency=440,level=-18 \
        num-buffers=50 ! ndapysink plugin=null_sink

All but `channels` may change while the stream runs: a new frequency goes on
from the phase reached, a new level is reached over one block.

The phase is counted in whole 2^-64 of a period, so that no rounding adds up:
frame n is at phase n * step modulo 2^64, after a year as after a second. The
waves with corners have no harmonics above half the sample rate, hence no
aliasing; they overshoot the level by up to 9 % where they jump, as a
band-limited wave does.
"""

from __future__ import annotations

import math
from typing import Iterator

import numpy as np

from nda import Choice, Float, Int, Source
from _nda_levels import SILENCE, Fade, factor_of

DISPLAY_NAME = "Sine"
PERIOD = 1 << 64
# What a float64 holds of the phase
PHASE_BITS = 53
TABLE_BITS = 16
TABLE_SIZE = 1 << TABLE_BITS
# As NumPy wants them: a Python int with a uint64 makes a float64.
SPARE_BITS = np.uint64(64 - PHASE_BITS)
BETWEEN_BITS = np.uint64(PHASE_BITS - TABLE_BITS)
BETWEEN_MASK = np.uint64((1 << PHASE_BITS - TABLE_BITS) - 1)


def step_of(frequency: float, sample_rate: int) -> int:
    """Return how far the phase goes in a frame, in 2^-64 of a period."""
    # Exact: a float is a fraction of integers.
    numerator, denominator = frequency.as_integer_ratio()
    divisor = denominator * sample_rate
    return (2 * numerator * PERIOD + divisor) // (2 * divisor) % PERIOD


def harmonics_of(waveform: str, n_harmonics: int) -> np.ndarray:
    """Return the amplitudes of the sines of a wave of peak 1.

    Returns
    -------
    numpy.ndarray
        float64, shape (n_harmonics + 1,); the first is that of the mean, 0.
    """
    amplitudes = np.zeros(n_harmonics + 1)
    n = np.arange(1, n_harmonics + 1)
    odd = n % 2 == 1
    if waveform == "sawtooth":
        amplitudes[1:] = 2 / (np.pi * n)
    elif waveform == "square":
        amplitudes[1:][odd] = 4 / (np.pi * n[odd])
    else:
        sign = np.where(n[odd] % 4 == 1, 1, -1)
        amplitudes[1:][odd] = 8 * sign / (np.pi * n[odd]) ** 2
    return amplitudes


def table_of(
    waveform: str, frequency: float, sample_rate: int
) -> np.ndarray:
    """Return one period of a wave without harmonics that would alias.

    Returns
    -------
    numpy.ndarray
        float64, shape (TABLE_SIZE + 1,); the last sample is the first again.
    """
    # The table itself must be smooth between two of its samples, too.
    n_harmonics = min(
        math.ceil(sample_rate / 2 / frequency) - 1, TABLE_SIZE // 16
    )
    spectrum = np.zeros(TABLE_SIZE // 2 + 1, dtype=np.complex128)
    spectrum[: n_harmonics + 1] = harmonics_of(waveform, n_harmonics)
    spectrum *= -0.5j * TABLE_SIZE
    table = np.empty(TABLE_SIZE + 1)
    table[:-1] = np.fft.irfft(spectrum, TABLE_SIZE)
    table[-1] = table[0]
    return table


class Sine(Source):
    """Makes a tone: sine, square, triangle or sawtooth"""

    frequency = Float(440, 0.01, 20000, unit="Hz", help="of the tone")
    level = Float(-12, SILENCE, 0, unit="dBFS", help="of the peak; -200: none")
    waveform = Choice("sine", ["sine", "square", "triangle", "sawtooth"])
    channels = Int(2, 1, 64, help="that sound alike, from the next start on")

    def start(self) -> None:
        self._phase = 0
        self._fade = Fade(factor_of(self.level), self.frames)
        self._make_arrays(self.frames)
        self._tune()

    def on_change(self, name: str) -> None:
        if name in ("frequency", "waveform"):
            self._tune()

    def _tune(self) -> None:
        """Find the step and the table."""
        self._step = np.uint64(step_of(self.frequency, self.rate))
        self._table = None
        if self.waveform != "sine":
            self._table = table_of(self.waveform, self.frequency, self.rate)

    def _make_arrays(self, n_frames: int) -> None:
        self._index = np.arange(n_frames, dtype=np.uint64)
        self._phases = np.empty(n_frames, dtype=np.uint64)
        self._steps = np.empty(n_frames, dtype=np.uint64)
        self._at = self._steps.view(np.int64)
        self._signal = np.empty(n_frames)
        self._next = np.empty(n_frames)
        self._between = np.empty(n_frames)

    def read(self) -> Iterator[np.ndarray]:
        while True:
            np.multiply(self._index, self._step, out=self._phases)
            np.add(self._phases, np.uint64(self._phase), out=self._phases)
            self._phase += len(self._index) * int(self._step)
            self._phase %= PERIOD
            if self._table is None:
                self._take_sine()
            else:
                self._take_from(self._table)
            self._fade.apply(self._signal, factor_of(self.level))
            yield self._signal

    def _take_sine(self) -> None:
        np.right_shift(self._phases, SPARE_BITS, out=self._phases)
        np.copyto(self._signal, self._phases, casting="same_kind")
        np.multiply(
            self._signal, 2 * np.pi / (1 << PHASE_BITS), out=self._signal
        )
        np.sin(self._signal, out=self._signal)

    def _take_from(self, table: np.ndarray) -> None:
        """Interpolate between the two samples at each phase."""
        phases, at, signal = self._phases, self._at, self._signal
        np.right_shift(phases, SPARE_BITS, out=phases)
        # `at` is the memory of `steps`, which NumPy takes for an index.
        np.right_shift(phases, BETWEEN_BITS, out=self._steps)
        np.take(table, at, out=signal, mode="clip")
        np.add(at, 1, out=at)
        np.take(table, at, out=self._next, mode="clip")
        np.subtract(self._next, signal, out=self._next)
        np.bitwise_and(phases, BETWEEN_MASK, out=phases)
        np.copyto(self._between, phases, casting="same_kind")
        np.multiply(
            self._between,
            1.0 / (1 << PHASE_BITS - TABLE_BITS),
            out=self._between,
        )
        np.multiply(self._next, self._between, out=self._next)
        np.add(signal, self._next, out=signal)
