# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""WAV recorder: writes what it hears into a WAV file.

    gst-launch-1.0 ndapysrc plugin=sine num-buffers=50 \
        ! ndapysink plugin=wav_recorder parameters=filename=out.wav

=========== ======= ====================================================
parameter   default
=========== ======= ====================================================
`filename`          the file, relative to the current directory
`bits`      32      32: floats, bit by bit; 24 or 16: integers, rounded
                    to the nearest and clipped at full scale
`channels`  2       1 to 64
`overwrite` false   true: a file that is there already is replaced
=========== ======= ====================================================

All are fixed while the stream runs. Read with `get-parameter`: `frames`, the
number of those in the file.

The header is written again with every block, after the samples: however the
process ends, the file is complete. Past 4 GiB, some three hours of stereo
floats, it becomes an RF64 file. A recording that is stopped and started again
goes on in the same file.

If the disk is full, `write_audio` raises, the block does not count, and the
host offers it again.
"""

from __future__ import annotations

import os

from base_plugin import AudioBuffer
from _nda_basics import (
    MAX_CHANNELS,
    Choice,
    Integer,
    ReadySink,
    Switch,
    Text,
)
from _nda_wav import Samples, WavError, WavFormat, make_header

BLOCK_FRAMES = 512


class WavRecorderPlugin(ReadySink):
    """Writes a file; a block makes no arrays."""

    NAME = "WAV recorder"
    DESCRIPTION = "Writes a WAV file"
    PARAMETERS = {
        "filename": Text(),
        "bits": Choice("32", ("16", "24", "32")),
        "channels": Integer(2, 1, MAX_CHANNELS),
        "overwrite": Switch(False),
    }
    FIXED = frozenset(PARAMETERS)

    def __init__(self) -> None:
        super().__init__()
        self._n_frames = 0
        # Which file the frames so far are in, by device and inode, and how
        self._identity: tuple[int, int] | None = None
        self._format: WavFormat
        # [running]
        self._file: int
        self._samples: Samples

    def changed(self, key: str) -> None:
        if key == "channels":
            self._channels = self._parameters["channels"]

    def set_channel_count(self, channels: int) -> None:
        super().set_channel_count(channels)
        self._parameters["channels"] = self._channels

    def prepare(self) -> None:
        name = self._parameters["filename"]
        if not name:
            raise WavError("no file to write: set the parameter “filename”")
        bits = int(self._parameters["bits"])
        format = WavFormat(
            self._sample_rate, self._channels, bits, is_float=bits == 32
        )
        if not self._reopen(name, format):
            self._create(name, format)
        self._samples = Samples(format, BLOCK_FRAMES)
        self._data_start = len(make_header(format, 0))
        self._write_header(self._n_frames)

    def _reopen(self, name: str, format: WavFormat) -> bool:
        """Go on with the file of this instance, if that is still there."""
        try:
            found = os.stat(name)
        except FileNotFoundError:
            return False
        if (found.st_dev, found.st_ino) != self._identity:
            return False
        if format != self._format:
            raise WavError(
                f"“{name}” was begun as {self._format}, and cannot go on as "
                f"{format}: choose another “filename”"
            )
        self._file = os.open(name, os.O_RDWR | os.O_CLOEXEC)
        return True

    def _create(self, name: str, format: WavFormat) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        flags |= os.O_TRUNC if self._parameters["overwrite"] else os.O_EXCL
        try:
            self._file = os.open(name, flags, 0o666)
        except FileExistsError:
            raise WavError(
                f"“{name}” exists already: choose another “filename”, or set "
                "“overwrite” to true"
            ) from None
        made = os.fstat(self._file)
        self._identity = made.st_dev, made.st_ino
        self._format = format
        self._n_frames = 0

    def finish(self) -> None:
        os.close(self._file)

    def write_audio(self, buffer: AudioBuffer) -> bool:
        block = buffer.data
        n_frames = block.shape[1]
        if n_frames > self._samples.max_frames:
            self._samples = Samples(self._format, n_frames)
        n_bytes = self._n_frames * self._format.frame_bytes
        packed = self._samples.pack(block)
        self._write(packed, self._data_start + n_bytes)
        n_bytes += len(packed)
        if n_bytes % 2:
            # A chunk takes an even number of bytes.
            self._write(b"\0", self._data_start + n_bytes)
        # After the samples: it never promises what is not there.
        self._write_header(self._n_frames + n_frames)
        self._n_frames += n_frames
        return True

    def _write_header(self, n_frames: int) -> None:
        self._write(make_header(self._format, n_frames), 0)

    def _write(self, data: memoryview | bytes, offset: int) -> None:
        n_done = 0
        while n_done < len(data):
            n_done += os.pwrite(self._file, data[n_done:], offset + n_done)

    def get_available_space(self) -> int:
        return self._buffer_size

    def read_out(self, key: str) -> str:
        return str(self._n_frames) if key == "frames" else ""


def create_plugin() -> WavRecorderPlugin:
    """Return a new instance; the host calls this once per element."""
    return WavRecorderPlugin()
