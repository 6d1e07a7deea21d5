# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Speaker: plays through a sound device, by PortAudio.

    gst-launch-1.0 ndapysrc plugin=microphone ! ndapysink plugin=speaker

============= ======= ===================================================
parameter     default
============= ======= ===================================================
`device`              a name, or a part of one that no other device has;
                      the system's default if neither this is given nor
`deviceIndex` -1      its number in PortAudio's list
`latencyMode` normal  low: starts to play with 1024 frames; normal: with
                      1536; both in periods of 10 ms; high: with 4096, in
                      periods of 20 ms
`channels`    2       1 to 64; a device that has fewer takes what it has
`bufferSize`  9600    frames, from 4096 to 96000: the most that waits
                      to be played
============= ======= ===================================================

All are fixed while the stream runs. Read with `get-parameter`: `underruns`,
how often there was silence because no frames were there in time, or, by
PortAudio's account, the device ran dry; `queued`, the frames in the ring.

Nothing is dropped: `write_audio` waits up to 20 ms for room and returns False
if there is none. `stop` plays all written sound to its end.

The device's clock is not the pipeline's: if it runs slow, it slowly fills the
ring; if it runs fast, it empties the ring. Needs python-sounddevice or PyAudio
(Debian: python3-pyaudio).

This is an example of API 1: a device that says itself how much it has, and
whose rate and channels the host asks for.
"""

from __future__ import annotations

import numpy as np

from base_plugin import AudioBuffer, PluginState
from _nda_basics import ReadySink
from _nda_device import Device
from _nda_portaudio import StreamFormat

WAIT_SECONDS = 0.02
# How long `stop` waits for the end, beyond the time it should take
DRAIN_SECONDS = 0.5
FRAMES_AT_START = {"low": 1024, "normal": 1536, "high": 4096}


class SpeakerPlugin(Device, ReadySink):
    """Writes into the ring that PortAudio's thread reads."""

    NAME = "Speaker"
    DESCRIPTION = "Plays through a sound device, by PortAudio"
    IS_INPUT = False

    def __init__(self) -> None:
        super().__init__()
        # [_moved] silence is played until there is enough to start with
        self._is_playing = False
        self._is_draining = False

    def _prepare_stream(self, format: StreamFormat) -> None:
        self._is_playing = self._is_draining = False
        self._n_silent = 0
        self._n_at_start = FRAMES_AT_START[self._parameters["latencyMode"]]
        self._patience = format.period_frames / format.sample_rate / 2
        self._make_arrays(format.channels, format.period_frames)

    def _make_arrays(self, channels: int, n_frames: int) -> None:
        # The same, by channels and by frames
        self._period = np.zeros((channels, n_frames), dtype=np.float32)
        self._frames = np.zeros((n_frames, channels), dtype=np.float32)

    def write_audio(self, buffer: AudioBuffer) -> bool:
        n_frames = buffer.data.shape[1]
        with self._moved:
            has_room = self._moved.wait_for(
                lambda: self._has_room(n_frames) or not self._is_running(),
                WAIT_SECONDS,
            )
            if not has_room or not self._is_running():
                return False
            # Nobody else writes, so there still is room.
            self._ring.write(buffer.data)
            self._moved.notify_all()
        return True

    def _is_running(self) -> bool:
        return self.state is PluginState.RUNNING

    def _has_room(self, n_frames: int) -> bool:
        return self._ring.get_free_frames() >= n_frames

    def get_available_space(self) -> int:
        return self._ring.get_free_frames()

    def _callback(self, n_frames: int, has_run_dry: bool) -> bytes:
        with self._moved:
            if not self._may_play():
                return bytes(n_frames * self._channels * 4)
            if has_run_dry:
                self._n_xruns += 1
            # The device still has something to play meanwhile.
            self._moved.wait_for(
                lambda: self._is_draining
                or self._ring.get_available_frames() >= n_frames,
                self._patience,
            )
            self._take(n_frames)
            self._moved.notify_all()
        return self._frames.tobytes()

    # With `_moved` held:

    def _may_play(self) -> bool:
        if not self._is_playing and not self._is_draining:
            n_there = self._ring.get_available_frames()
            self._is_playing = n_there >= self._n_at_start
        return self._is_playing or self._is_draining

    def _take(self, n_frames: int) -> None:
        """Fill `_frames`, with silence where there is nothing."""
        if n_frames != len(self._frames):
            self._make_arrays(self._channels, n_frames)
        n_read = self._ring.read_into(self._period)
        if n_read < n_frames:
            self._period[:, n_read:] = 0
            if self._is_draining:
                self._n_silent += n_frames - n_read
            else:
                self._is_playing = False
                self._n_xruns += 1
        np.copyto(self._frames, self._period.T)

    def finish(self) -> None:
        """Play to the end: the ring, and after it silence for as long as the
        device takes, which throws away what it has when it is closed."""
        assert self._stream is not None
        latency = self._stream.latency * self._sample_rate
        n_to_play = self._period.shape[1] + latency
        n_queued = self._ring.get_available_frames()
        with self._moved:
            self._is_draining = True
            self._moved.notify_all()
            self._moved.wait_for(
                lambda: self._n_silent >= n_to_play,
                (n_queued + n_to_play) / self._sample_rate + DRAIN_SECONDS,
            )
        super().finish()

    def read_out(self, key: str) -> str:
        if key == "underruns":
            return str(self._n_xruns)
        return super().read_out(key)


def create_plugin() -> SpeakerPlugin:
    """Return a new instance; the host calls this once per element."""
    return SpeakerPlugin()
