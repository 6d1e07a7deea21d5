# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""WAV player: plays a WAV file.

    gst-launch-1.0 ndapysrc plugin=wav_player \
        parameters=filename=in.wav,loop=true num-buffers=50 ! ndasink

========== ======= =====================================================
parameter  default
========== ======= =====================================================
`filename`         the file, relative to the current directory
`loop`     false   true: starts again at its end, without a gap
========== ======= =====================================================

Read with `get-parameter`: `position` and `duration`, in frames of the file.

Files have integers of 8, 16, 24 or 32 bits or floats of 32 or 64 bits, 1 to
64 channels, any rate; RIFF, RF64, BW64 and WAVE_FORMAT_EXTENSIBLE. Rate and
channels are the file's own; the host resamples. Samples become float32 as they
are: floats of 32 bits bit by bit, integers divided by their full scale, 2^7,
2^15, 2^23 or 2^31; the last, and floats of 64 bits, are rounded to what a
float32 holds. A file whose length was never written is played to its end.

At its end the plugin has nothing more to say: `read_audio` returns False. The
last block is filled up with silence. The file is read on the thread that
calls, from memory if the system has it there.
"""

from __future__ import annotations

from io import FileIO

import numpy as np

from base_plugin import AudioBuffer
from _nda_basics import ReadySource, Switch, Text
from _nda_wav import Samples, WavError, WavFormat, WavLayout, read_layout

BLOCK_FRAMES = 512


class WavPlayerPlugin(ReadySource):
    """Reads a file; a block makes no arrays."""

    NAME = "WAV player"
    DESCRIPTION = "Plays a WAV file"
    PARAMETERS = {"filename": Text(), "loop": Switch(False)}
    FIXED = frozenset({"filename"})

    def __init__(self) -> None:
        super().__init__()
        self._layout = WavLayout(WavFormat(48000, 2, 32, True), 0, 0)
        self._position = 0
        # [running]
        self._file: FileIO
        self._samples: Samples

    def changed(self, key: str) -> None:
        # Rate and channels are asked for before `start`.
        if key == "filename":
            with open(self._parameters["filename"], "rb") as file:
                self._adopt(read_layout(file))

    def _adopt(self, layout: WavLayout) -> None:
        self._layout = layout
        self._sample_rate = layout.format.sample_rate
        self._channels = layout.format.channels

    def set_sample_rate(self, sample_rate: int) -> None:
        """Ignored: the rate is the file's."""

    def set_channel_count(self, channels: int) -> None:
        """Ignored: the channels are the file's."""

    def prepare(self) -> None:
        if not self._parameters["filename"]:
            raise WavError("no file to play: set the parameter “filename”")
        # It may be another file by now.
        self.changed("filename")
        self._file = FileIO(self._parameters["filename"])
        self._file.seek(self._layout.data_start)
        self._samples = Samples(self._layout.format, BLOCK_FRAMES)
        self._position = 0

    def finish(self) -> None:
        self._file.close()

    def read_audio(self, buffer: AudioBuffer) -> bool:
        block = buffer.data
        n_done, n_frames = 0, block.shape[1]
        while n_done < n_frames:
            n_now = min(n_frames - n_done, self._samples.max_frames)
            n_read = self._read(block[:, n_done : n_done + n_now])
            if n_read == 0 and not self._rewind():
                break
            n_done += n_read
        block[:, n_done:] = 0
        return n_done > 0

    def _read(self, part: np.ndarray) -> int:
        """Fill the start of `part`; return the number of frames, 0 at the
        end."""
        n_frames = min(part.shape[1], self._layout.n_frames - self._position)
        memory = self._samples.bytes_of(n_frames)
        n_bytes = 0
        while n_bytes < len(memory):
            n_now = self._file.readinto(memory[n_bytes:])
            if not n_now:
                break
            n_bytes += n_now
        # The file may have become shorter meanwhile.
        n_read = n_bytes // self._layout.format.frame_bytes
        if n_read > 0:
            self._samples.unpack(part[:, :n_read], n_read)
        self._position += n_read
        return n_read

    def _rewind(self) -> bool:
        if not self._parameters["loop"] or self._position == 0:
            return False
        self._file.seek(self._layout.data_start)
        self._position = 0
        return True

    def read_out(self, key: str) -> str:
        if key == "position":
            return str(self._position)
        if key == "duration":
            return str(self._layout.n_frames)
        return ""


def create_plugin() -> WavPlayerPlugin:
    """Return a new instance; the host calls this once per element."""
    return WavPlayerPlugin()
