# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Noise: white, pink or brown, the same again for the same seed.

    gst-launch-1.0 ndapysrc plugin=noise parameters=colour=pink,seed=7 \
        num-buffers=50 ! ndapysink plugin=null_sink

========== ======= ====================================================
parameter  default
========== ======= ====================================================
`colour`   white   white: all frequencies alike; pink: -3 dB an octave,
                   within 0.4 dB from 20 Hz to 20 kHz; brown: -6 dB an
                   octave above 20 Hz
`level`    -20     dBFS, the root mean square, from -200 to 0, or -inf
`seed`     random  a whole number from 0 to 2^63 - 1
`channels` 2       1 to 64, each with noise of its own
========== ======= ====================================================

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

import numpy as np

from base_plugin import AudioBuffer
from _nda_basics import (
    MAX_CHANNELS,
    Choice,
    Integer,
    Level,
    ReadySource,
)
from _nda_levels import Fade, factor_of

# Noise is made in pieces of this size, whatever the host asks for.
PIECE_FRAMES = 512
STEP_FRAMES = 128
PINK_CORNERS = tuple(2.0 * 4.0**n for n in range(7))  # Hz
BROWN_CORNERS = (20.0,)  # Hz
# What pink noise needs of the white noise to be straight up to 20 kHz
PINK_DIRECT = 0.0035
MAX_SEED = (1 << 63) - 1


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


class NoisePlugin(ReadySource):
    """Makes Gaussian noise; a block makes no arrays."""

    NAME = "Noise"
    DESCRIPTION = "Makes noise: white, pink or brown"
    PARAMETERS = {
        "colour": Choice("white", ("white", "pink", "brown")),
        "level": Level(-20.0, -200.0, 0.0),
        "seed": Integer(0, 0, MAX_SEED),
        "channels": Integer(2, 1, MAX_CHANNELS),
    }
    FIXED = frozenset({"colour", "seed", "channels"})

    def __init__(self) -> None:
        super().__init__()
        self._parameters["seed"] = secrets.randbelow(MAX_SEED)
        self._level = factor_of(self._parameters["level"])

    def changed(self, key: str) -> None:
        if key == "channels":
            self._channels = self._parameters["channels"]
        elif key == "level":
            self._level = factor_of(self._parameters["level"])

    def set_channel_count(self, channels: int) -> None:
        super().set_channel_count(channels)
        self._parameters["channels"] = self._channels

    def prepare(self) -> None:
        # A generator for each channel: it sounds the same, however many
        # there are beside it.
        seeds = np.random.SeedSequence(self._parameters["seed"])
        self._generators = [
            np.random.Generator(np.random.PCG64(seed))
            for seed in seeds.spawn(self._channels)
        ]
        self._colour = self._make_colour()
        self._piece = np.empty((self._channels, PIECE_FRAMES))
        self._used = PIECE_FRAMES
        self._fades = [
            Fade(self._level, PIECE_FRAMES) for _ in self._generators
        ]

    def _make_colour(self) -> Colour | None:
        colour = self._parameters["colour"]
        if colour == "pink":
            corners, direct = PINK_CORNERS, PINK_DIRECT
        elif colour == "brown":
            corners, direct = BROWN_CORNERS, 0.0
        else:
            return None
        return Colour(corners, direct, self._sample_rate, self._channels)

    def read_audio(self, buffer: AudioBuffer) -> bool:
        block = buffer.data
        n_done, n_frames = 0, block.shape[1]
        while n_done < n_frames:
            if self._used == PIECE_FRAMES:
                self._make_piece()
            n_now = min(n_frames - n_done, PIECE_FRAMES - self._used)
            np.copyto(
                block[:, n_done : n_done + n_now],
                self._piece[:, self._used : self._used + n_now],
                casting="same_kind",
            )
            self._used += n_now
            n_done += n_now
        return True

    def _make_piece(self) -> None:
        # Once for all channels: it may be set from another thread.
        level = self._level
        for channel, generator in zip(self._piece, self._generators):
            generator.standard_normal(out=channel)
        if self._colour is not None:
            self._colour.apply(self._piece)
        for channel, fade in zip(self._piece, self._fades):
            fade.apply(channel, level)
        self._used = 0


def create_plugin() -> NoisePlugin:
    """Return a new instance; the host calls this once per element."""
    return NoisePlugin()
