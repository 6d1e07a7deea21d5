# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""WAV files, as far as the player and the recorder need them.

A file is chunks: four letters, a length, and that many bytes, padded to an
even number. `fmt ` says what the samples are, `data` holds them. A file that
may grow past 4 GiB has a chunk `JUNK` first. When it does grow past that, the
chunk `ds64`, with lengths of 64 bits, replaces `JUNK`; the file is then called
RF64 (EBU Tech 3306) or BW64 (ITU-R BS.2088).

A writer that was killed, or wrote into a pipe, leaves a length of 0 or
0xFFFFFFFF. The samples then go on to the end of the file.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO, Iterator

import numpy as np

TAG_PCM = 1
TAG_FLOAT = 3
TAG_EXTENSIBLE = 0xFFFE
# What follows the tag in the GUID of an extensible format
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
# Formats that are met in WAV files, and cannot be read
OTHER_TAGS = {2: "ADPCM", 6: "A-law", 7: "µ-law", 0x11: "ADPCM", 0x55: "MP3"}
RIFF_KINDS = (b"RIFF", b"RF64", b"BW64")
# A length that says: look in ds64
IN_DS64 = 0xFFFFFFFF
MAX_LENGTH = IN_DS64 - 1
MAX_CHANNELS = 64
MAX_SAMPLE_RATE = 384000
# Channel masks of mono and stereo; with more channels the speakers are not
# ours to name.
MASKS = {1: 0x4, 2: 0x3}


class WavError(OSError):
    """A file is not a WAV file that can be read here, and why."""


@dataclass(frozen=True)
class WavFormat:
    """What the samples of a file are."""

    sample_rate: int
    channels: int
    bits: int
    is_float: bool

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


@dataclass(frozen=True)
class WavLayout:
    """Where the samples of a file are."""

    format: WavFormat
    data_start: int
    n_frames: int


# --- Reading ----------------------------------------------------------------


def read_layout(file: BinaryIO) -> WavLayout:
    """Read the header of a file, up to its samples.

    A length in the header that goes past the end of the file, or was never
    written, is corrected: so a recording can be read whose end is missing.

    Raises
    ------
    WavError
        If it is no WAV file, or of a kind that is not supported.
    """
    name = os.fspath(file.name)
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] not in RIFF_KINDS or head[8:] != b"WAVE":
        raise WavError(f"“{name}” is not a WAV file")
    riff_bytes = struct.unpack_from("<I", head, 4)[0]
    format = None
    long_data = None
    for kind, start, length in _chunks(file, end):
        if kind == b"ds64":
            riff_bytes, long_data = _parse_ds64(file.read(min(length, 28)))
        elif kind == b"fmt ":
            format = _parse_format(file.read(min(length, 40)), name)
        elif kind == b"data":
            if format is None:
                break
            if length == IN_DS64 and long_data is not None:
                length = long_data
            if length == 0 and _is_unfinished(riff_bytes, end):
                length = end - start
            n_bytes = min(length, end - start)
            return WavLayout(format, start, n_bytes // format.frame_bytes)
    raise WavError(f"“{name}” has no {'samples' if format else 'format'}")


def _is_unfinished(riff_bytes: int, end: int) -> bool:
    """Return whether the length in a header leaves a part of the file out, so
    that the header's other lengths are no truer."""
    return riff_bytes + 8 < end or riff_bytes == IN_DS64


def _chunks(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's letters, start and length; the file is at its start
    then."""
    start = file.tell()
    while end - start >= 8:
        file.seek(start)
        kind, length = struct.unpack("<4sI", file.read(8))
        start += 8
        yield kind, start, length
        start += length + length % 2


def _parse_ds64(chunk: bytes) -> tuple[int, int]:
    """Return the lengths of the file and of its samples; 0: not known."""
    return struct.unpack_from("<QQ", chunk) if len(chunk) >= 16 else (0, 0)


def _parse_format(chunk: bytes, name: str) -> WavFormat:
    if len(chunk) < 16:
        raise WavError(f"“{name}” has a broken format chunk")
    tag, channels, sample_rate, _, frame_bytes, bits = struct.unpack_from(
        "<HHIIHH", chunk
    )
    if tag == TAG_EXTENSIBLE and len(chunk) == 40:
        tag = struct.unpack_from("<H", chunk, 24)[0]
        if chunk[26:] != GUID_TAIL:
            tag = 0
    format = WavFormat(sample_rate, channels, bits, tag == TAG_FLOAT)
    supported = {TAG_PCM: (8, 16, 24, 32), TAG_FLOAT: (32, 64)}
    if bits not in supported.get(tag, ()):
        raise WavError(
            f"“{name}” has samples of {bits} bits with format tag {tag}"
            f"{_name_of(tag)}, but "
            "integers of 8, 16, 24 or 32 bits and floats of 32 or 64 bits are "
            "what can be read: convert it, for example with “gst-launch-1.0 "
            "filesrc location=OLD ! decodebin ! audioconvert ! "
            "audio/x-raw,format=S24LE ! wavenc ! filesink location=NEW”"
        )
    if not (
        1 <= channels <= MAX_CHANNELS
        and 1 <= sample_rate <= MAX_SAMPLE_RATE
        and frame_bytes == format.frame_bytes
    ):
        raise WavError(
            f"“{name}” says it has {channels} channels at {sample_rate} Hz "
            f"in frames of {frame_bytes} bytes, which cannot be"
        )
    return format


def _name_of(tag: int) -> str:
    return f" ({OTHER_TAGS[tag]})" if tag in OTHER_TAGS else ""


# --- Writing ----------------------------------------------------------------


def make_header(format: WavFormat, n_frames: int) -> bytes:
    """Return all that stands before the samples; its length depends on the
    format alone, so that it can be written again as the file grows."""
    n_bytes = n_frames * format.frame_bytes
    chunks = _format_chunk(format)
    # The chunks before it, "WAVE", and the heads of JUNK and data
    riff_bytes = 4 + 36 + len(chunks) + 12 + 8 + n_bytes + n_bytes % 2
    if riff_bytes <= MAX_LENGTH:
        first = struct.pack("<4sI4s4sI28x", b"RIFF", riff_bytes, b"WAVE",
                            b"JUNK", 28)
        lengths = n_frames, n_bytes
    else:
        first = struct.pack("<4sI4s4sIQQQI", b"RF64", IN_DS64, b"WAVE",
                            b"ds64", 28, riff_bytes, n_bytes, n_frames, 0)
        lengths = IN_DS64, IN_DS64
    fact = struct.pack("<4sII", b"fact", 4, lengths[0])
    return first + chunks + fact + struct.pack("<4sI", b"data", lengths[1])


def _format_chunk(format: WavFormat) -> bytes:
    tag = TAG_FLOAT if format.is_float else TAG_PCM
    is_extensible = format.channels > 2
    body = struct.pack(
        "<HHIIHH",
        TAG_EXTENSIBLE if is_extensible else tag,
        format.channels,
        format.sample_rate,
        format.sample_rate * format.frame_bytes,
        format.frame_bytes,
        format.bits,
    )
    if is_extensible:
        mask = MASKS.get(format.channels, 0)
        body += struct.pack("<HHIH", 22, format.bits, mask, tag) + GUID_TAIL
    elif format.is_float:
        body += struct.pack("<H", 0)
    return struct.pack("<4sI", b"fmt ", len(body)) + body


# --- Samples ----------------------------------------------------------------


class Samples:
    """Turns the samples of a file into those of a block, and back.

    All arrays are made here, for up to `max_frames` frames at a time.
    """

    def __init__(self, format: WavFormat, max_frames: int) -> None:
        self._format = format
        self.max_frames = max_frames
        shape = (max_frames, format.channels)
        # Integers of 24 bits are the upper three bytes of four.
        kind = "f" if format.is_float else "u" if format.bits == 8 else "i"
        size = 4 if format.bits == 24 else format.bits // 8
        self._stored = np.zeros(shape, dtype=f"<{kind}{size}")
        if format.bits == 24:
            self._raw = np.zeros((*shape, 3), dtype=np.uint8)
            self._wide = self._stored.view(np.uint8).reshape((*shape, 4))
        else:
            self._raw = self._stored.view(np.uint8)
        self._flat = np.zeros(shape, dtype=np.float32)
        self._is_nan = np.zeros(shape, dtype=bool)
        self._bytes = self._raw.reshape(-1).data.cast("B")
        self._full_scale = float(1 << (8 * self._stored.itemsize - 1))
        # What the lowest bit of a sample counts where it is stored
        self._lowest = 256.0 if format.bits == 24 else 1.0

    def bytes_of(self, n_frames: int) -> memoryview:
        """Return the memory of the first frames, as in the file."""
        return self._bytes[: n_frames * self._format.frame_bytes]

    def unpack(self, block: np.ndarray, n_frames: int) -> None:
        """Fill `block`, float32 of shape (channels, n_frames), with what was
        read into `bytes_of`."""
        if self._format.is_float:
            # One of 64 bits that is too large for 32 becomes infinite.
            with np.errstate(over="ignore"):
                np.copyto(block, self._stored[:n_frames].T, "same_kind")
            return
        if self._format.bits == 24:
            np.copyto(self._wide[:n_frames, :, 1:], self._raw[:n_frames])
        flat = self._flat[:n_frames]
        np.copyto(flat, self._stored[:n_frames], casting="unsafe")
        if self._format.bits == 8:
            # These alone have no sign.
            np.subtract(flat, self._full_scale, out=flat)
        # A power of two, so this is exact.
        np.multiply(flat, 1.0 / self._full_scale, out=flat)
        np.copyto(block, flat.T)

    def pack(self, block: np.ndarray) -> memoryview:
        """Return the bytes to be stored for `block`, (channels, frames).

        Integers of 8 and 32 bits and floats of 64 are only read, not made.
        """
        n_frames = block.shape[1]
        if self._format.is_float:
            np.copyto(self._stored[:n_frames], block.T)
            return self.bytes_of(n_frames)
        flat = self._flat[:n_frames]
        np.copyto(flat, block.T)
        # No integer stands for NaN.
        np.isnan(flat, out=self._is_nan[:n_frames])
        np.copyto(flat, 0, where=self._is_nan[:n_frames])
        self._scale_and_round(flat)
        np.copyto(self._stored[:n_frames], flat, casting="unsafe")
        if self._format.bits == 24:
            np.copyto(self._raw[:n_frames], self._wide[:n_frames, :, 1:])
        return self.bytes_of(n_frames)

    def _scale_and_round(self, flat: np.ndarray) -> None:
        np.multiply(flat, self._full_scale / self._lowest, out=flat)
        np.rint(flat, out=flat)
        np.multiply(flat, self._lowest, out=flat)
        np.maximum(flat, -self._full_scale, out=flat)
        np.minimum(flat, self._full_scale - self._lowest, out=flat)
