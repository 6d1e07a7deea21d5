# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Formats between which ndasrc and ndasink convert, and those they cannot."""

import os
import struct

import numpy as np
import pytest
from ndaio import play, read_float_wav, recording  # noqa: F401

SOUND = "audiotestsrc num-buffers=20 samplesperbuffer=480 wave=square ! " \
    "audio/x-raw,format=F32LE,rate=48000,channels={n}," \
    "channel-mask=(bitmask){mask:#x} ! "
STEREO = '"capsfilter caps=audio/x-raw,channels=2 ! wavenc ! ' \
    'filesink location={path}"'
USUAL = {3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x13F, 8: 0xC3F}


@pytest.mark.parametrize("n", USUAL)
def test_channels_without_positions_are_mixed_as_usual(play, tmp_path, n):
    heard = []
    for mask in (USUAL[n], 0):
        out = tmp_path / f"{mask}.wav"
        assert play(
            SOUND.format(n=n, mask=mask) +
            f"ndasink sink={STEREO.format(path=out)}"
        ) is None
        heard.append(read_float_wav(out))

    assert heard[1].shape == (9600, 2) and heard[1].any()
    assert np.allclose(*heard, atol=1e-6)


@pytest.mark.parametrize("n", [3, 6, 12, 63])
def test_channels_without_positions_pass_where_they_may(gst, play, n):
    assert play(SOUND.format(n=n, mask=0) +
                'ndasink name=sink sink="fakesink name=inner"') is None

    pad = play.pipeline.get_by_name("inner").get_static_pad("sink")
    caps = pad.get_current_caps().to_string()
    assert f"channels=(int){n}," in caps + ","
    assert "channel-mask=(bitmask)0x0000000000000000" in caps


@pytest.mark.parametrize("n", [9, 12, 63])
def test_what_cannot_be_mixed_is_refused_with_words(gst, play, n):
    error = play(
        SOUND.format(n=n, mask=0) +
        'ndasink sink="capsfilter caps=audio/x-raw,channels=2 ! fakesink"'
    )

    assert f"The sound has {n} channels without positions" in error.message
    assert error.matches(gst.StreamError.quark(), gst.StreamError.FORMAT)


@pytest.mark.parametrize("n", [2, 6])
@pytest.mark.parametrize("mask", [0, 1])
def test_what_plays_in_clear_plays_when_it_was_encrypted(
    gst, play, tmp_path, n, mask
):
    if not gst.ElementFactory.find("ndaencrypt"):
        pytest.skip("nda was built without its encryption")
    key, out = tmp_path / "a.key", tmp_path / "out.wav"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    crypt = f"ndaencrypt key-file={key} ! ndadecrypt key-file={key} ! "
    mask = mask and (0x3 if n == 2 else USUAL[n])

    for way in ("", crypt):
        assert play(SOUND.format(n=n, mask=mask) + way +
                    f"ndasink sink={STEREO.format(path=out)}") is None


@pytest.mark.parametrize("line", [
    "{} ! ndasink sink=fakesink",
    "ndasrc source=\"{} ! identity\" ! fakesink",
])
def test_more_channels_than_audioconvert_takes_are_refused(gst, play, line):
    error = play(line.format(SOUND.format(n=64, mask=0).rstrip("! ")))

    assert "The sound has 64 channels" in error.message
    assert error.matches(gst.StreamError.quark(), gst.StreamError.FORMAT)


def test_a_sink_for_video_takes_no_audio(play):
    error = play("audiotestsrc ! "
                 'ndasink sink="capsfilter caps=video/x-raw ! fakesink"')

    assert "takes no audio" in error.message


# --- what is behind ndasrc ---


def test_a_file_is_not_said_to_have_no_audio(gst, play, recording):
    path, _ = recording()

    error = play(f"ndasrc uri={path.as_uri()} ! "
                 "audio/x-raw,channels=9,channel-mask=(bitmask)0 ! fakesink")

    assert "There is no audio" not in error.message
    assert "cannot be converted to one that is wanted" in error.message
    assert error.matches(gst.StreamError.quark(), gst.StreamError.FORMAT)


@pytest.mark.parametrize("line", [
    "ndasrc uri=file://{}",
    'ndasrc source="filesrc location={} ! decodebin"',
    'ndasrc source="filesrc location={} ! wavparse"',
])
def test_too_many_channels_are_not_said_to_be_no_audio(
    gst, play, tmp_path, line
):
    path = tmp_path / "many.wav"
    body = struct.pack("<HHIIHH", 1, 65, 48000, 48000 * 130, 130, 16)
    samples = np.zeros((480, 65), "<i2").tobytes()
    path.write_bytes(
        struct.pack("<4sI4s4sI", b"RIFF", 36 + len(samples), b"WAVE",
                    b"fmt ", 16) + body +
        struct.pack("<4sI", b"data", len(samples)) + samples
    )

    error = play(line.format(path) + " ! fakesink")

    assert "There is no audio" not in error.message
    assert "65" in error.message
    assert error.matches(gst.StreamError.quark(), gst.StreamError.FORMAT)


def test_a_file_keeps_channels_without_positions(play, tmp_path):
    out = tmp_path / "out.wav"

    assert play(SOUND.format(n=3, mask=0) + f"ndasink location={out}") is None

    assert read_float_wav(out, kind=0xFFFE).shape == (9600, 3)
