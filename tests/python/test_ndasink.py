# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndasink: into any sink, and what is wrong with one is named."""

import wave

import pytest
from ndaio import (  # noqa: F401
    BLOCK,
    play,
    read_float_wav,
    recording,
    stats,
)


def test_ogg_is_written(play, recording, tmp_path):
    path, samples = recording()
    out = tmp_path / "out.ogg"

    assert play(f"ndasrc uri={path.as_uri()} ! ndasink location={out}") is None
    assert out.read_bytes()[:4] == b"OggS"


def test_ndasink_converts_to_the_rate_that_the_sink_takes(
    gst, play, recording, tmp_path
):
    path, samples = recording(n_frames=48000)
    out = tmp_path / "out.wav"

    error = play(
        f"ndasrc uri={path.as_uri()} ! ndasink sink=\"capsfilter "
        "caps=audio/x-raw,rate=22050,format=S16LE ! wavenc ! "
        f'filesink location={out}"'
    )

    assert error is None
    with wave.open(str(out)) as file:
        assert file.getframerate() == 22050
        assert abs(file.getnframes() - 22050) <= 64


def test_overwrite_replaces_the_file(play, tmp_path):
    out = tmp_path / "out.wav"
    out.write_text("not precious")

    assert play(
        f"audiotestsrc num-buffers=3 ! ndasink location={out} overwrite=true"
    ) is None
    assert len(read_float_wav(out)) == 3 * 1024


def test_what_the_user_asked_of_a_device_stays(gst):
    if not gst.ElementFactory.find("pulsesink"):
        pytest.skip("there are no elements of PulseAudio")
    element = gst.ElementFactory.make("pulsesink")
    element.set_property("buffer-time", 50000)

    gst.Bin.add(gst.ElementFactory.make("ndasink"), element)

    assert element.get_property("buffer-time") == 50000


# --- what is wrong is named ---


@pytest.mark.parametrize("name", ["out", "out.mp4", "wav"])
def test_unknown_suffix_is_named(play, name):
    error = play(f"audiotestsrc ! ndasink location={name}")

    assert f"The file “{name}” has none of the suffixes" in error.message


def test_existing_file_is_refused_and_kept(play, tmp_path):
    out = tmp_path / "out.wav"
    out.write_text("precious")

    error = play(f"audiotestsrc num-buffers=3 ! ndasink location={out}")

    assert f"The file “{out}” is there already" in error.message
    assert "overwrite=true" in error.message
    assert out.read_text() == "precious"


def test_missing_folder_is_named(play, tmp_path):
    error = play(f"audiotestsrc ! ndasink location={tmp_path}/none/out.wav")

    assert f"“{tmp_path}/none/out.wav” cannot be written" in error.message
    assert "No such file or directory" in error.message


def test_failed_start_leaves_no_empty_file(play, gst, tmp_path):
    out = tmp_path / "out.wav"
    play(f"ndasrc uri=file:///none.wav ! ndasink location={out}")

    play.pipeline.set_state(gst.State.NULL)

    assert not out.exists()


def test_two_sinks_are_one_too_many(play):
    error = play("audiotestsrc ! ndasink sink=fakesink location=a.wav")

    assert "More than one sink is named" in error.message


@pytest.mark.parametrize("live", ["true", "false"])
def test_a_device_that_takes_everything_at_once_has_no_statistics_of_its_own(
    gst, play, live
):
    """As ALSA's null does, and its file, whose delay means nothing."""
    if not gst.ElementFactory.find("alsasink"):
        pytest.skip("there is no alsasink")

    error = play(
        f"audiotestsrc is-live={live} num-buffers=100 samplesperbuffer=512 ! "
        "audio/x-raw,rate=48000 ! ndasink name=sink "
        "sink=\"alsasink device=null\""
    )

    found = stats(play.pipeline, "sink")
    assert error is None
    assert found.get_value("num-frames") == 100 * BLOCK
    assert found.get_value("num-frames-silent") == 0
    assert found.get_value("num-frames-skipped") == 0
    assert found.get_value("num-underruns") == 0
    assert found.get_value("max-latency") < 10 * gst.SECOND
    assert abs(found.get_value("drift")) < gst.SECOND
