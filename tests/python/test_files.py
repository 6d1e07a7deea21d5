# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that ndasink writes: short, cut, and of many channels."""

import os
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest
from ndaio import play, read_float_wav, recording  # noqa: F401

SOUND = "audiotestsrc num-buffers={n} samplesperbuffer={frames} ! "


@pytest.mark.parametrize("n, frames", [(0, 1), (1, 1), (1, 2), (1, 511),
                                       (2, 512), (3, 1)])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_short_files_are_whole(play, tmp_path, n, frames, suffix):
    out = tmp_path / f"out.{suffix}"

    error = play(SOUND.format(n=n, frames=frames) + f"ndasink location={out}")

    if suffix == "wav":
        assert error is None
        assert len(read_float_wav(out)) == n * frames
    elif n:  # a stream that says nothing cannot be encoded
        assert error is None and out.stat().st_size > 0
        assert play(f"ndasrc name=in uri={out.as_uri()} ! fakesink") is None


def test_channels_keep_their_positions(play, tmp_path):
    out, back = tmp_path / "out.wav", tmp_path / "back.wav"
    caps = "audio/x-raw,format=F32LE,channels=8,channel-mask=(bitmask)0xc3f"
    play(f"audiotestsrc num-buffers=3 ! {caps},rate=48000 ! "
         f"ndasink location={out}")

    assert play(
        f"ndasrc uri={out.as_uri()} ! {caps} ! ndasink location={back}"
    ) is None
    assert struct.unpack_from("<I", out.read_bytes(), 12 + 36 + 8 + 20)[0] == (
        0x63F  # where a WAV file has the two sides
    )
    assert read_float_wav(back, kind=0xFFFE).shape == (3 * 1024, 8)
    assert back.read_bytes() == out.read_bytes()


def test_every_bit_is_kept(play, tmp_path):
    raw, out = tmp_path / "raw", tmp_path / "out.wav"
    bits = np.random.default_rng(1).integers(0, 2**32, 9000, np.uint32)
    raw.write_bytes(bits.astype("<u4").tobytes())

    assert play(
        f"filesrc location={raw} ! rawaudioparse format=pcm "
        "pcm-format=f32le sample-rate=48000 num-channels=2 ! "
        f"ndasink location={out}"
    ) is None

    assert (read_float_wav(out).view("<u4").ravel() == bits).all()


KILLED = """
import os, signal, sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst

Gst.init(None)
pipeline = Gst.parse_launch(
    "audiotestsrc samplesperbuffer=512 ! ndasink name=out location=" +
    sys.argv[1]
)
pipeline.set_state(Gst.State.READY)
n_buffers = 0

def die_at_the_100th(_pad, _info):
    global n_buffers
    n_buffers += 1
    if n_buffers > 100:
        os.kill(os.getpid(), signal.SIGKILL)
    return Gst.PadProbeReturn.OK

guard = pipeline.get_by_name("out").get_by_name("guard")
guard.get_static_pad("src").add_probe(
    Gst.PadProbeType.BUFFER, die_at_the_100th
)
pipeline.set_state(Gst.State.PLAYING)
pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE,
                                      Gst.MessageType.ERROR)
"""


def test_the_file_of_a_killed_process_is_whole(tmp_path):
    out = tmp_path / "out.wav"

    run = subprocess.run([sys.executable, "-c", KILLED, str(out)])

    assert run.returncode == -signal.SIGKILL
    assert len(read_float_wav(out)) == 100 * 512


def test_a_seek_begins_the_file_anew(gst, recording, tmp_path):
    """As an editor seeks before it plays."""
    path, samples = recording(n_frames=48000)
    out = tmp_path / "out.wav"
    pipeline = gst.parse_launch(
        f"ndasrc uri={path.as_uri()} ! ndasink location={out}"
    )
    bus = pipeline.get_bus()
    done = gst.MessageType.ASYNC_DONE | gst.MessageType.ERROR
    pipeline.set_state(gst.State.PAUSED)
    assert bus.timed_pop_filtered(60 * gst.SECOND, done).type != (
        gst.MessageType.ERROR
    )
    assert pipeline.seek_simple(
        gst.Format.TIME, gst.SeekFlags.FLUSH | gst.SeekFlags.ACCURATE,
        gst.SECOND // 2,
    )
    pipeline.set_state(gst.State.PLAYING)
    message = bus.timed_pop_filtered(
        60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
    )
    pipeline.set_state(gst.State.NULL)

    assert message.type == gst.MessageType.EOS
    heard = read_float_wav(out)
    assert (heard == samples[24000:].astype(np.float32) / 32768).all()


def test_a_full_disk_is_named(gst, play, tmp_path):
    out = tmp_path / "out.wav"
    out.symlink_to("/dev/full")

    error = play(f"audiotestsrc ! ndasink overwrite=true location={out}")

    assert "no room for more" in error.message and str(out) in error.message
    assert error.matches(
        gst.ResourceError.quark(), gst.ResourceError.NO_SPACE_LEFT
    )


def test_another_format_is_not_written_into_the_same_file(gst, tmp_path):
    """A new chain is brought into the file's format where it can be."""
    out = tmp_path / "out.wav"
    pipeline = gst.parse_launch(
        "audiotestsrc num-buffers=2 ! audio/x-raw,rate=48000,channels=1 ! "
        "concat name=c ! "
        f"ndasink location={out} "
        "audiotestsrc num-buffers=2 ! audio/x-raw,rate=48000,channels=2 ! c."
    )
    pipeline.set_state(gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
    )
    pipeline.set_state(gst.State.NULL)

    heard = read_float_wav(out)
    assert heard.shape[1] == 1 and len(heard) in (2048, 4096)
    if message.type == gst.MessageType.EOS:
        assert len(heard) == 4096


TAGS = (
    'title="Über uns",artist="A, B",album=Odd,genre=Spoken,comment="so, said",'
    "copyright=(string)2026,date=(date)2026-11-30,isrc=X12"
)


def read_tags(gst, path):
    """What is said in a WAV file, by GStreamer's own parser."""
    pipeline = gst.parse_launch(
        f"filesrc location={path} ! wavparse ! fakesink sync=false"
    )
    bus, found = pipeline.get_bus(), {}
    pipeline.set_state(gst.State.PLAYING)
    while True:
        message = bus.timed_pop(60 * gst.SECOND)
        if message.type in (gst.MessageType.EOS, gst.MessageType.ERROR):
            break
        if message.type == gst.MessageType.TAG:
            tags = message.parse_tag()
            for n in range(tags.n_tags()):
                name = tags.nth_tag_name(n)
                found[name] = str(tags.get_value_index(name, 0))
                if name == "datetime":
                    time = tags.get_date_time(name)[1]
                    found[name] = time.to_iso8601_string()
    pipeline.set_state(gst.State.NULL)
    assert message.type == gst.MessageType.EOS
    return found


@pytest.mark.parametrize("n_frames", [512, 3])
def test_tags_are_those_that_wavenc_writes(gst, play, tmp_path, n_frames):
    ours, theirs = tmp_path / "ours.wav", tmp_path / "theirs.wav"
    sound = SOUND.format(n=5, frames=n_frames) + "audio/x-raw,format=F32LE ! "
    for sink in (
        f"ndasink location={ours}",
        f"wavenc ! filesink location={theirs}",
    ):
        play(f"{sound} taginject name=inject ! {sink}", inject__tags=TAGS)

    tags, upstream = read_tags(gst, ours), read_tags(gst, theirs)
    # of which wavparse sees the year alone as wavenc writes it
    assert tags.pop("datetime") == "2026-11-30"
    assert upstream.pop("datetime") == "2026"
    assert tags == upstream
    assert tags["title"] == "Über uns" and tags["artist"] == "A, B"
    assert len(read_float_wav(ours)) == 5 * n_frames


def test_a_file_without_tags_ends_with_its_frames(gst, play, tmp_path):
    out = tmp_path / "out.wav"
    play(SOUND.format(n=5, frames=512) + f"ndasink location={out}")

    assert b"LIST" not in out.read_bytes()


def test_a_seek_after_the_end_leaves_no_tags_in_the_sound(
    gst, recording, tmp_path
):
    path, samples = recording(n_frames=2048)
    out = tmp_path / "out.wav"
    pipeline = gst.parse_launch(
        f"ndasrc uri={path.as_uri()} ! taginject name=inject ! "
        f"ndasink location={out}"
    )
    pipeline.get_by_name("inject").set_property("tags", TAGS)
    bus = pipeline.get_bus()
    ends = gst.MessageType.EOS | gst.MessageType.ERROR
    written = []
    pipeline.set_state(gst.State.PLAYING)
    for _ in range(2):
        if written:
            pipeline.seek_simple(gst.Format.TIME, gst.SeekFlags.FLUSH, 0)
        message = bus.timed_pop_filtered(60 * gst.SECOND, ends)
        assert message.type == gst.MessageType.EOS
        written.append(out.read_bytes())
    pipeline.set_state(gst.State.NULL)

    assert b"INAM" in written[0] and written[0] == written[1]
    assert len(read_float_wav(out)) == len(samples)


def test_the_file_is_readable_by_others(play, tmp_path):
    out = tmp_path / "out.wav"
    play(SOUND.format(n=5, frames=512) + f"ndasink location={out}")

    assert play(
        f"filesrc location={out} ! wavparse ! audioconvert ! fakesink"
    ) is None
    assert os.path.getsize(out) % 2 == 0
