# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
r"""Radio voice: speech as a radio or a telephone passes it.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=radio_voice ! ndasink

Between the corners the level stays as it is; outside it falls by 24 dB an
octave (Butterworth, fourth order, on either side). No latency is added: the
filter is recursive, as an analogue one is. A new corner is heard from the next
block on.
"""

from __future__ import annotations

import math

import numpy as np

from nda import Float, Processor

DISPLAY_NAME = "Radio voice"
BLOCK_FRAMES = 512
PIECE_FRAMES = 32
N_PIECES = BLOCK_FRAMES // PIECE_FRAMES
# The quality factors of the two second-order halves of a Butterworth filter.
QUALITIES = tuple(0.5 / math.cos(n * math.pi / 8) for n in (1, 3))
# What the filter remembers is within these, or forgotten: quieter is slow to
# compute with, and louder (or not a number) would never die away.
QUIETEST, LOUDEST = 1e-20, 1e20


def design_section(
    corner: float, quality: float, is_high_pass: bool, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return numerator and denominator of a second-order Butterworth half.

    By the bilinear transform, with the corner (Hz) where it should be.
    """
    k = math.tan(math.pi * corner / rate)
    kk, damping = k * k, k / quality
    a = np.array([1 + damping + kk, 2 * kk - 2, 1 - damping + kk])
    b = np.array([1.0, -2.0, 1.0] if is_high_pass else [kk, 2 * kk, kk])
    return b / a[0], a / a[0]


class StateSpace:
    """A chain of second-order sections as one linear system.

    s(n+1) = A s(n) + B x(n),  y(n) = C s(n) + D x(n)

    so that a block can be filtered by products of matrices made beforehand:
    it is cut into pieces of `PIECE_FRAMES`, whose output is that of their own
    input plus that of the state they begin with; and all those states depend
    on the first one and on what each piece adds.

    Attributes
    ----------
    own : numpy.ndarray
        (piece, piece): the output of a piece from its input.
    adds : numpy.ndarray
        (piece, states): what a piece's input adds to the state after it.
    states : numpy.ndarray
        (pieces * states, (pieces + 1) * states): the states before each piece
        and after the last, from what the pieces add.
    first : numpy.ndarray
        (states, (pieces + 1) * states): the same from the first state.
    rings : numpy.ndarray
        (states, piece): the output of a piece from the state before it.

    All of them multiply rows from the right.
    """

    def __init__(self, sections: list[tuple[np.ndarray, np.ndarray]]) -> None:
        self.n_states = 2 * len(sections)
        self._chain(sections)
        self._make_piece()
        self._make_block()

    def _chain(self, sections: list[tuple[np.ndarray, np.ndarray]]) -> None:
        n = self.n_states
        # The system, a row for what each state will be, and the signal on its
        # way through the sections as a row of (states, input).
        system = np.zeros((n, n + 1))
        signal = np.zeros(n + 1)
        signal[n] = 1
        for index, (b, a) in enumerate(sections):
            one, two = 2 * index, 2 * index + 1
            out = b[0] * signal
            out[one] += 1
            system[one] = b[1] * signal - a[1] * out
            system[one, two] += 1
            system[two] = b[2] * signal - a[2] * out
            signal = out
        self.a, self.b = system[:, :n], system[:, n]
        self.c, self.d = signal[:n], float(signal[n])

    def _make_piece(self) -> None:
        n, size = self.n_states, PIECE_FRAMES
        self.rings = np.empty((n, size))
        self.adds = np.empty((size, n))
        row, column = self.c, self.b
        impulse = np.empty(size)
        impulse[0] = self.d
        for frame in range(size):
            self.rings[:, frame] = row
            self.adds[size - 1 - frame] = column
            if frame + 1 < size:
                impulse[frame + 1] = row @ self.b
            row, column = row @ self.a, self.a @ column
        self.own = np.zeros((size, size))
        for frame in range(size):
            self.own[frame, frame:] = impulse[: size - frame]

    def _make_block(self) -> None:
        n, pieces = self.n_states, N_PIECES
        step = np.linalg.matrix_power(self.a, PIECE_FRAMES).T
        powers = [np.eye(n)]
        for _ in range(pieces):
            powers.append(powers[-1] @ step)
        self.first = np.hstack(powers)
        self.states = np.zeros((pieces * n, (pieces + 1) * n))
        for piece in range(pieces):
            self.states[piece * n : (piece + 1) * n, (piece + 1) * n :] = (
                np.hstack(powers[: pieces - piece])
            )


class RadioVoice(Processor):
    """Passes what a radio or a telephone passes of a voice"""

    frames = BLOCK_FRAMES
    low = Float(300, 20, 2000, unit="Hz", help="lower edge")
    high = Float(3400, 2000, 20000, unit="Hz", help="upper edge")

    def start(self) -> None:
        self._design()
        n, n_rows = self._filter.n_states, self.channels * N_PIECES
        # Rows of states, one for each channel, and its pieces beside it.
        self._state = np.zeros((self.channels, n))
        self._sound = np.empty((self.channels, BLOCK_FRAMES))
        self._result = np.empty((n_rows, PIECE_FRAMES))
        self._ringing = np.empty((n_rows, PIECE_FRAMES))
        self._added = np.empty((n_rows, n))
        self._begun = np.empty((n_rows, n))
        self._states = np.empty((self.channels, (N_PIECES + 1) * n))
        self._from_first = np.empty_like(self._states)
        self._size = np.empty_like(self._state)

    def on_change(self, name: str) -> None:
        self._design()

    def _design(self) -> None:
        rate = self.rate
        below = [design_section(self.low, q, True, rate) for q in QUALITIES]
        above = [design_section(self.high, q, False, rate) for q in QUALITIES]
        self._filter = StateSpace(below + above)

    def process(self, block: np.ndarray) -> None:
        voice = self._filter
        n, channels = voice.n_states, self.channels
        np.copyto(self._sound, block)
        pieces = self._sound.reshape(-1, PIECE_FRAMES)

        np.matmul(pieces, voice.adds, out=self._added)
        np.matmul(
            self._added.reshape(channels, -1), voice.states, out=self._states
        )
        np.matmul(self._state, voice.first, out=self._from_first)
        np.add(self._states, self._from_first, out=self._states)
        np.copyto(self._state, self._states[:, -n:])
        np.copyto(self._begun.reshape(channels, -1), self._states[:, :-n])

        np.matmul(pieces, voice.own, out=self._result)
        np.matmul(self._begun, voice.rings, out=self._ringing)
        np.add(self._result, self._ringing, out=self._result)
        np.copyto(
            block,
            self._result.reshape(channels, BLOCK_FRAMES),
            casting="same_kind",
        )
        self._tidy_state()

    def _tidy_state(self) -> None:
        np.absolute(self._state, out=self._size)
        if not QUIETEST < self._size.max() < LOUDEST:
            self._state.fill(0)
