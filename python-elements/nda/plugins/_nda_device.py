# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The common part of microphone and speaker: choosing and opening the device,
and the ring buffer between its callback and the host's thread.
"""

from __future__ import annotations

import threading
from typing import ClassVar

import numpy as np

from nda_py_utils.audio_ring_buffer import AudioRingBuffer
import _nda_portaudio
from _nda_basics import (
    MAX_CHANNELS,
    Choice,
    Integer,
    Parameter,
    ReadyMade,
    Text,
)
from _nda_portaudio import DeviceError, StreamFormat

# Frames of a callback. Whole milliseconds, since sound servers count time in
# small whole units, and would give a stream of 512 frames its own rate.
PERIOD_FRAMES = {"low": 480, "normal": 480, "high": 960}

DEVICE_PARAMETERS: dict[str, Parameter] = {
    "device": Text(),
    "deviceIndex": Integer(-1, -1, 9999),
    "latencyMode": Choice("normal", tuple(PERIOD_FRAMES)),
    "channels": Integer(2, 1, MAX_CHANNELS),
    "bufferSize": Integer(9600, 4096, 96000),
}


class Device(ReadyMade):
    """A plugin with a device behind it.

    The host's thread and PortAudio's meet in a ring. Its own lock guards the
    frames; the condition `_moved`, which nobody holds while waiting for
    anything else, says that some have been written or read, or that the
    plugin is to stop.
    """

    IS_INPUT: ClassVar[bool]
    # Called on PortAudio's thread
    _callback: _nda_portaudio.Callback
    PARAMETERS = DEVICE_PARAMETERS
    FIXED = frozenset(DEVICE_PARAMETERS)

    def __init__(self) -> None:
        super().__init__()
        self._moved = threading.Condition()
        self._ring = AudioRingBuffer(self._channels, 1)
        self._portaudio: _nda_portaudio.PortAudio | None = None
        self._stream: _nda_portaudio.Stream | None = None
        self._n_xruns = 0

    def initialize(self) -> bool:
        self._portaudio = _nda_portaudio.load(self.IS_INPUT)
        return super().initialize()

    def shutdown(self) -> None:
        super().shutdown()
        if self._portaudio is not None:
            self._portaudio.close()
            self._portaudio = None

    def changed(self, key: str) -> None:
        if key == "channels":
            self._channels = self._parameters["channels"]

    def set_channel_count(self, channels: int) -> None:
        super().set_channel_count(channels)
        self._parameters["channels"] = self._channels

    def _format(self, sample_rate: int, channels: int) -> StreamFormat:
        assert self._portaudio is not None
        device = _nda_portaudio.find_device(
            self._portaudio,
            self._parameters["device"],
            self._parameters["deviceIndex"],
        )
        period = PERIOD_FRAMES[self._parameters["latencyMode"]]
        return StreamFormat(
            device,
            sample_rate,
            min(channels, device.channels),
            period * sample_rate // 48000,
        )

    def _choose(self) -> StreamFormat:
        """Return what the device takes: the channels asked for, or mono; the
        rate asked for, or its own."""
        assert self._portaudio is not None
        asked = self._format(self._sample_rate, self._parameters["channels"])
        for sample_rate in (asked.sample_rate, asked.device.sample_rate):
            for channels in (asked.channels, 1):
                format = self._format(sample_rate, channels)
                if self._portaudio.is_supported(format):
                    return format
        return asked

    def get_sample_rate(self) -> int:
        return self._sample_rate

    def set_sample_rate(self, sample_rate: int) -> None:
        """Take the rate if the device does, its own otherwise."""
        super().set_sample_rate(sample_rate)
        try:
            self._sample_rate = self._choose().sample_rate
        except DeviceError:
            # `start` will say so.
            pass

    def prepare(self) -> None:
        assert self._portaudio is not None
        format = self._choose()
        self._sample_rate = format.sample_rate
        self._channels = format.channels
        self._n_xruns = 0
        self._ring.reset(format.channels, self._parameters["bufferSize"])
        self._prepare_stream(format)
        self._stream = self._portaudio.open(format, self._callback)

    def _prepare_stream(self, format: StreamFormat) -> None:
        """Make the arrays of the callback."""

    def finish(self) -> None:
        with self._moved:
            self._moved.notify_all()
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _frames_of(self, data: bytes) -> np.ndarray:
        """Return interleaved frames as a view, (channels, frames)."""
        return np.frombuffer(data, np.float32).reshape(-1, self._channels).T

    def read_out(self, key: str) -> str:
        if key == "queued":
            return str(self._ring.get_available_frames())
        return ""
