# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""PortAudio for tests: the shapes of PyAudio and of python-sounddevice over
devices that do what the test says, and whose callbacks it calls."""

import threading
from types import SimpleNamespace

import numpy as np

IN, OUT = "mic", "loud"
# name, inputs, outputs, Hz
DEVICES = [(IN, 2, 0, 48000), (OUT, 0, 2, 48000), ("both ears", 1, 8, 44100)]


class FakePortAudio:
    """What is behind both packages."""

    def __init__(self, devices=DEVICES, default=(0, 1), refuses=()):
        self.devices = devices
        self.default = default
        # (rate, channels) that no device takes
        self.refuses = refuses
        self.streams = []
        self.n_terminated = 0

    @property
    def stream(self):
        return self.streams[-1]

    def takes(self, sample_rate, channels):
        return (sample_rate, channels) not in self.refuses

    def pyaudio(self):
        return SimpleNamespace(
            PyAudio=lambda: _Manager(self),
            paFloat32=1,
            paContinue=0,
            paInputOverflow=2,
            paOutputUnderflow=4,
        )

    def sounddevice(self):
        class PortAudioError(Exception):
            pass

        def check(device, channels, dtype, samplerate):
            assert dtype == "float32"
            if not self.takes(samplerate, channels):
                raise PortAudioError("Invalid number of channels")

        def make(is_input):
            def make_stream(**options):
                check(
                    options["device"],
                    options["channels"],
                    options["dtype"],
                    options["samplerate"],
                )
                stream = _SoundDeviceStream(is_input, options)
                self.streams.append(stream)
                return stream

            return make_stream

        return SimpleNamespace(
            query_devices=lambda: [
                {
                    "name": name,
                    "max_input_channels": inputs,
                    "max_output_channels": outputs,
                    "default_samplerate": float(rate),
                }
                for name, inputs, outputs, rate in self.devices
            ],
            default=SimpleNamespace(device=self.default),
            check_input_settings=check,
            check_output_settings=check,
            RawInputStream=make(True),
            RawOutputStream=make(False),
            PortAudioError=PortAudioError,
        )


class _Stream:
    """A stream that the test drives."""

    latency = 0.02

    def __init__(self, device, rate, channels, period):
        self.device = device
        self.rate = rate
        self.channels = channels
        self.period = period
        self.log = []

    def start(self):
        self.log.append("start")

    def stop(self):
        self.log.append("stop")

    def close(self):
        self.log.append("close")

    def hear(self, frames, overflow=False):
        """Hand (channels, frames) to the callback, as if recorded."""
        interleaved = np.ascontiguousarray(frames.T, dtype=np.float32)
        self._call_input(interleaved.tobytes(), frames.shape[1], overflow)

    def play(self, n_frames=None, underflow=False):
        """Return (channels, frames) that the callback wants played."""
        n_frames = n_frames or self.period
        data = self._call_output(n_frames, underflow)
        assert len(data) == n_frames * self.channels * 4
        return np.frombuffer(data, np.float32).reshape(n_frames, -1).T

    def play_until(self, call):
        """Play in the background of `call`; return all that was played."""
        thread = threading.Thread(target=call)
        thread.start()
        played = []
        while thread.is_alive():
            played.append(self.play())
        thread.join()
        return np.concatenate(played, axis=1)


class _SoundDeviceStream(_Stream):
    def __init__(self, is_input, options):
        super().__init__(
            options["device"],
            options["samplerate"],
            options["channels"],
            options["blocksize"],
        )
        self._callback = options["callback"]

    def _call_input(self, data, n_frames, overflow):
        status = SimpleNamespace(input_overflow=overflow)
        self._callback(memoryview(data), n_frames, None, status)

    def _call_output(self, n_frames, underflow):
        status = SimpleNamespace(output_underflow=underflow)
        out = bytearray(n_frames * self.channels * 4)
        self._callback(memoryview(out), n_frames, None, status)
        return bytes(out)


class _PyAudioStream(_Stream):
    def __init__(self, options):
        is_input = options.get("input", False)
        direction = "input" if is_input else "output"
        super().__init__(
            options[f"{direction}_device_index"],
            options["rate"],
            options["channels"],
            options["frames_per_buffer"],
        )
        assert options["format"] == 1
        self._callback = options["stream_callback"]
        self.start()

    get_input_latency = get_output_latency = lambda self: self.latency

    def stop_stream(self):
        self.stop()

    def _call_input(self, data, n_frames, overflow):
        status = 2 if overflow else 0
        assert self._callback(data, n_frames, {}, status) == (None, 0)

    def _call_output(self, n_frames, underflow):
        data, flag = self._callback(None, n_frames, {}, 4 if underflow else 0)
        assert type(data) is bytes and flag == 0
        return data


class _Manager:
    def __init__(self, portaudio):
        self._portaudio = portaudio

    def get_device_count(self):
        return len(self._portaudio.devices)

    def get_device_info_by_index(self, index):
        name, inputs, outputs, rate = self._portaudio.devices[index]
        return {
            "index": index,
            "name": name,
            "maxInputChannels": inputs,
            "maxOutputChannels": outputs,
            "defaultSampleRate": float(rate),
        }

    def _default(self, index):
        if index < 0:
            raise OSError("No Default Device Available")
        return self.get_device_info_by_index(index)

    def get_default_input_device_info(self):
        return self._default(self._portaudio.default[0])

    def get_default_output_device_info(self):
        return self._default(self._portaudio.default[1])

    def is_format_supported(self, rate, **options):
        channels = options.get("input_channels", 0) or options.get(
            "output_channels", 0
        )
        if not self._portaudio.takes(rate, channels):
            raise ValueError("Invalid number of channels")
        return True

    def open(self, **options):
        if not self._portaudio.takes(options["rate"], options["channels"]):
            raise OSError("Invalid number of channels")
        stream = _PyAudioStream(options)
        self._portaudio.streams.append(stream)
        return stream

    def terminate(self):
        self._portaudio.n_terminated += 1
