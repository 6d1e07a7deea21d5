# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
r"""Noise gate: silence while nobody speaks.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=gate \
        parameters=threshold=-45,hold=150 ! ndasink

The gate opens when a sample reaches the threshold in any channel, and for all
channels at once. It closes when for the length of `hold` none has reached
threshold minus hysteresis. `hold` bridges the zeros in each wave of a tone,
which is why it has a least value.

Open, the gate passes the sound bit by bit; closed, it is silent. Between them
the gain moves in a straight line. No latency: the first moment of a sound is
faded in over `attack`.
"""

from __future__ import annotations

import numpy as np

from nda import Float, Processor
from _nda_levels import factor_of

DISPLAY_NAME = "Gate"

# A frame so long ago that no hold reaches back to it.
NEVER = -(2**30)


class Gate(Processor):
    """Silence while the sound is quiet

    For each frame of a block it is known which was the last frame loud enough
    to open the gate, the last loud enough to keep it open, and the first of
    the run of the latter without a gap longer than `hold`. The gate is open
    where the run goes on and something in it was loud enough to open it. All
    three are numbers of frames, counted from the start of the block.
    """

    threshold = Float(-50, -90, 0, unit="dBFS", help="it opens at this peak")
    hysteresis = Float(6, 0, 30, unit="dB", help="it closes so far below")
    attack = Float(1, 0, 100, unit="ms", help="to open")
    hold = Float(100, 10, 2000, unit="ms", help="to stay open")
    release = Float(150, 0, 2000, unit="ms", help="to close")

    def start(self) -> None:
        self._gain = 0.0
        self._last_opening = NEVER
        self._last_keeping = NEVER
        self._run_begin = NEVER
        self._make_arrays(self.frames)

    def process(self, block: np.ndarray) -> None:
        self._measure(block)
        self._decide(self._frames_of(self.hold))
        self._apply(block)

    def _frames_of(self, time: float) -> int:
        return round(time * self.rate / 1000)

    def _make_arrays(self, n_frames: int) -> None:
        self._frame = np.arange(n_frames, dtype=np.int32)
        self._peak = np.empty(n_frames, np.float32)
        self._work = np.empty(n_frames, np.float32)
        self._opens = np.empty(n_frames, bool)
        self._keeps = np.empty(n_frames, bool)
        self._is_open = np.empty(n_frames, bool)
        self._opening = np.empty(n_frames, np.int32)
        # One more, in front: the last one of the block before.
        self._keeping = np.empty(n_frames + 1, np.int32)
        self._begin = np.empty(n_frames, np.int32)
        self._marks = np.empty(n_frames, np.int32)
        self._steps = np.arange(1, n_frames + 1, dtype=np.float32)
        self._gains = np.empty(n_frames, np.float32)

    def _measure(self, block: np.ndarray) -> None:
        """Find the peak of each frame, and what it is loud enough for."""
        self._peak.fill(0)
        for channel in block:
            np.absolute(channel, out=self._work)
            # Not np.maximum: what is not a number is not loud.
            np.fmax(self._peak, self._work, out=self._peak)
        threshold = self.threshold
        keeping = threshold - self.hysteresis
        opens, keeps = factor_of(threshold), factor_of(keeping)
        np.greater_equal(self._peak, np.float32(opens), out=self._opens)
        np.greater_equal(self._peak, np.float32(keeps), out=self._keeps)

    def _find_last(
        self, where: np.ndarray, before: int, out: np.ndarray
    ) -> None:
        """For each frame the last one so far `where` it holds."""
        self._marks.fill(NEVER)
        np.copyto(self._marks, self._frame, where=where)
        self._marks[0] = max(before, int(self._marks[0]))
        np.maximum.accumulate(self._marks, out=out)

    def _decide(self, hold: int) -> None:
        """Find where the gate is open."""
        n_frames = len(self._frame)
        opening, keeping, begin = self._opening, self._keeping, self._begin
        self._find_last(self._opens, self._last_opening, opening)
        keeping[0] = self._last_keeping
        self._find_last(self._keeps, self._last_keeping, keeping[1:])

        # A run begins with a frame that keeps, and none for `hold` before it.
        np.subtract(self._frame, keeping[:-1], out=self._marks)
        np.greater(self._marks, hold, out=self._is_open)
        np.logical_and(self._is_open, self._keeps, out=self._keeps)
        self._find_last(self._keeps, self._run_begin, begin)

        np.subtract(self._frame, keeping[1:], out=self._marks)
        np.less_equal(self._marks, hold, out=self._is_open)
        np.greater_equal(opening, begin, out=self._opens)
        np.logical_and(self._is_open, self._opens, out=self._is_open)

        self._last_opening = max(int(opening[-1]) - n_frames, NEVER)
        self._last_keeping = max(int(keeping[-1]) - n_frames, NEVER)
        self._run_begin = max(int(begin[-1]) - n_frames, NEVER)

    def _apply(self, block: np.ndarray) -> None:
        """Multiply by a gain that moves towards open or closed."""
        is_open = self._is_open
        if self._gain == is_open[0] and is_open.all() == is_open.any():
            if not is_open[0]:
                block.fill(0)
            return
        begin, n_frames = 0, len(is_open)
        while begin < n_frames:
            rest = is_open[begin:]
            n = int(rest.argmin() if rest[0] else rest.argmax()) or len(rest)
            self._move(begin, begin + n, bool(rest[0]))
            begin += n
        # One channel at a time: broadcasting makes NumPy allocate a buffer.
        for channel in block:
            np.multiply(channel, self._gains, out=channel)

    def _move(self, begin: int, end: int, is_open: bool) -> None:
        """Fill in the gains of a stretch, from the last one on."""
        gains = self._gains[begin:end]
        time = self.attack if is_open else self.release
        n_steps = max(self._frames_of(time), 1)
        step = (1 if is_open else -1) / n_steps
        np.multiply(self._steps[: end - begin], np.float32(step), out=gains)
        np.add(gains, np.float32(self._gain), out=gains)
        np.maximum(gains, np.float32(0), out=gains)
        np.minimum(gains, np.float32(1), out=gains)
        self._gain = float(gains[-1])
