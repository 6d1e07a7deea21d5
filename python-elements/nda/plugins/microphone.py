# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Microphone: what a sound device hears, through PortAudio.

    gst-launch-1.0 ndapysrc plugin=microphone ! ndapysink plugin=speaker

============= ======= ===================================================
parameter     default
============= ======= ===================================================
`device`              a name, or a part of one that no other device has;
                      the system's default if neither this is given nor
`deviceIndex` -1      its number in PortAudio's list
`latencyMode` normal  low, normal: a period of 10 ms; high: 20 ms
`channels`    2       1 to 64; a device that has fewer gives what it has
`bufferSize`  9600    frames, from 4096 to 96000: what is kept for a host
                      that is late
============= ======= ===================================================

All are fixed while the stream runs. Read with `get-parameter`: `overruns`,
how often frames were lost, because they came while the ring was full or, by
PortAudio's account, before they got there; `queued`, the frames in the ring.

`read_audio` waits for a block, at most 50 ms. The first block is fresh: sound
from before the first call is dropped. If the host did not read for longer than
the ring lasts, the sound in the ring is dropped too; otherwise all later sound
would be that late.

The device's clock is not the pipeline's: if it runs fast, it slowly fills the
ring. Needs python-sounddevice or PyAudio (Debian: python3-pyaudio).

This is an example of API 1: a device that says itself how much it has, and
whose rate and channels the host asks for.
"""

from __future__ import annotations

from base_plugin import AudioBuffer, PluginState
from _nda_basics import ReadySource
from _nda_device import Device
from _nda_portaudio import StreamFormat

WAIT_SECONDS = 0.05


class MicrophonePlugin(Device, ReadySource):
    """Reads from the ring that PortAudio's thread writes."""

    NAME = "Microphone"
    DESCRIPTION = "Hears what a sound device hears, through PortAudio"
    IS_INPUT = True

    def __init__(self) -> None:
        super().__init__()
        # [host's thread] how many overflows of the ring it has seen; -1:
        # it has not read anything yet
        self._n_overflows = -1

    def _prepare_stream(self, format: StreamFormat) -> None:
        self._n_overflows = -1

    def _callback(self, data: bytes, has_overflowed: bool) -> None:
        if has_overflowed:
            self._n_xruns += 1
        self._ring.write(self._frames_of(data))
        with self._moved:
            self._moved.notify_all()

    def read_audio(self, buffer: AudioBuffer) -> bool:
        self._forget_the_old()
        n_frames = buffer.data.shape[1]
        with self._moved:
            self._moved.wait_for(
                lambda: self._has(n_frames) or not self._is_running(),
                WAIT_SECONDS,
            )
        if not self._is_running() or not self._has(n_frames):
            return False
        return self._ring.read_into(buffer.data) == n_frames

    def _is_running(self) -> bool:
        return self.state is PluginState.RUNNING

    def _has(self, n_frames: int) -> bool:
        return self._ring.get_available_frames() >= n_frames

    def _forget_the_old(self) -> None:
        n_overflows = self._ring.get_stats().overflow_events
        if n_overflows == self._n_overflows:
            return
        if self._n_overflows >= 0:
            self._n_xruns += 1
        self._ring.clear()
        self._n_overflows = n_overflows

    def read_out(self, key: str) -> str:
        if key == "overruns":
            return str(self._n_xruns)
        return super().read_out(key)


def create_plugin() -> MicrophonePlugin:
    """Return a new instance; the host calls this once per element."""
    return MicrophonePlugin()
