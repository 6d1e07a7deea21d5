# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What errors of the elements tell a user to do: it is there, and it helps."""

import os
import shlex
import subprocess
import sys

import pytest


def launch(folder, line):
    done = subprocess.run(
        ["gst-launch-1.0", "-q", *shlex.split(line)],
        capture_output=True,
        text=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout + done.stderr


@pytest.fixture
def talk(tmp_path):
    """Something said in secret."""
    if "NDA_KEY" not in os.environ:
        pytest.skip("there is no ndaencrypt")
    (tmp_path / "a.key").touch(0o600)
    (tmp_path / "a.key").write_bytes(os.urandom(32))
    said = launch(tmp_path, "audiotestsrc num-buffers=9 ! ndaencrypt "
                  "key-file=a.key ! filesink location=talk.nda")
    assert "ERROR" not in said
    return tmp_path / "talk.nda"


def test_an_encrypted_file_names_the_pipeline_that_plays_it(talk):
    said = launch(talk.parent, f"ndasrc uri={talk.as_uri()} ! fakesink")

    assert "is encrypted" in said
    assert "“filesrc location=FILE ! ndadecrypt key-file=KEY”" in said
    advice = 'source="filesrc location=talk.nda ! ndadecrypt key-file=a.key"'
    assert launch(talk.parent, f"ndasrc {advice} ! fakesink") == ""


def test_a_missing_passphrase_file_needs_no_key(talk):
    said = launch(talk.parent, "audiotestsrc num-buffers=9 ! ndaencrypt "
                  "passphrase-file=none passphrase-salt=saltsalt ! fakesink")

    assert "no passphrase file “none”" in said
    assert "keygen" not in said
    (talk.parent / "none").touch(0o600)
    (talk.parent / "none").write_text("correct horse battery staple\n")
    assert launch(talk.parent, "audiotestsrc num-buffers=9 ! ndaencrypt "
                  "passphrase-file=none passphrase-salt=saltsalt ! "
                  "fakesink") == ""


def test_a_file_that_is_no_key_is_not_taken_for_one(talk):
    plugin = talk.parent / "halve.py"
    plugin.write_text("def process(block):\n    block *= 0.5\n")
    plugin.chmod(0o644)

    said = subprocess.run(
        [sys.executable, "-m", "nda", "keyinfo", plugin],
        capture_output=True,
        text=True,
    ).stderr

    assert "the key file “" not in said
    assert "If it is one, close it" in said


def test_a_uri_with_two_slashes_is_written_with_three(tmp_path):
    said = launch(tmp_path, "ndasrc uri=file://tone.wav ! fakesink")

    assert "“file://tone.wav” is not the URI of a file here" in said
    assert f"Write “{(tmp_path / 'tone.wav').as_uri()}”" in said


# Frames of silence, by their headers
MPEG = 4 * (bytes.fromhex("fffb9000") + bytes(413))
AC3 = 8 * (bytes.fromhex("0b770000084040") + bytes(249))
DECODERS = "mpg123audiodec avdec_mp3 avdec_mp3float mad flump3dec a52dec " \
    "avdec_ac3 avdec_ac3_fixed avdec_eac3"


@pytest.mark.parametrize(
    "data, decoder",
    [(MPEG, "MPEG-1 Layer 3 (MP3) decoder"),
     (AC3, "AC-3 (ATSC A/52) decoder")],
)
def test_a_format_that_nobody_decodes_names_packages(tmp_path, data, decoder):
    """GStreamer with its base plugins alone."""
    file = tmp_path / "audio"
    file.write_bytes(data)
    ranks = ",".join(f"{name}:NONE" for name in DECODERS.split())
    done = subprocess.run(
        ["gst-launch-1.0", "-q", "ndasrc", f"uri={file.as_uri()}", "!",
         "fakesink"],
        capture_output=True,
        text=True,
        env={**os.environ, "GST_REGISTRY": str(tmp_path / "registry"),
             "GST_PLUGIN_FEATURE_RANK": ranks},
    )

    said = done.stdout + done.stderr
    assert f"“{decoder}” is missing" in said
    assert "Install gstreamer1.0-libav, " in said


def test_the_log_ends_with_the_figures(tmp_path):
    """How a user of gst-launch sees what was late and what was lost."""
    names = ["ndasrc", "ndapybridge", "ndasink"]
    done = subprocess.run(
        ["gst-launch-1.0", "-q", "ndasrc",
         "source=audiotestsrc num-buffers=9 samplesperbuffer=512", "!",
         "ndapybridge", "plugin=passthrough", "!", "ndasink",
         "sink=fakesink"],
        capture_output=True,
        text=True,
        env={**os.environ, "GST_DEBUG_NO_COLOR": "1",
             "GST_DEBUG": ",".join(f"{name}:4" for name in names)},
    )

    for name in names:
        (line,) = [line for line in done.stderr.splitlines()
                   if f"application/x-{name}-stats, " in line]
        assert "num-blocks=(guint64)" in line
