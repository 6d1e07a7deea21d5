# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Noise: white, pink or brown, the same again for the same seed.

    gst-launch-1.0 ndapysrc plugin=noise parameters=colour=pink,seed=7 \
        num-buffers=50 ! ndapysink plugin=null_sink

`level` may change while the stream runs. The distribution is Gaussian, so
that peaks go some 13 dB above the level; nothing is clipped. Every `start`
begins the seed's sequence again, which does not depend on the sizes of the
blocks.

White noise is coloured by one-pole low-passes in parallel, whose corners lie
two octaves apart: enough for a slope that is almost straight. They are
computed for 128 frames at a time, by a matrix that holds their impulse
response, and so without a loop over samples.
"""

from __future__ import annotations

import math
import secrets
from typing import Iterator

import numpy as np

from nda import Choice, Float, Int, Source
from _nda_levels import SILENCE, Fade, factor_of

DISPLAY_NAME = "Noise"
PIECE_FRAMES = 512
STEP_FRAMES = 128
PINK_CORNERS = tuple(2.0 * 4.0**n for n in range(7))  # Hz
BROWN_CORNERS = (20.0,)  # Hz
# What pink noise needs of the white noise to be straight up to 20 kHz
PINK_DIRECT = 0.0035
MAX_SEED = (1 << 31) - 1


class Colour:
    """One-pole low-passes in parallel, with a gain of 1 for white noise.

    A pole's output is y[n] = pole * y[n - 1] + gain * x[n].
    """

    def __init__(
        self,
        corners: tuple[float, ...],
        direct: float,
        sample_rate: int,
        channels: int,
    ) -> None:
        corner = np.array(corners)
        pole = np.exp(-2 * np.pi * corner / sample_rate)
        # The lower a corner, the more it counts: by 3 dB an octave.
        gain = (1 - pole) / np.sqrt(corner)
        # The sum of the squares of the impulse response, as a series
        power = direct * direct + 2 * direct * gain.sum()
        power += (np.outer(gain, gain) / (1 - np.outer(pole, pole))).sum()
        gain /= math.sqrt(power)
        direct /= math.sqrt(power)

        n = np.arange(STEP_FRAMES)
        response = (gain[:, None] * pole[:, None] ** n).sum(axis=0)
        response[0] += direct
        delay = n[None, :] - n[:, None]
        # Rows are frames in, columns frames out.
        self._within = np.where(delay >= 0, response[delay], 0.0)
        # What the poles hold: how it comes out, decays, and is renewed
        self._out = pole[:, None] ** (n + 1)
        self._decay = np.tile(pole**STEP_FRAMES, (channels, 1))
        self._renew = np.ascontiguousarray(
            (gain[:, None] * pole[:, None] ** n[::-1]).T
        )
        self._held = np.zeros((channels, len(pole)))
        self._new = np.empty((channels, len(pole)))
        self._white = np.empty((channels, STEP_FRAMES))
        self._coloured = np.empty((channels, STEP_FRAMES))
        self._tail = np.empty((channels, STEP_FRAMES))

    def apply(self, piece: np.ndarray) -> None:
        """Colour a piece, float64 of shape (channels, frames), in place.

        Its frames are a multiple of STEP_FRAMES.
        """
        # A step is copied out and back, since NumPy allocates a buffer to
        # compute with what is not contiguous.
        held, new, white = self._held, self._new, self._white
        coloured, tail = self._coloured, self._tail
        for start in range(0, piece.shape[1], STEP_FRAMES):
            step = piece[:, start : start + STEP_FRAMES]
            np.copyto(white, step)
            np.matmul(white, self._within, out=coloured)
            np.matmul(held, self._out, out=tail)
            np.add(coloured, tail, out=coloured)
            np.copyto(step, coloured)
            np.multiply(held, self._decay, out=held)
            np.matmul(white, self._renew, out=new)
            np.add(held, new, out=held)


class Noise(Source):
    """Makes noise: white, pink or brown; a block makes no arrays"""

    colour = Choice("white", ["white", "pink", "brown"])
    level = Float(-20, SILENCE, 0, unit="dBFS", help="of the RMS; -200: none")
    seed = Int(-1, -1, MAX_SEED, help="for the same noise again; -1: another")
    channels = Int(2, 1, 64, help="each with noise of its own")

    def start(self) -> None:
        if self.seed < 0:
            self.seed = secrets.randbelow(MAX_SEED)
        # A generator for each channel: it sounds the same, however many
        # there are beside it.
        seeds = np.random.SeedSequence(self.seed)
        self._generators = [
            np.random.Generator(np.random.PCG64(seed))
            for seed in seeds.spawn(self.channels)
        ]
        self._colour = self._make_colour()
        self._piece = np.empty((self.channels, PIECE_FRAMES))
        self._fades = [
            Fade(factor_of(self.level), PIECE_FRAMES)
            for _ in self._generators
        ]

    def _make_colour(self) -> Colour | None:
        if self.colour == "pink":
            corners, direct = PINK_CORNERS, PINK_DIRECT
        elif self.colour == "brown":
            corners, direct = BROWN_CORNERS, 0.0
        else:
            return None
        return Colour(corners, direct, self.rate, self.channels)

    def read(self) -> Iterator[np.ndarray]:
        while True:
            for channel, generator in zip(self._piece, self._generators):
                generator.standard_normal(out=channel)
            if self._colour is not None:
                self._colour.apply(self._piece)
            factor = factor_of(self.level)
            for channel, fade in zip(self._piece, self._fades):
                fade.apply(channel, factor)
            yield self._piece
