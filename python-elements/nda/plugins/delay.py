# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
r"""Delay: an echo, or the sound as it is and later.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=delay \
        parameters=time=250,feedback=0.4,mix=0.3 ! ndasink

The output is (1 - mix) times the sound plus mix times the echo. With
`mix=1,feedback=0` the output is the sound alone, bit by bit, exactly as many
frames later as `time` says (48 a millisecond, rounded). With `mix=0` the sound
passes untouched.

A new `time` or `mix` is reached over one block, so that it does not click. The
delay is an effect, not a latency: none is reported.
"""

from __future__ import annotations

import numpy as np

from nda import Float, Processor

DISPLAY_NAME = "Delay"
LONGEST = 2000.0  # ms
# What is fed back is within these, or silent: quieter is slow to compute
# with, and louder (or not a number) would never die away.
QUIETEST = np.float32(1e-15)
LOUDEST = np.float32(1e15)
SILENCE = np.zeros((), np.float32)


class Delay(Processor):
    """Repeats the sound, or delays it

    The past is a ring of frames. A block goes through it in pieces, which end
    at the ring's end and are no longer than the delay, since a piece may hear
    its own echo.
    """

    time = Float(300, 1, LONGEST, unit="ms", help="from a sound to its echo")
    feedback = Float(0.35, 0, 0.95, help="each echo by the one before it")
    mix = Float(0.35, 0, 1, help="the echo's share of what comes out")

    def start(self) -> None:
        longest = round(LONGEST * self.rate / 1000)
        # Room for the longest delay, and for the block that is being written.
        self._ring = np.zeros((self.channels, longest + 1), np.float32)
        self._position = 0
        self._reached = self._delay_frames()
        self._reached_mix = self.mix
        self._make_arrays(self.frames)

    def process(self, block: np.ndarray) -> None:
        delay = self._delay_frames()
        self._run_ring(block, delay)
        self._blend(block, self.mix)
        self._reached = delay

    def _delay_frames(self) -> int:
        return round(self.time * self.rate / 1000)

    def _make_arrays(self, n_frames: int) -> None:
        # From just above 0 to exactly 1: the last frame has the new value.
        self._line = np.arange(1, n_frames + 1, dtype=np.float32)
        self._line /= n_frames
        self._ramp = np.empty_like(self._line)
        self._echo = np.empty((self.channels, n_frames), np.float32)
        self._work = np.empty(n_frames, np.float32)
        self._is_fit = np.empty(n_frames, bool)
        self._is_unfit = np.empty(n_frames, bool)

    def _run_ring(self, block: np.ndarray, delay: int) -> None:
        """Take the echo of `block` from the ring and write it there."""
        n_frames, n_ring = block.shape[1], self._ring.shape[1]
        begin = 0
        while begin < n_frames:
            now = self._position
            old = (now - self._reached) % n_ring
            new = (now - delay) % n_ring
            n = min(
                n_frames - begin,
                delay,
                self._reached,
                n_ring - max(old, new, now),
            )
            end = begin + n
            # One channel at a time: NumPy allocates a buffer for more.
            for sound, echo, ring in zip(block, self._echo, self._ring):
                part = echo[begin:end]
                np.copyto(part, ring[new : new + n])
                if old != new:
                    self._fade(ring[old : old + n], part, begin)
                np.copyto(ring[now : now + n], sound[begin:end])
                if self.feedback != 0:
                    self._feed_back(part, ring[now : now + n])
            self._position = (now + n) % n_ring
            begin = end

    def _fade(self, old: np.ndarray, echo: np.ndarray, begin: int) -> None:
        """Let `echo`, from frame `begin` on, go over from `old`."""
        n = len(echo)
        work = self._work[:n]
        np.subtract(echo, old, out=work)
        np.multiply(work, self._line[begin : begin + n], out=work)
        np.add(old, work, out=echo)

    def _feed_back(self, echo: np.ndarray, past: np.ndarray) -> None:
        """Add the echo to what will be heard again."""
        n = len(echo)
        fed = self._work[:n]
        is_fit, is_unfit = self._is_fit[:n], self._is_unfit[:n]
        np.absolute(echo, out=fed)
        np.greater(fed, QUIETEST, out=is_fit)
        np.less(fed, LOUDEST, out=is_unfit)
        np.logical_and(is_fit, is_unfit, out=is_fit)
        np.logical_not(is_fit, out=is_unfit)
        np.multiply(echo, np.float32(self.feedback), out=fed)
        np.putmask(fed, is_unfit, SILENCE)
        np.add(past, fed, out=past)

    def _blend(self, block: np.ndarray, mix: float) -> None:
        """Turn `block` into the sound and its echo, by their shares."""
        if mix != self._reached_mix:
            self._ramp_mix(block, self._reached_mix, mix)
            self._reached_mix = mix
        elif mix == 1:
            np.copyto(block, self._echo)
        elif mix != 0:
            np.multiply(self._echo, np.float32(mix), out=self._echo)
            np.multiply(block, np.float32(1 - mix), out=block)
            np.add(block, self._echo, out=block)

    def _ramp_mix(self, block: np.ndarray, old: float, new: float) -> None:
        np.multiply(self._line, np.float32(new - old), out=self._ramp)
        np.add(self._ramp, np.float32(old), out=self._ramp)
        np.subtract(self._echo, block, out=self._echo)
        for channel, difference in zip(block, self._echo):
            np.multiply(difference, self._ramp, out=difference)
            np.add(channel, difference, out=channel)
