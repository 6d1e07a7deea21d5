# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda repair: sizes of WAV files whose writer was killed."""

import struct
import wave

import pytest

from nda.command import wavrepair
from nda.command.main import main
from nda.command.place import Failure, Place

FRAMES = 1000
FRAME_BYTES = 4


@pytest.fixture
def path(tmp_path):
    """A good one: two channels of 16 bits."""
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(bytes(range(200)) * (FRAMES * FRAME_BYTES // 200))
    return path


def read(path):
    with wave.open(str(path), "rb") as file:
        return file.getnframes(), file.readframes(2**30)


def put(path, at, form, number):
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, at, number)
    path.write_bytes(data)


def test_a_good_file_stays_as_it_is(path):
    before = path.read_bytes()

    assert wavrepair.repair(path).startswith("the sizes are right, 1000 fr")
    assert path.read_bytes() == before


@pytest.mark.parametrize("length", [0, 400, 0xFFFFFFFF, 0x7FFFFF00, 5000])
def test_the_length_of_the_data_is_that_of_the_file(path, length):
    content = read(path)[1]
    put(path, 40, "<I", length)
    put(path, 4, "<I", 0)

    assert wavrepair.repair(path).startswith("repaired: 1000 frames")

    assert read(path) == (FRAMES, content)
    assert struct.unpack("<I", path.read_bytes()[4:8])[0] == (
        path.stat().st_size - 8
    )
    assert wavrepair.repair(path).startswith("the sizes are right")


@pytest.mark.parametrize("n_bytes", [1, 2, 3, 5])
def test_a_frame_that_is_not_whole_is_left_out(path, n_bytes):
    content = read(path)[1]
    path.write_bytes(path.read_bytes()[:-n_bytes])

    wavrepair.repair(path)

    n_frames = FRAMES - 1 - n_bytes // FRAME_BYTES
    assert read(path) == (n_frames, content[: n_frames * FRAME_BYTES])


def test_chunks_behind_the_data_are_no_sound(path):
    content = read(path)[1]
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 4)
                     + b"INFO")

    assert wavrepair.repair(path).startswith("repaired: 1000 frames")

    assert read(path) == (FRAMES, content)
    assert path.read_bytes()[-12:-8] == b"LIST"


def test_a_dry_run_changes_nothing(path):
    put(path, 40, "<I", 0)
    before = path.read_bytes()

    said = wavrepair.repair(path, is_dry_run=True)

    assert said == "the sizes are wrong: 1000 frames (0.0 s), the header had 0"
    assert path.read_bytes() == before


def long_file(path, room):
    """A file of 5 GiB, sparse, with `room` bytes of JUNK; return its size."""
    head = b"RIFF\0\0\0\0WAVE"
    if room:
        head += b"JUNK" + struct.pack("<I", room) + bytes(room)
    head += b"fmt " + struct.pack("<IHHIIHH", 16, 3, 2, 48000, 384000, 8, 32)
    head += b"data\0\0\0\0"
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(len(head) + 5 * 2**30)
    return len(head) + 5 * 2**30


def test_past_4_gib_it_becomes_rf64(tmp_path):
    path = tmp_path / "long.wav"
    size = long_file(path, 28)

    said = wavrepair.repair(path)

    assert said.startswith(f"repaired: {5 * 2**30 // 8} frames")
    with open(path, "rb") as file:
        head = file.read(36)
    assert head[:4] == b"RF64" and head[12:16] == b"ds64"
    assert struct.unpack("<QQQ", head[20:44].ljust(24, b"\0"))[:2] == (
        size - 8, 5 * 2**30
    )
    assert path.stat().st_size == size
    assert wavrepair.repair(path).startswith("the sizes are right")


def test_past_4_gib_without_room_it_is_refused(tmp_path):
    path = tmp_path / "long.wav"
    long_file(path, 0)

    with pytest.raises(Failure, match="no room"):
        wavrepair.repair(path)


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "not a WAV file"),
        (b"OggS" + bytes(100), "not a WAV file"),
        (b"RIFF\0\0\0\0WAVE", "ends before its format"),
        (b"RIFF\0\0\0\0WAVEfmt " + struct.pack(
            "<IHHIIHH", 16, 1, 1, 48000, 96000, 2, 16), "no sound in it"),
        (b"RIFF\0\0\0\0WAVEfmt " + struct.pack(
            "<IHHIIHH", 16, 1, 1, 48000, 96000, 0, 16), "no valid format"),
        (b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<IHH", 16, 1, 1),
         "no valid format"),
    ],
)
def test_what_cannot_be_repaired_is_told_and_kept(tmp_path, content, said):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)

    with pytest.raises(Failure, match=said):
        wavrepair.repair(path)

    assert path.read_bytes() == content


def test_as_a_verb(path, capsys, tmp_path):
    put(path, 40, "<I", 0)

    assert main(["repair", str(path)], Place()) == 0
    assert capsys.readouterr().out.startswith(f"{path}: repaired")
    assert main(["repair", str(tmp_path / "none.wav")], Place()) == 1
    assert "none.wav” is not repaired: No such file" in capsys.readouterr().err
