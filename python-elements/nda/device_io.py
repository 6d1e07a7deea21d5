# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A sound device behind a queue, for the elements written in Python.

Threads: PortAudio calls `_callback` on a thread of its own. Whoever takes
blocks from a `Recorder`, or gives them to a `Player`, waits on the queue
alone and can be woken there with `interrupt`. Locks: `_opening` is held while
PortAudio opens or closes the device; all else is guarded by the condition,
which nobody holds while calling PortAudio or waiting for anything else. It
stops when `interrupt` has woken who waits and `close` ends the callbacks.

Sound is 32-bit floats in native byte order, interleaved, as bytes.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, NamedTuple, Optional

from . import plugins_path

# The same module that the plugins import: PortAudio has one lock.
if plugins_path() not in sys.path:
    sys.path.append(plugins_path())
import _nda_portaudio  # noqa: E402
from _nda_portaudio import DeviceError, StreamFormat  # noqa: E402

BLOCK_FRAMES = 512
SECOND = 1_000_000_000
# How long a device may give or take nothing, in seconds
PATIENCE = 5.0


class _Queue:
    """A device, found by its name but not opened yet, and its queue.

    Parameters
    ----------
    device : str or None
        Its name or a part of it; the default device if empty.
    period_frames : int
        How many frames PortAudio gives or takes at once. The device's own
        ring holds some three such periods.

    Raises
    ------
    DeviceError
        If it, or a package to reach it with, is not there.
    """

    IS_INPUT: bool

    def __init__(self, device: Optional[str], period_frames: int) -> None:
        self.n_xruns = 0
        self._period_frames = period_frames
        self.latency = 0  # the device's own, once it is open (ns)
        self._changed = threading.Condition(threading.Lock())
        self._fifo = bytearray()
        self._is_interrupted = False
        self._is_paused = False
        self._opening = threading.Lock()  # outside the condition
        self._stream: Any = None
        self._portaudio = _nda_portaudio.load(self.IS_INPUT)
        try:
            self._device = _nda_portaudio.find_device(
                self._portaudio, device or "", -1
            )
        except DeviceError:
            self._portaudio.close()
            raise

    def set_format(self, rate: int, channels: int) -> None:
        """Take the format of the next `open`; the device must be closed."""
        self._rate = rate
        self._channels = channels
        self._bpf = 4 * channels

    def is_open(self) -> bool:
        return self._stream is not None

    def open(self) -> None:
        """Start the device, unless it is open, paused or interrupted.

        Raises
        ------
        DeviceError
            If PortAudio refuses it.
        """
        with self._opening:
            if self.is_open() or self._is_paused or self._is_interrupted:
                return
            self._prepare()
            self._stream = self._portaudio.open(
                StreamFormat(
                    self._device,
                    self._rate,
                    self._channels,
                    self._period_frames,
                ),
                self._callback,
            )
            self.latency = int(self._stream.latency * SECOND)

    def _prepare(self) -> None:
        """Get ready for the callbacks of a device about to be opened."""

    def close(self) -> None:
        """Stop the device; what waits in the queue stays there."""
        with self._opening:
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.close()

    def pause(self, is_paused: bool) -> None:
        """Close the device, and keep it closed until the opposite call."""
        with self._changed:
            self._is_paused = is_paused
            self._changed.notify_all()
        if is_paused:
            self.close()

    def release(self) -> None:
        """Give up PortAudio; no device can be opened any more."""
        self.close()
        self._portaudio.close()

    def interrupt(self, is_interrupted: bool) -> None:
        """Make a waiting thread return, until the opposite call."""
        with self._changed:
            self._is_interrupted = is_interrupted
            self._changed.notify_all()

    def is_interrupted(self) -> bool:
        return self._is_interrupted

    def flush(self) -> None:
        """Empty the queue."""
        with self._changed:
            self._fifo.clear()
            self._changed.notify_all()

    def _wait_locked(self) -> None:
        if not self._changed.wait(PATIENCE) and not self._is_paused:
            raise DeviceError(
                f"the device “{self._device.name}” has stopped: is it still "
                "connected?"
            )

    def _callback(self, *arguments: Any) -> Any:
        raise NotImplementedError


class Block(NamedTuple):
    """A block of a `Recorder`."""

    data: bytes
    end: int  # when its last frame was heard, by time.monotonic_ns ()
    has_lost: bool  # whether frames were lost in it or right before it


class Recorder(_Queue):
    """Hears a microphone, in blocks. `n_xruns` counts its overruns."""

    IS_INPUT = True
    MAX_BLOCKS = 32  # that wait; more are lost

    def __init__(self, device: Optional[str], period_frames: int) -> None:
        super().__init__(device, period_frames)
        self._heard_at = 0
        self._lost_at: Optional[int] = None  # bytes from the queue's front

    def _prepare(self) -> None:
        self.flush()
        self._lost_at = None

    def get(self) -> Optional[Block]:
        """Wait for a block and return it; wait on while paused.

        Return None if interrupted, or if the device is to be opened.

        Raises
        ------
        DeviceError
            If the device has stopped.
        """
        n_bytes = BLOCK_FRAMES * self._bpf
        with self._changed:
            while len(self._fifo) < n_bytes and not self._is_interrupted:
                if self._is_paused:
                    self._changed.wait()
                elif self.is_open():
                    self._wait_locked()
                else:
                    return None
            if self._is_interrupted:
                return None
            data = bytes(self._fifo[:n_bytes])
            del self._fifo[:n_bytes]
            has_lost = False
            if self._lost_at is not None:
                has_lost = self._lost_at < n_bytes
                self._lost_at -= n_bytes
            if has_lost:
                self._lost_at = None
            n_waiting = len(self._fifo) // self._bpf
            end = self._heard_at - n_waiting * SECOND // self._rate
            return Block(data, end, has_lost)

    def _callback(self, data: bytes, has_overrun: bool) -> None:
        now = time.monotonic_ns()
        with self._changed:
            n_most = self.MAX_BLOCKS * BLOCK_FRAMES * self._bpf
            is_full = len(self._fifo) + len(data) > n_most
            if has_overrun or is_full:
                self.n_xruns += 1
                if self._lost_at is None:
                    self._lost_at = len(self._fifo)
            if not is_full:
                self._fifo += data
                self._heard_at = now
                self._changed.notify_all()


class Clock:
    """The time that a device keeps, in nanoseconds.

    It goes on with the system's while no device plays, and follows the
    frames played, smoothly, while one does.
    """

    def __init__(self) -> None:
        self._offset = 0
        self._origin: Optional[int] = None

    def get_time(self) -> int:
        """Return the time; any thread may ask."""
        return time.monotonic_ns() + self._offset

    def restart(self) -> None:
        """Take the next number of frames as it comes."""
        self._origin = None

    def follow(self, n_played: int, rate: int) -> None:
        """Take in how many frames have been played; one thread alone."""
        now = self.get_time()
        played = n_played * SECOND // rate
        if self._origin is None:
            self._origin = now - played
        self._offset += (self._origin + played - now) // 128


class Player(_Queue):
    """Plays on a speaker. `n_xruns` counts its underruns.

    Before the first sound, and after an underrun, goes a cushion of silence,
    which is how late a block may come.

    Parameters
    ----------
    cushion : int
        The cushion, in blocks. Twice as many blocks may wait.
    clock : Clock
        Is made to follow the frames played.
    """

    IS_INPUT = False

    def __init__(
        self,
        device: Optional[str],
        period_frames: int,
        cushion: int,
        clock: Clock,
    ) -> None:
        super().__init__(device, period_frames)
        self.clock = clock
        self._cushion = cushion
        self._is_dry = True
        self._n_played = 0

    def _prepare(self) -> None:
        self._n_played = 0
        self.clock.restart()

    def put(self, data: bytes, is_first: bool) -> bool:
        """Wait for room and queue up a block; False if interrupted.

        `is_first` says that nothing was to be heard right before it.

        Raises
        ------
        DeviceError
            If the device has stopped.
        """
        block = BLOCK_FRAMES * self._bpf
        with self._changed:
            while (
                len(self._fifo) >= 2 * self._cushion * block
                and not self._is_interrupted
            ):
                self._wait_locked()
            if self._is_interrupted:
                return False
            if self._is_dry:
                self.n_xruns += not is_first
                self._fifo += bytes(self._cushion * block)
                self._is_dry = False
            self._fifo += data
            return True

    def drain(self) -> bool:
        """Wait until the device has it all; False if interrupted."""
        with self._changed:
            while self._fifo and not self._is_interrupted:
                self._wait_locked()
            return not self._fifo

    def _callback(self, n_frames: int, has_run_dry: bool) -> bytes:
        n_bytes = n_frames * self._bpf
        with self._changed:
            data = bytes(self._fifo[:n_bytes])
            del self._fifo[:n_bytes]
            if len(data) < n_bytes:
                self._is_dry = True
                data += bytes(n_bytes - len(data))
            if has_run_dry and self._n_played:
                self.n_xruns += 1
                self.clock.restart()
            self._changed.notify_all()
        # The first periods come at once and fill the device.
        if self._n_played * SECOND <= 2 * self.latency * self._rate:
            self.clock.restart()
        self._n_played += n_frames
        self.clock.follow(self._n_played, self._rate)
        return data
