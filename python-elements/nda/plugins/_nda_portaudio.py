# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""PortAudio through whichever of its Python packages is installed.

python-sounddevice is taken if it can be imported, PyAudio otherwise. Both are
imported when a plugin is initialised, never before, and look the same from
here on: a list of devices, and streams of float32 frames with a callback.

Threads: a stream's callback runs on a thread of PortAudio's, with the GIL. It
gets `bytes` of interleaved frames, or returns them. PortAudio itself is not
thread-safe, so all other calls are made under one lock of this module, which
no callback takes.
"""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable, Iterable

HINT = (
    "there is neither python-sounddevice nor PyAudio, one of which is needed "
    "to reach a sound device: install one, on Debian with “apt-get install "
    "python3-pyaudio”"
)

# Of an input: takes the frames, as bytes, and whether PortAudio has lost some
# before them. Of an output: takes how many frames are wanted, and whether the
# device has run dry before them; returns as many.
Callback = Callable[..., Any]

_lock = threading.Lock()


class DeviceError(OSError):
    """A device cannot be found or opened, and what to do about it."""


@dataclass(frozen=True)
class Device:
    """A device as PortAudio lists it."""

    index: int
    name: str
    channels: int  # in the direction asked for
    sample_rate: int  # Hz, the one it prefers


@dataclass(frozen=True)
class StreamFormat:
    """What a stream shall be like."""

    device: Device
    sample_rate: int  # Hz
    channels: int
    period_frames: int  # a callback's


class Stream:
    """A running stream, over either package.

    Attributes
    ----------
    latency : float
        Seconds that frames spend in the device and before it.
    """

    def __init__(
        self, stream: Any, latency: float, stop: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._stop = stop
        self.latency = latency

    def close(self) -> None:
        """Give the device back. What it still has to play may be lost."""
        with _lock:
            try:
                self._stop()
            finally:
                self._stream.close()


class PortAudio:
    """The devices and streams in one direction. Use one of the two below."""

    def __init__(self, package: ModuleType, is_input: bool) -> None:
        self._package = package
        self._is_input = is_input

    def list_devices(self) -> list[Device]:
        """Return the devices that have channels in this direction."""
        raise NotImplementedError

    def default_index(self) -> int:
        """Return the index of the default device, -1 if there is none."""
        raise NotImplementedError

    def is_supported(self, format: StreamFormat) -> bool:
        """Return whether a stream could be opened; tries it."""
        raise NotImplementedError

    def open(self, format: StreamFormat, callback: Callback) -> Stream:
        """Open and start a stream.

        Raises
        ------
        DeviceError
            If that fails.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Give PortAudio back; all streams must be closed."""


class SoundDevice(PortAudio):
    """PortAudio through python-sounddevice."""

    def list_devices(self) -> list[Device]:
        direction = "input" if self._is_input else "output"
        with _lock:
            found = list(self._package.query_devices())
        return _with_channels(
            Device(
                index,
                info["name"],
                info[f"max_{direction}_channels"],
                int(info["default_samplerate"]),
            )
            for index, info in enumerate(found)
        )

    def default_index(self) -> int:
        with _lock:
            return int(self._package.default.device[not self._is_input])

    def is_supported(self, format: StreamFormat) -> bool:
        check = (
            self._package.check_input_settings
            if self._is_input
            else self._package.check_output_settings
        )
        with _lock:
            try:
                check(
                    device=format.device.index,
                    channels=format.channels,
                    dtype="float32",
                    samplerate=format.sample_rate,
                )
            except self._package.PortAudioError:
                return False
        return True

    def open(self, format: StreamFormat, callback: Callback) -> Stream:
        kind = self._package.RawOutputStream
        adapted = self._adapt_output(callback)
        if self._is_input:
            kind = self._package.RawInputStream
            adapted = self._adapt_input(callback)
        with _lock:
            try:
                stream = kind(
                    device=format.device.index,
                    samplerate=format.sample_rate,
                    channels=format.channels,
                    blocksize=format.period_frames,
                    dtype="float32",
                    latency="low",
                    callback=adapted,
                    clip_off=True,
                    dither_off=True,
                )
                stream.start()
            except self._package.PortAudioError as error:
                raise _cannot_open(format, error) from error
        return Stream(stream, float(stream.latency), stream.stop)

    def _adapt_input(self, callback: Callback) -> Callback:
        def adapted(data: Any, frames: int, time: Any, status: Any) -> None:
            callback(bytes(data), status.input_overflow)

        return adapted

    def _adapt_output(self, callback: Callback) -> Callback:
        def adapted(out: Any, frames: int, time: Any, status: Any) -> None:
            out[:] = callback(frames, status.output_underflow)

        return adapted


class PyAudio(PortAudio):
    """PortAudio through PyAudio."""

    def __init__(self, package: ModuleType, is_input: bool) -> None:
        super().__init__(package, is_input)
        self._manager: Any = None

    def _open_manager(self) -> Any:
        # Looks at all devices there are, so only when one is wanted.
        if self._manager is None:
            self._manager = self._package.PyAudio()
        return self._manager

    def list_devices(self) -> list[Device]:
        direction = "Input" if self._is_input else "Output"
        with _lock:
            manager = self._open_manager()
            found = [
                manager.get_device_info_by_index(index)
                for index in range(manager.get_device_count())
            ]
        return _with_channels(
            Device(
                info["index"],
                info["name"],
                info[f"max{direction}Channels"],
                int(info["defaultSampleRate"]),
            )
            for info in found
        )

    def default_index(self) -> int:
        with _lock:
            manager = self._open_manager()
            try:
                if self._is_input:
                    return manager.get_default_input_device_info()["index"]
                return manager.get_default_output_device_info()["index"]
            except OSError:
                return -1

    def _direction(self, format: StreamFormat) -> dict[str, Any]:
        direction = "input" if self._is_input else "output"
        return {
            f"{direction}_device": format.device.index,
            f"{direction}_channels": format.channels,
            f"{direction}_format": self._package.paFloat32,
        }

    def is_supported(self, format: StreamFormat) -> bool:
        with _lock:
            try:
                return self._open_manager().is_format_supported(
                    format.sample_rate, **self._direction(format)
                )
            except ValueError:
                return False

    def open(self, format: StreamFormat, callback: Callback) -> Stream:
        direction = "input" if self._is_input else "output"
        adapted = self._adapt_output(callback)
        if self._is_input:
            adapted = self._adapt_input(callback)
        with _lock:
            try:
                stream = self._open_manager().open(
                    rate=format.sample_rate,
                    channels=format.channels,
                    format=self._package.paFloat32,
                    frames_per_buffer=format.period_frames,
                    stream_callback=adapted,
                    **{
                        direction: True,
                        f"{direction}_device_index": format.device.index,
                    },
                )
            except (OSError, ValueError) as error:
                raise _cannot_open(format, error) from error
        if self._is_input:
            latency = stream.get_input_latency()
        else:
            latency = stream.get_output_latency()
        return Stream(stream, latency, stream.stop_stream)

    def _adapt_input(self, callback: Callback) -> Callback:
        overflow = self._package.paInputOverflow
        go_on = None, self._package.paContinue

        def adapted(
            data: bytes, frames: int, time: Any, status: int
        ) -> tuple[None, int]:
            callback(data, bool(status & overflow))
            return go_on

        return adapted

    def _adapt_output(self, callback: Callback) -> Callback:
        underflow = self._package.paOutputUnderflow
        go_on = self._package.paContinue

        def adapted(
            data: None, frames: int, time: Any, status: int
        ) -> tuple[bytes, int]:
            return callback(frames, bool(status & underflow)), go_on

        return adapted

    def close(self) -> None:
        with _lock:
            manager, self._manager = self._manager, None
            if manager is not None:
                manager.terminate()


def load(is_input: bool) -> PortAudio:
    """Return PortAudio through the first package that can be imported.

    Raises
    ------
    DeviceError
        If there is none, with what to install.
    """
    kinds = {"sounddevice": SoundDevice, "pyaudio": PyAudio}
    for name, kind in kinds.items():
        try:
            # python-sounddevice raises OSError without libportaudio.
            with _lock:
                package = importlib.import_module(name)
        except (ImportError, OSError):
            continue
        return kind(package, is_input)
    raise DeviceError(HINT)


def find_device(portaudio: PortAudio, name: str, index: int) -> Device:
    """Return the device of this index; if that is -1, of this name, or with
    this in its name; if there is none, the default.

    Raises
    ------
    DeviceError
        If there is no such device or more than one; lists those there are.
    """
    devices = portaudio.list_devices()
    if index < 0 and not name:
        index = portaudio.default_index()
    if index >= 0:
        found = [device for device in devices if device.index == index]
        what = f"with the index {index}"
    elif name:
        found = [device for device in devices if device.name == name]
        found = found or [d for d in devices if name in d.name]
        what = f"called “{name}”"
    else:
        found, what = [], "that is the default"
    if len(found) == 1:
        return found[0]
    problem = "several devices are" if found else "there is no device"
    there = ", ".join(f"“{d.name}” ({d.index})" for d in devices) or "none"
    raise DeviceError(f"{problem} {what}; those there are: {there}")


def _with_channels(devices: Iterable[Device]) -> list[Device]:
    return [device for device in devices if device.channels > 0]


def _cannot_open(format: StreamFormat, error: Exception) -> DeviceError:
    return DeviceError(
        f"the device “{format.device.name}” cannot be opened with "
        f"{format.channels} channels at {format.sample_rate} Hz: {error}"
    )
