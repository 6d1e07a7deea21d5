# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndaspectrum, beside GStreamer's own `spectrum`."""

import re
import struct
import zlib

import numpy as np
import pytest
from elements import make_run, no_complaints  # noqa: F401

TIMES = ("timestamp", "stream-time", "running-time", "endtime", "duration")


def spectra(run, name):
    """Times and magnitudes of the messages so called, up to the end."""
    types = run.gst.MessageType
    found = []
    while True:
        message = run.wait(types.ELEMENT | types.EOS | types.ERROR)
        if message.type == types.ERROR:
            raise AssertionError(message.parse_error())
        if message.type == types.EOS:
            return found
        text = message.get_structure().to_string()
        if text.startswith(f"{name},"):
            times = [
                int(re.search(rf" {t}=\(guint64\)(\d+)", text)[1])
                for t in TIMES
            ]
            listed = re.search(r"magnitude=\(float\){ ([^}]*) }", text)[1]
            found.append((times, np.array(listed.split(", "), dtype=float)))


def read_png(data):
    """Pixels of a PNG with a palette, from the top."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        check = struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0]
        assert check == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour, len(chunks[b"PLTE"])) == (8, 3, 768)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8)
    rows = rows.reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:]


@pytest.mark.parametrize("size", [7, 511, 512, 4096])
@pytest.mark.parametrize("rate, props", [
    (48000, ""),
    (44100, "interval=30000000 bands=200 threshold=-90"),
])
def test_it_tells_what_spectrum_tells(make_run, size, rate, props):
    run = make_run(
        f"audiotestsrc wave=pink-noise samplesperbuffer={size} "
        f"num-buffers={24000 // size} ! "
        f"audio/x-raw,format=F32LE,rate={rate},channels=2 ! "
        f"spectrum name=theirs {props} ! ndaspectrum name=ours {props}"
    ).play()
    run.pull_all()
    ours, theirs = [], []
    while (message := run.bus.pop()) is not None:
        if message.type == run.gst.MessageType.ELEMENT:
            text = message.get_structure().to_string()
            (ours if text.startswith("nda") else theirs).append(text)

    assert len(ours) == len(theirs) > 3
    for one, other in zip(ours, theirs):
        for name in TIMES:
            pattern = rf" {name}=\(guint64\)(\d+)"
            found = [int(re.search(pattern, t)[1]) for t in (one, other)]
            assert abs(found[0] - found[1]) <= 1
        listed = [
            np.array(
                re.search(r"magnitude=\(float\){ ([^}]*) }", t)[1].split(", "),
                dtype=float,
            )
            for t in (one, other)
        ]
        assert np.abs(listed[0] - listed[1]).max() < 0.01


def test_sound_passes_untouched(make_run):
    run = make_run(
        "ndatonesrc num-buffers=20 wave=white-noise ! tee name=t "
        "t. ! queue ! fakesink t. ! queue ! ndaspectrum"
    ).play()
    alone = make_run("ndatonesrc num-buffers=20 wave=white-noise").play()

    for (one, frames), (other, expected) in zip(
        run.pull_all(), alone.pull_all()
    ):
        assert np.array_equal(frames, expected)
        assert (one.pts, one.offset) == (other.pts, other.offset)


def test_loudest_band_is_that_of_the_tone(make_run):
    run = make_run("ndatonesrc freq=3000 num-buffers=40 ! ndaspectrum").play()
    run.pull_all()

    found = spectra(run, "ndaspectrum")

    assert len(found) == 40 * 512 // 4800
    for _, magnitudes in found:
        assert magnitudes.argmax() == round(3000 * 254 / 48000)


def test_post_messages_can_be_turned_off(make_run):
    run = make_run(
        "ndatonesrc num-buffers=40 ! ndaspectrum post-messages=false"
    ).play()
    run.pull_all()

    assert spectra(run, "ndaspectrum") == []


def test_flush_and_new_format_begin_anew(make_run, gst):
    run = make_run(
        "ndatonesrc ! capsfilter name=filter caps=audio/x-raw,rate=48000 ! "
        "ndaspectrum"
    ).pause()
    run.seek(gst.SECOND, gst.SECOND + 250 * gst.MSECOND)
    run.play().pull_all()
    first = spectra(run, "ndaspectrum")
    run.stop()
    run.filter.set_property(
        "caps", gst.Caps.from_string("audio/x-raw,rate=8000,channels=5")
    )
    run.pause().seek(0, 250 * gst.MSECOND)
    run.play().pull_all()
    second = spectra(run, "ndaspectrum")

    assert [times[0] for times, _ in first[-2:]] == [
        gst.SECOND, gst.SECOND + 100 * gst.MSECOND
    ]
    assert [times[0] for times, _ in second[-2:]] == [0, 100 * gst.MSECOND]


def test_picture_is_written_when_the_stream_stops(make_run, tmp_path):
    path = tmp_path / "a.png"
    run = make_run(
        "ndatonesrc freq=6000 num-buffers=100 ! ndaspectrum bands=65 "
        f"location={path}"
    ).play()
    run.pull_all()
    assert not path.exists()
    run.stop()

    pixels = read_png(path.read_bytes())
    assert pixels.shape == (65, 100 * 512 // 4800)
    # from the bottom, one row for 375 Hz
    assert set(pixels.argmax(axis=0)) == {64 - 6000 // 375}


def test_picture_keeps_the_newest_columns(make_run):
    run = make_run(
        "ndatonesrc wave=silence num-buffers=1400 ! identity name=i ! "
        "ndaspectrum name=s interval=1000000 bands=4 threshold=-20"
    )
    assert run.s.emit("draw") is None
    run.play().pull_all()

    pixels = read_png(run.s.emit("draw").get_data())

    assert pixels.shape == (4, 1024)
    assert not pixels.any()


def test_picture_that_cannot_be_written_is_an_error(make_run, gst, tmp_path):
    run = make_run(
        f"ndatonesrc num-buffers=40 ! ndaspectrum location={tmp_path}/no/a.png"
    ).play()
    run.pull_all()

    run.pipeline.set_state(gst.State.READY)

    error, _ = run.wait(gst.MessageType.ERROR).parse_error()
    assert f"The picture “{tmp_path}/no/a.png” cannot be written" in (
        error.message
    )
    assert error.matches(
        gst.ResourceError.quark(), gst.ResourceError.OPEN_WRITE
    )
