# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Corrects the sizes in the header of a WAV file, by the file's length."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .place import Failure

KINDS = (b"RIFF", b"RF64", b"BW64")
IN_DS64 = 0xFFFFFFFF  # a size that says: look in the chunk ds64
DS64_BYTES = 28
FIRST_CHUNK = 12


@dataclass
class Wav:
    """The sizes in the header, and those of the file, in bytes."""

    kind: bytes
    file_bytes: int
    riff_bytes: int = 0  # as the header says
    data_bytes: int = 0  # as the header says
    data_at: int = 0
    rate: int = 0
    frame_bytes: int = 0
    room: int = 0  # in a chunk JUNK or ds64 at FIRST_CHUNK

    @property
    def end(self) -> int:
        """The end of the data by the header, with the padding byte."""
        return self.data_at + self.data_bytes + self.data_bytes % 2


def is_chunk_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)


def read_header(file: BinaryIO, name: str) -> Wav:
    file_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(FIRST_CHUNK)
    if len(head) < 12 or head[:4] not in KINDS or head[8:] != b"WAVE":
        raise Failure(f"“{name}” is not a WAV file.")
    wav = Wav(head[:4], file_bytes, struct.unpack_from("<I", head, 4)[0])
    long_bytes = 0
    at = FIRST_CHUNK
    while at + 8 <= file_bytes:
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"data":
            wav.data_at, wav.data_bytes = at + 8, length
            break
        if kind in (b"JUNK", b"ds64") and at == FIRST_CHUNK:
            wav.room = length
        if kind == b"ds64":
            numbers = file.read(16).ljust(16, b"\0")
            wav.riff_bytes, long_bytes = struct.unpack("<QQ", numbers)
        if kind == b"fmt ":
            read_format(wav, file.read(16), name)
        at += 8 + length + length % 2
    if wav.data_bytes == IN_DS64 and wav.kind != b"RIFF":
        wav.data_bytes = long_bytes
    return wav


def read_format(wav: Wav, chunk: bytes, name: str) -> None:
    if len(chunk) == 16:
        wav.rate, wav.frame_bytes = struct.unpack("<4xI4xH2x", chunk)
    if not wav.rate or not wav.frame_bytes:
        raise Failure(f"“{name}” has no valid format in its header, so that "
                      "its sound cannot be told from noise.")


def ends_well(file: BinaryIO, wav: Wav) -> bool:
    """Return whether only chunks follow the data, to the end of the file."""
    at, length = wav.end, wav.data_bytes
    while at + 8 <= wav.file_bytes:
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        if not is_chunk_name(kind):
            return False
        at += 8 + length + length % 2
    # Some writers leave out the padding byte of the last chunk.
    return at - wav.file_bytes in (0, length % 2)


def has_right_data(file: BinaryIO, wav: Wav) -> bool:
    has_sound_behind = wav.file_bytes - wav.data_at >= wav.frame_bytes
    return ends_well(file, wav) and (
        wav.data_bytes > 0 or not has_sound_behind
    )


def has_right_riff(wav: Wav) -> bool:
    return abs(wav.riff_bytes + 8 - wav.file_bytes) <= 1


def put(file: BinaryIO, at: int, *numbers: tuple[str, int | bytes]) -> None:
    file.seek(at)
    for form, number in numbers:
        file.write(struct.pack(f"<{form}", number))


def write_sizes(file: BinaryIO, wav: Wav, data_bytes: int, end: int) -> None:
    """Write the header's sizes for data of `data_bytes` in a file of `end`."""
    is_long = end - 8 >= IN_DS64
    if is_long or wav.kind != b"RIFF":
        kind = b"RF64" if wav.kind == b"RIFF" else wav.kind
        put(file, 0, ("4s", kind), ("I", IN_DS64))
        put(file, FIRST_CHUNK, ("4s", b"ds64"), ("I", wav.room),
            ("Q", end - 8), ("Q", data_bytes),
            ("Q", data_bytes // wav.frame_bytes), ("I", 0))
        put(file, wav.data_at - 4, ("I", IN_DS64))
        return
    put(file, 4, ("I", end - 8))
    put(file, wav.data_at - 4, ("I", data_bytes))


def frames_text(wav: Wav, data_bytes: int) -> str:
    n_frames = data_bytes // wav.frame_bytes
    return f"{n_frames} frames ({n_frames / wav.rate:.1f} s)"


def check(wav: Wav, name: str) -> None:
    if not wav.frame_bytes:
        raise Failure(f"“{name}” ends before its format: there is nothing "
                      "to repair.")
    if not wav.data_at:
        raise Failure(f"“{name}” has no sound in it: it ends before its "
                      "first sample.")


def check_room(wav: Wav, end: int, name: str) -> None:
    is_long = wav.kind != b"RIFF" or end - 8 >= IN_DS64
    if is_long and wav.room < DS64_BYTES:
        raise Failure(
            f"“{name}” is longer than the header of a WAV file can say, and "
            "has no room for that of an RF64 file: read it with a program "
            "that ignores the header's sizes, such as “sox --ignore-length”."
        )


def said_of(wav: Wav) -> str:
    if wav.data_bytes == IN_DS64:
        return "had none"
    return f"had {wav.data_bytes // wav.frame_bytes}"


def repair(path: Path, is_dry_run: bool = False) -> str:
    """Correct the sizes; return what was done.

    Raises
    ------
    Failure
        If it is no WAV file, or has no room for sizes past 4 GiB.
    OSError
        If it cannot be read or written.
    """
    name = str(path)
    with open(path, "rb" if is_dry_run else "r+b") as file:
        wav = read_header(file, name)
        check(wav, name)
        if has_right_data(file, wav):
            data_bytes, end = wav.data_bytes, wav.file_bytes
            if has_right_riff(wav):
                return "the sizes are right, " + frames_text(wav, data_bytes)
        else:
            there = wav.file_bytes - wav.data_at
            data_bytes = there - there % wav.frame_bytes
            end = wav.data_at + data_bytes + data_bytes % 2
        check_room(wav, end, name)
        said = f"{frames_text(wav, data_bytes)}, the header {said_of(wav)}"
        if is_dry_run:
            return f"the sizes are wrong: {said}"
        if end != wav.file_bytes:
            # An incomplete frame is cut off; an odd length is padded.
            file.truncate(wav.data_at + data_bytes)
            file.truncate(end)
        write_sizes(file, wav, data_bytes, end)
    return f"repaired: {said}"
