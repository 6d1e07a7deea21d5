# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The WAV player and recorder, against other readers and writers."""

import os
import signal
import struct
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from wavs import (  # noqa: F401
    ODD_BITS,
    folder,
    noise,
    play,
)

import nda
import plugin_driver as driver


@pytest.mark.parametrize("name", ["wav_player", "wav_recorder"])
def test_no_file_name_is_an_error_that_says_what_to_do(name):
    plugin = driver.initialized(name)

    with pytest.raises(Exception, match="set the parameter “filename”"):
        plugin.start()


def record(samples, n_frames=512, **parameters):
    plugin = driver.running(
        "wav_recorder",
        filename="out.wav",
        channels=str(len(samples)),
        **parameters,
    )
    driver.write(plugin, samples, n_frames)
    plugin.stop()
    return plugin


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_recorder_keeps_every_bit_of_a_float(channels):
    samples = noise(channels, 1300)
    samples.view(np.uint32)[:, : len(ODD_BITS)] = ODD_BITS

    plugin = record(samples)

    assert plugin.get_parameter("frames") == "1300"
    heard = play("out.wav", 3)
    assert (driver.bits_of(heard[:, :1300]) == samples.view(np.uint32)).all()


@pytest.mark.parametrize("bits", ["16", "24"])
def test_recorder_rounds_and_clips_integers(bits):
    full = 1 << (int(bits) - 1)
    wanted = [0.0, 0.49, 0.51, -0.51, 100.0, full - 1, full, -full, -full - 1]
    samples = np.array([wanted], dtype=np.float64) / full
    samples = np.append(samples, [[2.5, -2.5, np.inf, -np.inf, np.nan]])
    samples = samples.astype(np.float32).reshape(1, -1)

    record(samples, bits=bits)

    with wave.open("out.wav") as file:
        assert file.getparams()[:4] == (1, int(bits) // 8, 48000, 14)
        raw = np.frombuffer(file.readframes(14), np.uint8)
    wide = np.zeros((14, 4), dtype=np.uint8)
    wide[:, 4 - int(bits) // 8 :] = raw.reshape(14, -1)
    found = wide.view("<i4")[:, 0] >> (32 - int(bits))
    top = full - 1
    assert found.tolist() == [
        *(0, 0, 1, -1, 100, top, top, -full, -full),
        *(top, -full, top, -full, 0),
    ]


@pytest.mark.parametrize("bits", ["16", "24", "32"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_recorder_and_player_agree_in_blocks_of_any_size(channels, bits):
    samples = noise(channels, 1301)

    record(samples, n_frames=77, bits=bits)

    heard = play("out.wav", 1301, n_frames=1)
    half_a_step = 0 if bits == "32" else 0.51 / (1 << int(bits) - 1)
    np.testing.assert_allclose(heard, samples, rtol=0, atol=2 * half_a_step)


def lengths(name):
    """Return what the header says: RIFF, fact and data."""
    content = Path(name).read_bytes()
    data = content.index(b"data")
    fact = content.index(b"fact")
    read = struct.unpack_from
    return tuple(
        read("<I", content, at)[0] for at in (4, fact + 8, data + 4)
    )


@pytest.mark.parametrize("n_frames", [0, 1, 2, 512])
@pytest.mark.parametrize("bits", ["16", "24", "32"])
def test_recorder_header_says_what_is_there(n_frames, bits):
    record(noise(1, n_frames), bits=bits)

    n_bytes = n_frames * int(bits) // 8
    size = os.path.getsize("out.wav")
    assert lengths("out.wav") == (size - 8, n_frames, n_bytes)
    assert size % 2 == 0


@pytest.mark.parametrize(
    "bits, channels, caps",
    [
        ("32", 2, "F32LE"),
        ("24", 2, "S24LE"),
        ("16", 1, "S16LE"),
        ("32", 4, "F32LE"),
    ],
)
def test_others_read_the_recording(bits, channels, caps, gst_file):
    samples = noise(channels, 1000)
    record(samples, bits=bits)

    raw = gst_file(
        f"filesrc location=out.wav ! wavparse ! audio/x-raw,format={caps} "
        "! filesink location=raw"
    )

    start = Path("out.wav").read_bytes().index(b"data") + 8
    assert raw == Path("out.wav").read_bytes()[start:]
    assert len(raw) == 1000 * channels * int(bits) // 8


@pytest.mark.parametrize("caps", ["F32LE", "S32LE", "S24LE", "S16LE"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_others_recordings_are_read(caps, channels, gst_file):
    source = (
        "audiotestsrc wave=white-noise num-buffers=4 samplesperbuffer=512 ! "
        f"audio/x-raw,format={caps},channels={channels},rate=48000"
    )
    if channels == 6:
        source += ",channel-mask=(bitmask)0x3f"
    raw = gst_file(
        f"{source} ! tee name=t ! queue ! wavenc ! filesink location=in.wav "
        "t. ! queue ! filesink location=raw"
    )

    heard = play("in.wav", 4)

    bits = int(caps[1:3])
    if caps == "F32LE":
        expected = np.frombuffer(raw, "<f4")
    else:
        wide = np.zeros((len(raw) * 8 // bits, 4), dtype=np.uint8)
        wide[:, 4 - bits // 8 :] = np.frombuffer(raw, np.uint8).reshape(
            -1, bits // 8
        )
        expected = wide.view("<i4")[:, 0].astype(np.float32) / 2**31
    assert (heard == expected.reshape(-1, channels).T).all()


@pytest.fixture
def gst_file():
    """Run a pipeline that ends by itself; return what is in “raw” then."""

    def run(pipeline):
        process = subprocess.run(
            ["gst-launch-1.0", "-q", *pipeline.split()],
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr
        return Path("raw").read_bytes()

    return run


def test_recorder_refuses_a_file_that_is_there():
    Path("out.wav").write_bytes(b"dear")
    plugin = driver.initialized("wav_recorder", filename="out.wav")

    with pytest.raises(RuntimeError) as caught:
        plugin.start()

    assert "“out.wav” exists already" in str(caught.value)
    plugin.shutdown()
    assert Path("out.wav").read_bytes() == b"dear"


def test_recorder_replaces_a_file_if_it_may():
    Path("out.wav").write_bytes(bytes(10000))

    record(noise(2, 512), overwrite="true")

    assert lengths("out.wav")[0] == os.path.getsize("out.wav") - 8 < 5000


def test_recorder_says_why_it_cannot_write():
    plugin = driver.initialized("wav_recorder", filename="none/out.wav")

    with pytest.raises(RuntimeError) as caught:
        plugin.start()

    assert "none/out.wav" in str(caught.value)


def test_4_2_recorder_goes_on_in_its_own_file():
    samples = noise(2, 1024)
    plugin = record(samples[:, :512])
    driver.start(plugin)
    driver.write(plugin, samples[:, 512:])
    plugin.shutdown()

    assert (play("out.wav", 2) == samples).all()


def test_recorder_goes_on_with_no_other_format():
    plugin = record(noise(2, 512))
    before = Path("out.wav").read_bytes()
    plugin.set_parameter("bits", "16")

    with pytest.raises(RuntimeError) as caught:
        plugin.start()

    assert "choose another “filename”" in str(caught.value)
    assert Path("out.wav").read_bytes() == before


def test_recorder_begins_another_file():
    samples = noise(2, 512)
    plugin = record(samples)
    plugin.set_parameter("filename", "next.wav")
    driver.start(plugin)
    driver.write(plugin, samples)
    plugin.stop()

    assert plugin.get_parameter("frames") == "512"
    assert Path("next.wav").read_bytes() == Path("out.wav").read_bytes()


def test_recorder_does_not_take_anothers_file_for_its_own():
    plugin = record(noise(2, 512))
    os.rename("out.wav", "mine.wav")
    Path("out.wav").write_bytes(b"dear")

    with pytest.raises(RuntimeError, match="exists already"):
        plugin.start()
    assert Path("out.wav").read_bytes() == b"dear"


KILLED = """
import os, signal, numpy as np, nda, plugin_driver as driver
plugin = driver.running("wav_recorder", filename="out.wav", channels="1")
driver.write(plugin, np.full((1, 5000), 0.5, dtype=np.float32))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_recording_of_a_killed_process_is_whole():
    here = str(Path(__file__).parent)
    process = subprocess.run(
        [sys.executable, "-c", KILLED],
        env=dict(
            os.environ,
            PYTHONPATH=os.pathsep.join(
                [here, str(Path(nda.__file__).parents[1])]
            ),
        ),
    )

    assert process.returncode == -signal.SIGKILL
    size = os.path.getsize("out.wav")
    assert lengths("out.wav") == (size - 8, 5000, 20000)
    assert (play("out.wav", 10, n_frames=500) == 0.5).all()


def test_a_full_disk_costs_nothing_but_time(monkeypatch):
    samples = noise(2, 1024)
    plugin = driver.running("wav_recorder", filename="out.wav")
    driver.write(plugin, samples[:, :512])
    before = lengths("out.wav")
    buffer = nda.AudioBuffer(2, 512)
    buffer.data[:] = samples[:, 512:]
    write = os.pwrite

    def write_a_little(file, data, offset):
        if offset >= 3000 + 4096:
            raise OSError(28, "No space left on device")
        return write(file, data[:1000], offset)

    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", write_a_little)
        for _ in range(3):
            with pytest.raises(OSError):
                plugin.write_audio(buffer)
    assert lengths("out.wav") == before
    assert plugin.write_audio(buffer) is True
    plugin.stop()

    content = Path("out.wav").read_bytes()
    assert content.endswith(samples.T.tobytes())
    assert lengths("out.wav") == (len(content) - 8, 1024, 8192)


def test_past_4_gib_it_is_an_rf64_file(monkeypatch):
    samples = noise(2, 5 * 512)
    plugin = driver.running("wav_recorder", filename="out.wav")
    wav = sys.modules["_nda_wav"]
    monkeypatch.setattr(wav, "MAX_LENGTH", 10000)

    driver.write(plugin, samples[:, :1024])
    assert Path("out.wav").read_bytes()[:4] == b"RIFF"
    driver.write(plugin, samples[:, 1024:])
    plugin.stop()

    content = Path("out.wav").read_bytes()
    assert content[:4] == b"RF64" and content[12:16] == b"ds64"
    assert struct.unpack_from("<QQQ", content, 20) == (
        len(content) - 8,
        5 * 512 * 8,
        5 * 512,
    )
    assert lengths("out.wav") == (0xFFFFFFFF,) * 3
    assert (play("out.wav", 5) == samples).all()


def test_five_gib_are_played_to_the_end():
    n_frames = 5 * (1 << 30) // 8
    driver.load("wav_player")
    wav = sys.modules["_nda_wav"]
    header = wav.make_header(wav.WavFormat(48000, 2, 32, True), n_frames)
    with open("in.wav", "wb") as file:
        file.write(header)
        # Sparse: takes no room on the disk
        file.truncate(len(header) + n_frames * 8)
        file.seek(-4, os.SEEK_END)
        file.write(struct.pack("<f", 0.25))
    plugin = driver.running("wav_player", filename="in.wav")
    assert plugin.get_parameter("duration") == str(n_frames)
    driver.read(plugin, 512)

    plugin.instance.position = n_frames - 512
    plugin.instance._file.seek(-4096, os.SEEK_END)

    assert driver.read(plugin, 512)[1, -1] == 0.25
    assert plugin.read_audio(nda.AudioBuffer(2, 512)) is False
