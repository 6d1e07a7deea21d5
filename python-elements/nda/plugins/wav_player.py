# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
r"""WAV player: plays a WAV file.

    gst-launch-1.0 ndapysrc plugin=wav_player parameters=filename=in.wav \
        ! ndasink

The stream ends with the file. With `loop=true` the file starts again instead,
without a gap. A file that is set while another plays is played after the next
start.

Read with `get-parameter`: `position` and `duration`, in frames of the file.

Files have integers of 8, 16, 24 or 32 bits or floats of 32 or 64 bits, 1 to
64 channels, any rate; RIFF, RF64, BW64 and WAVE_FORMAT_EXTENSIBLE. Rate and
channels are the file's own; the host resamples. Samples become float32 as they
are: floats of 32 bits bit by bit, integers divided by their full scale, 2^7,
2^15, 2^23 or 2^31; the last, and floats of 64 bits, are rounded to what a
float32 holds. A file whose length was never written is played to its end.
"""

from __future__ import annotations

from io import FileIO
from typing import Iterator

import numpy as np

from nda import Bool, Source, Text
from _nda_wav import Samples, WavError, WavLayout, read_layout

DISPLAY_NAME = "WAV player"
BLOCK_FRAMES = 512


class WavPlayer(Source):
    """Plays a WAV file"""

    filename = Text(help="the file, relative to the current directory")
    loop = Bool(False, help="start again at the end of the file")
    position = duration = 0
    _layout: WavLayout
    _file: FileIO

    def start(self) -> None:
        if not self.filename:
            raise WavError("no file to play: set the parameter “filename”")
        with open(self.filename, "rb") as file:
            self._layout = read_layout(file)
        self.rate = self._layout.format.sample_rate
        self.channels = self._layout.format.channels
        self.position, self.duration = 0, self._layout.n_frames

    def read(self) -> Iterator[np.ndarray]:
        samples = Samples(self._layout.format, BLOCK_FRAMES)
        block = np.empty((self._layout.format.channels, BLOCK_FRAMES), "f4")
        with FileIO(self.filename) as self._file:
            while True:
                self._file.seek(self._layout.data_start)
                self.position = 0
                while n_frames := self._read(samples, block):
                    yield block[:, :n_frames]
                if not self.loop or self.position == 0:
                    return

    def _read(self, samples: Samples, block: np.ndarray) -> int:
        """Fill the start of the block; the number of frames, 0 at the end."""
        n_frames = min(BLOCK_FRAMES, self.duration - self.position)
        memory = samples.bytes_of(n_frames)
        n_bytes = 0
        while n_now := self._file.readinto(memory[n_bytes:]):
            n_bytes += n_now
        # The file may have become shorter meanwhile.
        n_read = n_bytes // self._layout.format.frame_bytes
        if n_read:
            samples.unpack(block[:, :n_read], n_read)
        self.position += n_read
        return n_read
