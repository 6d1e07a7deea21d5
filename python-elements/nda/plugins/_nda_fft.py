# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Fourier transform that allocates nothing.

`numpy.fft` makes a new array for every transform, and another to convert what
is not of double precision (only since NumPy 2.0 can it be given one). This one
works in arrays that are made once, by some forty ufuncs with ``out=``.

What 1024 complex64 numbers cost (NumPy 1.24), in microseconds of one core and
in bytes that had to be found at once:

======================================== ==== =====
`numpy.fft.fft`                             7 16560
this                                       27    96
two matrix products, of 32 times 32        54   472
one, with the whole matrix (half of it)   700   472
======================================== ==== =====
"""

from __future__ import annotations

import numpy as np

RADIX = 4


class Fft:
    """Transforms one array in place.

    It is Stockham's algorithm with radix 4: each of its stages takes the four
    quarters of the data together and lays the results down interleaved, so
    that the last stage leaves them in their order.

    Parameters
    ----------
    data : numpy.ndarray
        complex64, shape (size,), C-contiguous, the size a power of 4.

    Raises
    ------
    ValueError
        If the size is not.
    """

    def __init__(self, data: np.ndarray) -> None:
        self._data = data
        size = len(data)
        # 1, 100, 10000, ... in binary
        if size & (size - 1) or size.bit_length() % 2 == 0:
            raise ValueError(f"{size} is not a power of {RADIX}")
        quarter = size // RADIX
        # Each view is made once, which halves the cost of small transforms.
        self._halves = data[: size // 2], data[size // 2 :]
        self._sums = np.empty(size // 2, dtype=np.complex64)
        self._sum_halves = self._sums[:quarter], self._sums[quarter:]
        self._differences = np.empty(size // 2, dtype=np.complex64)
        self._difference_halves = (
            self._differences[:quarter],
            self._differences[quarter:],
        )
        self._parts = np.empty((RADIX, quarter), dtype=np.complex64)
        self._each_part = tuple(self._parts)
        self._turn = np.array(-1j, dtype=np.complex64)
        # Of each stage: by how much its results are turned, and the same
        # memory twice, once as they are and once as they shall lie
        self._stages: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        n, run = size, 1
        while n >= RADIX:
            self._add_stage(n, run)
            n //= RADIX
            run *= RADIX

    def _add_stage(self, n: int, run: int) -> None:
        turns = np.arange(RADIX)[:, None] * np.arange(n // RADIX) / n
        twiddle = np.repeat(np.exp(-2j * np.pi * turns), run, axis=1)
        shape = RADIX, n // RADIX, run
        self._stages.append(
            (
                twiddle.astype(np.complex64),
                self._parts.reshape(shape).transpose(1, 0, 2),
                self._data.reshape(n // RADIX, RADIX, run),
            )
        )

    def forward(self) -> None:
        """Transform the data."""
        low, high = self._halves
        sums, differences = self._sums, self._differences
        sum_low, sum_high = self._sum_halves
        difference_low, difference_high = self._difference_halves
        first, second, third, fourth = self._each_part
        for twiddle, results, places in self._stages:
            np.add(low, high, out=sums)
            np.subtract(low, high, out=differences)
            np.multiply(difference_high, self._turn, out=difference_high)
            np.add(sum_low, sum_high, out=first)
            np.add(difference_low, difference_high, out=second)
            np.subtract(sum_low, sum_high, out=third)
            np.subtract(difference_low, difference_high, out=fourth)
            np.multiply(self._parts, twiddle, out=self._parts)
            np.copyto(places, results)

    def backward(self) -> None:
        """Undo `forward`, but for a factor of `size`."""
        np.conjugate(self._data, out=self._data)
        self.forward()
        np.conjugate(self._data, out=self._data)
