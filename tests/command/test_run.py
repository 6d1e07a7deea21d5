# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda run: a plugin over files, and what it says of them."""

import re
import subprocess
import sys
import wave

import numpy as np
import pytest

from nda.command.main import main
from nda.command.offline.pipeline import Pipeline

RATE = 48000
HALVE = '''"""Half as loud."""


def process(block, *, gain: float = 0.5):
    block *= gain
'''


def write_wav(path, n_frames=4800, rate=RATE, channels=2):
    """Write a square wave of -6.02 dBFS."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = np.where(np.arange(n_frames) // 50 % 2, 16384, -16384)
        file.writeframes(
            np.repeat(samples, channels).astype("<i2").tobytes()
        )


def read_float_wav(path):
    """The samples of a file that ndasink wrote, in two channels."""
    content = path.read_bytes()
    at = content.index(b"data") + 8
    return np.frombuffer(content[at:], "<f4").reshape(-1, 2)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "halve.py").write_text(HALVE)
    write_wav(tmp_path / "in.wav")
    return tmp_path


def run(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "nda", "run", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
    )


def names(folder):
    return {
        path.name for path in folder.iterdir() if path.name != "__pycache__"
    }


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_each_sample_went_through_the_plugin(folder, isolation):
    done = run(folder, "./halve.py", "in.wav", "out.wav",
               "--isolation", isolation)

    assert done.returncode == 0, done.stderr
    samples = read_float_wav(folder / "out.wav")
    assert samples.shape == (4800, 2)
    assert set(np.unique(samples)) == {-0.25, 0.25}
    assert names(folder) == {"halve.py", "in.wav", "out.wav"}


def test_the_end_tells_cost_latency_and_levels(folder):
    said = run(folder, "./halve.py", "in.wav", "out.wav").stdout

    assert said.startswith("in.wav -> out.wav: 0.1 s in ")
    assert re.search(r"a block +\d+\.\d+ ms \(p99 .*; 10 blocks\n", said)
    assert re.search(r"latency +0\.0 ms", said)
    assert "level     -6.0 dBFS (peak -6.0 dBFS) before, " in said
    assert "-12.0 dBFS (peak -12.0 dBFS) after" in said


def test_silence_has_no_level(folder):
    said = run(folder, "./halve.py", "in.wav", "out.wav", "gain=0").stdout

    assert "before, silence after" in said


def test_parameters_reach_the_plugin(folder):
    run(folder, "./halve.py", "in.wav", "out.wav", "gain=0.25")

    assert np.abs(read_float_wav(folder / "out.wav")).max() == 0.125


def test_other_formats_and_rates_are_read_and_written(folder):
    write_wav(folder / "slow.wav", 4410, 44100, 1)

    assert run(folder, "gain", "slow.wav", "a.flac").returncode == 0
    done = run(folder, "gain", "a.flac", "b.ogg")

    assert done.returncode == 0, done.stderr
    assert "0.1 s in" in done.stdout
    assert (folder / "b.ogg").read_bytes()[:4] == b"OggS"


def test_a_folder_becomes_a_folder(folder):
    (folder / "notes.txt").write_text("no sound")
    (folder / "bad.wav").write_text("no sound either")

    done = run(folder, "./halve.py", ".", "louder", "--format", "flac")

    assert done.returncode == 1
    assert names(folder / "louder") == {"in.flac"}
    assert "1 files written, 1 failed" in done.stdout
    assert "“notes.txt” is left out" in done.stderr
    assert "bad.wav" in done.stderr


@pytest.mark.parametrize(
    "words, said",
    [
        (["halve.py", "in.wav", "out.mp3"], "ends in .wav"),
        (["halve.py", "none.wav", "out.wav"], "no file “none.wav”"),
        (["halve.py", "in.wav", "in.wav"], "read and written at once"),
        (["halve.py", "in.wav", "no/out.wav"], "there is no folder “no”"),
        (["halve.py", "in.wav", "out.wav", "gain"], "NAME=VALUE"),
        (["halve.py", "in.wav", "old.wav"], "“old.wav” is there already"),
        (["halve.py", ".", "old.wav"], "name a folder"),
    ],
)
def test_what_is_wrong_with_the_words_is_told(folder, words, said):
    (folder / "old.wav").write_text("precious")

    done = run(folder, *words)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "old.wav").read_text() == "precious"


def test_an_old_file_is_written_anew_if_that_is_asked(folder):
    (folder / "out.wav").write_text("old")

    done = run(folder, "halve.py", "in.wav", "out.wav", "--overwrite")

    assert done.returncode == 0, done.stderr
    assert len(read_float_wav(folder / "out.wav")) == 4800


@pytest.mark.parametrize(
    "words, said",
    [
        (["nonsense", "in.wav", "out.wav"], "There is no plugin “nonsense”"),
        (["fails.py", "in.wav", "out.wav"], "no such luck"),
        (["halve.py", "bad.wav", "out.wav"], "“bad.wav” is no sound"),
        (["halve.py", "in.wav", "out.wav", "gian=1"], "gian"),
        (["halve.py", "in.wav", "out.wav", "gain=0,5"], "a point: 0.5"),
    ],
)
def test_what_fails_is_told_and_leaves_nothing(folder, words, said):
    (folder / "bad.wav").write_text("no sound")
    (folder / "fails.py").write_text(
        'def process(block):\n    raise ValueError("no such luck")\n'
    )
    before = names(folder)

    done = run(folder, *words)

    assert done.returncode == 1
    assert said in done.stderr
    assert names(folder) == before


def test_a_plugin_that_fails_on_a_file_names_the_file(folder):
    (folder / "fails.py").write_text(
        "n = 0\n\n\ndef process(block):\n    global n\n    n += 1\n"
        '    if n > 5: raise ValueError("enough")\n'
    )

    assert "nda: in.wav: " in run(folder, "fails.py", "in.wav",
                                  "out.wav").stderr


def test_the_plugin_has_the_interpreter_that_was_named(folder, tmp_path):
    python = tmp_path / "its-own-python3"
    python.symlink_to("/usr/bin/python3")
    (folder / "which.py").write_text(
        "import sys\ndef process(block):\n"
        f"    assert sys.executable == {str(python)!r}, sys.executable\n"
    )

    done = run(folder, "which.py", "in.wav", "out.wav", "--python", python)

    assert done.returncode == 0, done.stderr


def test_parameters_may_stand_behind_options(folder):
    done = run(folder, "gain", "--format", "wav", "in.wav", "out.wav",
               "--overwrite", "gain=0.5", "--isolation", "thread")

    assert done.returncode == 0, done.stderr
    samples = read_float_wav(folder / "out.wav")
    assert set(np.unique(samples)) == {-0.25, 0.25}


def test_a_sound_in_the_place_of_the_plugin_is_told(folder):
    done = run(folder, "in.wav", "halve.py", "out.wav")

    assert done.returncode == 2
    assert "“in.wav” is a file, but no .py file" in done.stderr


def test_a_file_without_its_suffix_is_told_how_to_name(folder):
    done = run(folder, "halve", "in.wav", "out.wav")

    assert done.returncode == 1
    assert "For the file in this folder write “./halve.py”" in done.stderr


def test_a_thread_has_no_interpreter_of_its_own(folder):
    done = run(folder, "halve.py", "in.wav", "out.wav", "--isolation",
               "thread", "--python", "/usr/bin/python3")

    assert done.returncode == 2
    assert "leave out --isolation thread, or --python" in done.stderr


def test_an_interpreter_that_is_not_there_is_named(folder):
    done = run(folder, "halve.py", "in.wav", "out.wav", "--python",
               "venv/bin/python3")

    assert done.returncode == 1
    assert "venv/bin/python3" in done.stderr


@pytest.mark.parametrize("source", ["in.wav", "."], ids=["file", "folder"])
def test_an_interrupted_run_says_what_was_not_written(
    folder, monkeypatch, capsys, source
):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.chdir(folder)
    monkeypatch.setattr(Pipeline, "wait", interrupt)
    (folder / "other.wav").write_bytes((folder / "in.wav").read_bytes())

    status = main(["run", "./halve.py", source, "out.wav"])

    said = capsys.readouterr().err
    assert status == 130
    assert said.count("interrupted: “out.wav") == 1
    assert "was not written." in said
    assert not [path for path in folder.rglob("*") if ".part" in path.name]
