# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The example programs do what they say, on files instead of devices."""

import os
import re
import shlex
import struct
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(os.environ["NDA_EMBED_PY"]).parent.parent
EMBED = {
    "C": [os.environ["NDA_EMBED"]],
    "Python": [sys.executable, os.environ["NDA_EMBED_PY"]],
}
DEMO = os.environ["NDA_DEMO"]


def write_recording(path: Path, n_frames: int) -> np.ndarray:
    """Write a mono recording of noise; return its samples as int16."""
    samples = np.random.default_rng(1).integers(
        -32768, 32768, n_frames, dtype=np.int16
    )
    with wave.open(str(path), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(48000)
        recording.writeframes(samples.tobytes())
    return samples


def read_float_wav(path: Path) -> np.ndarray:
    """Read a mono WAV file of 32-bit floats (`wave` knows only integers)."""
    content = path.read_bytes()
    assert content[:4] == b"RIFF" and content[8:12] == b"WAVE"
    position = 12
    chunks = {}
    while position < len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        chunks[name] = content[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
    kind, channels, rate = struct.unpack_from("<HHI", chunks[b"fmt "])
    assert (kind, channels, rate) == (3, 1, 48000)
    return np.frombuffer(chunks[b"data"], dtype="<f4")


def run(command: list, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )


@pytest.mark.parametrize("language", EMBED)
def test_embed_brings_every_frame_from_file_to_file(language, tmp_path):
    # Not a whole number of blocks.
    samples = write_recording(tmp_path / "in.wav", 48000 + 7)

    result = run(
        EMBED[language]
        + ["gain", (tmp_path / "in.wav").as_uri(), tmp_path / "out.wav"],
        tmp_path,
    )

    assert result.returncode == 0, result.stderr
    heard = read_float_wav(tmp_path / "out.wav")
    assert len(heard) == len(samples)
    assert np.array_equal(heard, samples / np.float32(32768))


@pytest.mark.parametrize("language", EMBED)
def test_embed_says_which_plugin_is_missing(language, tmp_path):
    write_recording(tmp_path / "in.wav", 512)

    result = run(
        EMBED[language]
        + ["nosuch", (tmp_path / "in.wav").as_uri(), tmp_path / "out.wav"],
        tmp_path,
    )

    assert result.returncode == 1
    # in the user's letters, which setlocale () chooses
    assert "“nosuch”" in result.stderr


@pytest.mark.parametrize("language", EMBED)
def test_embed_says_which_input_is_missing(language, tmp_path):
    result = run(
        EMBED[language]
        + ["gain", (tmp_path / "none.wav").as_uri(), tmp_path / "out.wav"],
        tmp_path,
    )

    assert result.returncode == 1
    assert "none.wav”" in result.stderr


def test_demo_joins_recordings_without_a_seam(tmp_path):
    first = write_recording(tmp_path / "first.wav", 24001)
    second = write_recording(tmp_path / "second.wav", 24001)

    result = run(
        [DEMO, "--location", "out.wav", "first.wav", "second.wav"], tmp_path
    )

    assert result.returncode == 0, result.stderr
    heard = read_float_wav(tmp_path / "out.wav")
    played = np.concatenate([first, second]) / np.float32(32768)
    assert np.array_equal(heard, played * np.float32(0.5))


def test_demo_ends_in_one_table(tmp_path):
    write_recording(tmp_path / "in.wav", 48000)

    result = run([DEMO, "--location", "out.wav", "in.wav"], tmp_path)

    assert result.returncode == 0, result.stderr
    table = result.stdout.split("\n\n")[-1].splitlines()
    assert "asked for" in table[0]
    assert [row[:24].strip() for row in table[1:]] == [
        "blocks a second",
        "plugin call",
        "GIL wait",
        "drift",
        "underruns, overflows",
        "latency",
    ]
    # There is no device here to measure these two at.
    assert table[5].endswith("n/a") and table[6].endswith("n/a")


def test_demo_says_which_recording_is_missing(tmp_path):
    result = run([DEMO, "--location", "out.wav", "none.wav"], tmp_path)

    assert result.returncode == 1
    assert "none.wav" in result.stderr


@pytest.mark.parametrize(
    "page", ["README.md", "docs/plugins.md", "docs/plugins-api1.md"]
)
def test_the_plugin_that_a_page_shows_halves_the_level(page, tmp_path):
    text = (ROOT / page).read_text(encoding="utf-8")
    plugin = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    (tmp_path / "halve.py").write_text(plugin, encoding="utf-8")
    samples = write_recording(tmp_path / "in.wav", 1000)

    result = run(
        EMBED["C"] + ["./halve.py", (tmp_path / "in.wav").as_uri(), "out.wav"],
        tmp_path,
    )

    assert result.returncode == 0, result.stderr
    heard = read_float_wav(tmp_path / "out.wav")
    assert np.array_equal(heard, samples / np.float32(65536))


def pipelines_of(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^    gst-launch-1.0 (?:-e )?(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("pipeline", pipelines_of("README.md"))
def test_each_pipeline_of_the_readme_can_be_made(pipeline):
    # Making it looks up every element and sets every property.
    parse = (
        "import sys, gi; gi.require_version('Gst', '1.0'); "
        "from gi.repository import Gst; Gst.init(None); "
        "Gst.parse_launchv(sys.argv[1:])"
    )

    result = run([sys.executable, "-c", parse] + shlex.split(pipeline), ROOT)

    assert result.returncode == 0, result.stderr
