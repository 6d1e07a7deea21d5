# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The WAV player, and files of all kinds."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from wavs import (  # noqa: F401
    ODD_BITS,
    chunk,
    folder,
    format_chunk,
    noise,
    play,
    save,
    stored,
)

import nda
import plugin_driver as driver


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_player_divides_integers_by_their_full_scale(
    bits, channels, extensible
):
    random = np.random.default_rng(3)
    full = 1 << (bits - 1)
    samples = random.integers(-full, full, (channels, 1024))
    samples[:, :3] = -full, full - 1, -1
    save(
        format_chunk(1, channels, bits, extensible=extensible),
        chunk(b"data", stored(bits, samples)),
    )

    heard = play("in.wav", 2)

    expected = samples.astype(np.float32) * np.float32(1 / full)
    assert heard.shape == (channels, 1024)
    assert (heard == expected).all()


@pytest.mark.parametrize("extensible", [False, True])
def test_player_passes_every_bit_of_a_float(extensible):
    samples = noise(2, 512)
    samples.view(np.uint32)[:, : len(ODD_BITS)] = ODD_BITS
    save(
        format_chunk(3, 2, 32, extensible=extensible),
        chunk(b"data", samples.T.tobytes()),
    )

    heard = play("in.wav", 1)

    assert (driver.bits_of(heard) == samples.view(np.uint32)).all()


@pytest.mark.parametrize("sample_rate, channels", [(44100, 1), (96000, 6)])
def test_5_2_player_has_the_rate_and_the_channels_of_the_file(
    sample_rate, channels
):
    save(
        format_chunk(3, channels, 32, sample_rate),
        chunk(b"data", bytes(4 * channels * 100)),
    )
    plugin = driver.running("wav_player", filename="in.wav")

    assert plugin.get_sample_rate() == sample_rate
    assert plugin.get_channels() == channels
    assert plugin.get_parameter("duration") == "100"


def test_player_ends_with_false_and_pads_the_last_block():
    samples = noise(2, 700)
    save(format_chunk(3, 2, 32), chunk(b"data", samples.T.tobytes()))
    plugin = driver.running("wav_player", filename="in.wav")

    heard = driver.read(plugin, 512, 512)

    assert (heard[:, :700] == samples).all() and not heard[:, 700:].any()
    assert plugin.get_parameter("position") == "700"
    for _ in range(3):
        assert plugin.read_audio(nda.AudioBuffer(2, 512)) is False


def test_player_starts_again_at_the_beginning():
    samples = noise(2, 1024)
    save(format_chunk(3, 2, 32), chunk(b"data", samples.T.tobytes()))
    plugin = driver.running("wav_player", filename="in.wav")
    driver.read(plugin, 700)
    plugin.stop()
    driver.start(plugin)

    assert (driver.read(plugin, 512) == samples[:, :512]).all()


@pytest.mark.parametrize("n_frames", [1, 5, 511, 512, 700])
def test_player_loops_without_a_gap(n_frames):
    samples = noise(2, n_frames)
    save(format_chunk(3, 2, 32), chunk(b"data", samples.T.tobytes()))

    heard = play("in.wav", 4, loop="true")

    assert (heard == np.resize(samples.T, (2048, 2)).T).all()


@pytest.mark.parametrize("loop", ["false", "true"])
def test_player_of_no_frames_ends_at_once(loop):
    save(format_chunk(3, 2, 32), chunk(b"data", b""))
    plugin = driver.running("wav_player", filename="in.wav", loop=loop)

    assert plugin.read_audio(nda.AudioBuffer(2, 512)) is False


def test_player_skips_other_chunks():
    samples = noise(1, 512)
    save(
        chunk(b"JUNK", bytes(27)),
        format_chunk(3, 1, 32),
        chunk(b"LIST", b"INFOISFT\3\0\0\0nda"),
        chunk(b"data", samples.tobytes()),
        chunk(b"LIST", b"data"),
    )

    assert (play("in.wav", 1) == samples).all()


def write_with_lengths(kind, riff, data, *chunks, tail=b""):
    """A file of 700 frames whose header has the lengths that are given."""
    samples = noise(2, 700)
    body = b"".join((b"WAVE", *chunks, format_chunk(3, 2, 32)))
    body += struct.pack("<4sI", b"data", data) + samples.T.tobytes() + tail
    Path("in.wav").write_bytes(struct.pack("<4sI", kind, riff) + body)
    return samples


def ds64(riff, data):
    return chunk(b"ds64", struct.pack("<QQQI", riff, data, 0, 0))


MAX = 0xFFFFFFFF


@pytest.mark.parametrize(
    "kind, riff, data, chunks",
    [
        (b"RIFF", 0, 0, []),
        (b"RIFF", 36, 0, []),
        (b"RIFF", MAX, MAX, []),
        (b"RIFF", 0, MAX, []),
        (b"RIFF", MAX, 0, []),
        (b"RIFF", MAX, 0x7FFFF000, []),
        (b"RF64", MAX, MAX, []),
        (b"RF64", MAX, MAX, [ds64(0, 0)]),
        (b"RF64", MAX, MAX, [ds64(2**64 - 1, 2**64 - 1)]),
        (b"BW64", MAX, MAX, [ds64(5660, 5600)]),
        (b"BW64", MAX, MAX, [chunk(b"JUNK", bytes(28))]),
    ],
)
def test_player_plays_to_the_end_what_no_length_was_written_for(
    kind, riff, data, chunks
):
    samples = write_with_lengths(kind, riff, data, *chunks)
    plugin = driver.running("wav_player", filename="in.wav")

    heard = driver.read(plugin, 512, 512)

    assert plugin.get_parameter("duration") == "700"
    assert (heard[:, :700] == samples).all() and not heard[:, 700:].any()
    assert plugin.read_audio(nda.AudioBuffer(2, 512)) is False


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
def test_player_stops_where_ds64_says(kind):
    samples = write_with_lengths(
        kind, MAX, MAX, ds64(5700, 5600), tail=chunk(b"LIST", bytes(20))
    )

    heard = play("in.wav", 2)

    assert (heard[:, :700] == samples).all() and not heard[:, 700:].any()


def test_player_takes_no_other_chunk_for_samples():
    save(format_chunk(3, 2, 32), chunk(b"data", b""), chunk(b"LIST", b"abcd"))
    plugin = driver.running("wav_player", filename="in.wav")

    assert plugin.get_parameter("duration") == "0"


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_player_rounds_floats_of_64_bits(channels):
    samples = noise(channels, 512).astype("<f8") * (1 + 1e-12)
    samples[0, :4] = 0.1, -1.5, 1e300, np.nan
    save(
        format_chunk(3, channels, 64), chunk(b"data", samples.T.tobytes())
    )

    heard = play("in.wav", 1)

    with np.errstate(over="ignore"):
        expected = samples.astype(np.float32)
    assert np.array_equal(heard, expected, equal_nan=True)


@pytest.mark.parametrize("n_frames", [1, 3])
def test_player_plays_one_frame_of_odd_bytes(n_frames):
    samples = np.array([[1, -2, 3][:n_frames]])
    save(format_chunk(1, 1, 24), chunk(b"data", stored(24, samples)))

    heard = play("in.wav", 1)

    assert (heard[0, :n_frames] * (1 << 23) == samples[0]).all()
    assert not heard[0, n_frames:].any()


def test_player_reads_what_is_there_of_a_cut_file():
    samples = noise(2, 1024)
    save(format_chunk(3, 2, 32), chunk(b"data", samples.T.tobytes()))
    os.truncate("in.wav", os.path.getsize("in.wav") - 2048 - 3)
    plugin = driver.running("wav_player", filename="in.wav")

    assert plugin.get_parameter("duration") == "767"
    heard = driver.read(plugin, 512, 512)
    assert (heard[:, :767] == samples[:, :767]).all()


GOOD = format_chunk(3, 2, 32)
DATA = chunk(b"data", bytes(16))


@pytest.mark.parametrize(
    "chunks, text",
    [
        ([DATA, GOOD], "“in.wav” has no format"),
        ([GOOD], "“in.wav” has no samples"),
        ([], "“in.wav” has no format"),
        ([chunk(b"fmt ", bytes(15)), DATA], "has a broken format chunk"),
        ([format_chunk(1, 2, 12), DATA], "12 bits with format tag 1, but"),
        ([format_chunk(3, 2, 16), DATA], "16 bits with format tag 3, but"),
        ([format_chunk(7, 2, 8), DATA], "8 bits with format tag 7 (µ-law),"),
        ([format_chunk(6, 2, 8), DATA], "8 bits with format tag 6 (A-law),"),
        (
            [format_chunk(85, 2, 16, extensible=True), DATA],
            "16 bits with format tag 85",
        ),
        ([format_chunk(3, 0, 32), DATA], "0 channels at 48000 Hz"),
        ([format_chunk(3, 65, 32), DATA], "65 channels at 48000 Hz"),
        ([format_chunk(3, 2, 32, 0), DATA], "2 channels at 0 Hz"),
    ],
)
def test_player_says_why_it_cannot_read_a_file(chunks, text):
    save(*chunks)
    plugin = driver.initialized("wav_player", filename="in.wav")

    with pytest.raises(RuntimeError) as caught:
        plugin.start()

    assert str(caught.value).startswith("WavError: ")
    assert text in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"OggS" + bytes(99)])
def test_player_takes_nothing_else_for_a_wav_file(content):
    Path("in.wav").write_bytes(content)

    with pytest.raises(RuntimeError, match="“in.wav” is not a WAV file"):
        driver.running("wav_player", filename="in.wav")


def test_player_says_which_file_is_not_there():
    plugin = driver.initialized("wav_player", filename="none.wav")

    with pytest.raises(RuntimeError, match="FileNotFoundError.*none.wav"):
        plugin.start()


def test_player_without_a_file_says_what_to_set():
    with pytest.raises(RuntimeError, match="set the parameter “filename”"):
        driver.running("wav_player")


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_19_11_the_stream_ends_with_the_file(gst, isolation, rate):
    save(
        format_chunk(3, 2, 32, rate),
        chunk(b"data", noise(2, 7000).T.tobytes()),
    )
    pipeline = gst.parse_launch(
        f"ndapysrc name=py plugin=wav_player isolation={isolation} "
        "parameters=filename=in.wav is-live=false ! fakesink"
    )
    pipeline.set_state(gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
    )
    stats = pipeline.get_by_name("py").get_property("stats")
    pipeline.set_state(gst.State.NULL)

    assert message.type == gst.MessageType.EOS
    assert stats.get_value("num-frames") == round(7000 * 48000 / rate)


@pytest.mark.parametrize("seed", range(20))
def test_player_survives_a_header_of_noise(seed):
    random = np.random.default_rng(seed)
    content = bytearray(
        save(GOOD, DATA) and Path("in.wav").read_bytes() + bytes(99)
    )
    for at in random.integers(4, 60, 6):
        content[at] = random.integers(256)
    Path("in.wav").write_bytes(content)

    try:
        plugin = driver.running("wav_player", filename="in.wav")
    except RuntimeError:
        return
    plugin.read_audio(nda.AudioBuffer(plugin.get_channels(), 512))
