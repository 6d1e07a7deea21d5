# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""WAV recorder: writes what it hears into a WAV file.

    gst-launch-1.0 ndapysrc plugin=sine num-buffers=50 \
        ! ndapysink plugin=wav_recorder parameters=filename=out.wav

A parameter that is set while the stream runs counts from the next start on.
Read with `get-parameter`: `frames`, the number of those in the file.

The header is brought up to date with every block, after its samples: whenever
the process ends, and however it does, the file holds all that was written.
Past 4 GiB, some three hours of stereo floats, it turns into an RF64 file. A
recording that is stopped and started again goes on in the same file. When the
disk is full, nothing of the block counts, and the host offers it again.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from nda import Bool, Choice, Int, Sink, Text
from _nda_wav import Samples, WavError, WavFormat, make_header

DISPLAY_NAME = "WAV recorder"
FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class WavRecorder(Sink):
    """Writes a WAV file"""

    filename = Text(help="the file, relative to the current directory")
    bits = Choice(
        "32", ("16", "24", "32"), help="32: floats; else integers, clipped"
    )
    channels = Int(2, 1, 64, help="of the file")
    overwrite = Bool(False, help="replace a file that is there already")
    # Which file the frames so far are in, by device and inode
    _identity: tuple[int, int] | None = None
    _format: WavFormat
    _n_frames = 0

    def start(self) -> None:
        if not self.filename:
            raise WavError("no file to write: set the parameter “filename”")
        bits, rate = int(self.bits), self.rate or 48000
        format = WavFormat(rate, self.channels, bits, is_float=bits == 32)
        if not self._is_own(format):
            self._create(format)
        self._file = os.open(self.filename, os.O_RDWR | os.O_CLOEXEC)
        self._samples = Samples(format, 512)
        self._data_start = len(make_header(format, 0))
        self._write_header(self._n_frames)

    def _is_own(self, format: WavFormat) -> bool:
        """Whether the file is the one of this instance, which goes on."""
        try:
            found = os.stat(self.filename)
        except FileNotFoundError:
            return False
        if (found.st_dev, found.st_ino) != self._identity:
            return False
        if format != self._format:
            raise WavError(
                f"“{self.filename}” was begun as {self._format}, and cannot "
                f"go on as {format}: choose another “filename”"
            )
        return True

    def _create(self, format: WavFormat) -> None:
        flags = FLAGS | (os.O_TRUNC if self.overwrite else os.O_EXCL)
        try:
            file = os.open(self.filename, flags, 0o666)
        except FileExistsError:
            raise WavError(
                f"“{self.filename}” exists already: choose another "
                "“filename”, or set “overwrite” to true"
            ) from None
        made = os.fstat(file)
        os.close(file)
        self._identity = made.st_dev, made.st_ino
        self._format, self._n_frames = format, 0

    def stop(self) -> None:
        os.close(self._file)

    def write(self, block: np.ndarray) -> None:
        n_frames = block.shape[1]
        if n_frames > self._samples.max_frames:
            self._samples = Samples(self._format, n_frames)
        end = self._data_start + self._n_frames * self._format.frame_bytes
        packed = self._samples.pack(block)
        self._write(packed, end)
        end += len(packed)
        if (end - self._data_start) % 2:
            # A chunk takes an even number of bytes.
            self._write(b"\0", end)
        # After the samples: it never promises what is not there.
        self._write_header(self._n_frames + n_frames)
        self._n_frames += n_frames

    def _write_header(self, n_frames: int) -> None:
        self._write(make_header(self._format, n_frames), 0)

    def _write(self, data: memoryview | bytes, offset: int) -> None:
        n_done = 0
        while n_done < len(data):
            n_done += os.pwrite(self._file, data[n_done:], offset + n_done)

    def get_reading(self, name: str) -> Any:
        return self._n_frames if name == "frames" else None
