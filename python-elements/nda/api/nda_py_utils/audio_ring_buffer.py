# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A ring of audio frames between two threads of a plugin.

Typically a device's callback writes and the block call reads, or the other
way round. Neither waits for the other: a writer that finds no room drops the
oldest frames, and that is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

__all__ = ["AudioRingBuffer", "RingBufferStats"]


@dataclass
class RingBufferStats:
    """What a ring has lost since it was made or reset.

    Attributes
    ----------
    dropped_frames : int
        Frames that never got to a reader.
    overflow_events : int
        Writes that dropped some.
    """

    dropped_frames: int = 0
    overflow_events: int = 0


class AudioRingBuffer:
    """A thread-safe ring of float32 frames that drops the oldest when full.

    Parameters
    ----------
    channels : int
        Number of channels, at least 1 (less counts as 1).
    capacity_frames : int
        How many frames fit in, at least 1 (less counts as 1).
    """

    # One lock guards everything below it. It is held for two copies of at
    # most the capacity, and never while anything is waited for.

    def __init__(self, channels: int, capacity_frames: int) -> None:
        self._lock = Lock()
        self.reset(channels, capacity_frames)

    def reset(self, channels: int, capacity_frames: int) -> None:
        """Start again, empty, with another shape and all counters zero.

        Parameters
        ----------
        channels, capacity_frames : int
            As for the constructor.
        """
        shape = (max(1, int(channels)), max(1, int(capacity_frames)))
        ring = np.zeros(shape, dtype=np.float32)
        with self._lock:
            self._ring = ring
            self._read_at = 0
            self._available = 0
            self._stats = RingBufferStats()

    def clear(self) -> None:
        """Forget all frames. The counters stay as they are."""
        with self._lock:
            self._read_at = 0
            self._available = 0

    def write(self, block: np.ndarray) -> None:
        """Append a block, dropping the oldest frames if there is no room.

        A block with at least as many frames as the capacity replaces
        everything with its newest part; that counts as one overflow, with
        the block's surplus over the capacity as dropped frames.

        Parameters
        ----------
        block : array_like
            Shape (channels, frames), any number type; kept as float32. One
            without frames is ignored.

        Raises
        ------
        ValueError
            If `block` is not two-dimensional or has another number of
            channels.
        """
        block = np.asarray(block)
        with self._lock:
            self._check_shape(block)
            n_frames = block.shape[1]
            capacity = self._ring.shape[1]
            if n_frames == 0:
                return
            if n_frames >= capacity:
                self._ring[:] = block[:, -capacity:]
                self._read_at = 0
                self._available = capacity
                self._count_overflow(n_frames - capacity)
                return
            surplus = self._available + n_frames - capacity
            if surplus > 0:
                self._skip(surplus)
                self._count_overflow(surplus)
            self._append(block)

    def read_into(self, out: np.ndarray) -> int:
        """Take the oldest frames out, as many as there are and fit.

        Parameters
        ----------
        out : numpy.ndarray
            Shape (channels, frames). Its start is filled; what lies beyond
            the frames read is left as it is.

        Returns
        -------
        int
            Number of frames read, 0 if the ring is empty.

        Raises
        ------
        ValueError
            If `out` is not a two-dimensional array or has another number of
            channels.
        """
        with self._lock:
            self._check_shape(out)
            n_frames = min(self._available, out.shape[1])
            start = self._read_at
            first = min(n_frames, self._ring.shape[1] - start)
            end = start + first
            out[:, :first] = self._ring[:, start:end]
            out[:, first:n_frames] = self._ring[:, : n_frames - first]
            self._skip(n_frames)
            return n_frames

    def get_channels(self) -> int:
        """Return the number of channels."""
        with self._lock:
            return self._ring.shape[0]

    def get_capacity_frames(self) -> int:
        """Return how many frames fit in."""
        with self._lock:
            return self._ring.shape[1]

    def get_available_frames(self) -> int:
        """Return how many frames can be read now."""
        with self._lock:
            return self._available

    def get_free_frames(self) -> int:
        """Return how many frames can be written now without a loss."""
        with self._lock:
            return self._ring.shape[1] - self._available

    def get_stats(self) -> RingBufferStats:
        """Return the counters as they are now, as a copy."""
        with self._lock:
            return replace(self._stats)

    # The rest is called with the lock held.

    def _check_shape(self, block: np.ndarray) -> None:
        n_channels = self._ring.shape[0]
        shape = getattr(block, "shape", None)
        if shape is None or len(shape) != 2 or shape[0] != n_channels:
            found = type(block).__name__ if shape is None else shape
            raise ValueError(
                f"need an array of shape ({n_channels}, frames), not {found}"
            )

    def _append(self, block: np.ndarray) -> None:
        n_frames = block.shape[1]
        capacity = self._ring.shape[1]
        start = (self._read_at + self._available) % capacity
        first = min(n_frames, capacity - start)
        end = start + first
        self._ring[:, start:end] = block[:, :first]
        self._ring[:, : n_frames - first] = block[:, first:]
        self._available += n_frames

    def _skip(self, n_frames: int) -> None:
        self._read_at = (self._read_at + n_frames) % self._ring.shape[1]
        self._available -= n_frames

    def _count_overflow(self, n_frames: int) -> None:
        self._stats.dropped_frames += n_frames
        self._stats.overflow_events += 1
