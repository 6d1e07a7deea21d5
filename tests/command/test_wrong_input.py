# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wrong input: each verb says in one line what is wrong, and with what."""

import os
import subprocess
import sys
import wave

import pytest

from nda.command.main import main
from nda.command.place import Place
from nda.command.verbs import demo
from nda.installed import kept


@pytest.fixture
def here(tmp_path, monkeypatch):
    """What a user may have in a folder, and no sound server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NDA_INSTALLED_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.py").write_text("def process(")
    (tmp_path / "odd.py").write_text(
        "def process(block):\n    raise ValueError('odd')\n")
    (tmp_path / "import.py").write_text("import no_such_module\n")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "noise.wav").write_bytes(bytes(range(128, 256)) * 40)
    with wave.open("in.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(bytes(9600))
    return tmp_path


def nda(*words):
    return subprocess.run(
        [sys.executable, "-m", "nda", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


WITH_ELEMENTS = {
    "run ./none.py in.wav out.wav": "no plugin file “./none.py”: check",
    "run ./folder in.wav out.wav": "“./folder” is a folder: name a plugin",
    "run ./broken.py in.wav out.wav": "broken.py, line 1)",
    "run ./import.py in.wav out.wav": "No module named 'no_such_module'",
    "run ./odd.py in.wav out.wav": "ValueError: odd (",
    "run gain empty.wav out.wav": "“empty.wav” is empty: name another",
    "run gain noise.wav out.wav": "“noise.wav” is no sound",
    "install folder": "folder” is a folder: name a plugin's file in it",
    "install none.py": "none.py” cannot be read. Check",
    "install broken.py": "broken.py, line 1)",
    "uninstall none": "“none” is not installed. These are: none",
}
ALONE = {
    "check-plugin folder": "“folder” is a folder: name a plugin",
    "check-plugin none.py": "there is no file “none.py”",
    "keygen none/a.key": "no folder “none” to write “none/a.key” in: make it",
    "keygen folder": "“folder” is a folder: name a key file in it",
    "keyinfo folder": "“folder” is a folder: name a key file in it",
    "repair none.wav": "“none.wav” is not repaired: No such file or directory."
                       " Check its name",
    "repair folder": "“folder” is not repaired: Is a directory. Check",
    "repair noise.wav": "“noise.wav” is not a WAV file",
    "mic ./none.py": "no plugin file “./none.py”: check",
    "speaker ./folder": "“./folder” is a folder: name a plugin",
}


def is_one_line(said):
    return said.startswith("nda: ") and said.count("\n") == 1


@pytest.mark.parametrize("line", [*ALONE, *WITH_ELEMENTS])
def test_one_line_says_what_is_wrong_with_what(here, line):
    if line in WITH_ELEMENTS and "NDA_WITH_ELEMENTS" not in os.environ:
        pytest.skip("the elements are not built")
    if line.startswith(("mic", "speaker")):
        pytest.importorskip("gi")

    done = nda(*line.split(" "))

    assert done.returncode in (1, 2)
    assert (ALONE | WITH_ELEMENTS)[line] in done.stderr
    assert is_one_line(done.stderr), done.stderr
    assert "Traceback" not in done.stderr and "quark" not in done.stderr
    assert not (here / "out.wav").exists()


@pytest.mark.parametrize("kind", ["mic", "speaker"])
@pytest.mark.parametrize("device", [[], ["--device", "none"]])
def test_without_a_sound_server_it_is_asked_for(here, kind, device):
    pytest.importorskip("gi")

    done = nda(kind, "gain", *device)

    assert done.returncode == 1
    assert is_one_line(done.stderr), done.stderr
    assert "no sound server answers: start" in done.stderr or (
        "pactl is not there" in done.stderr)


def test_words_that_may_be_missing_are_not_asked_for(capsys):
    with pytest.raises(SystemExit):
        main(["run", "gain", "in.wav"])

    said = capsys.readouterr().err
    assert "the following arguments are required: OUT;" in said


@pytest.mark.parametrize(
    "words, said",
    [
        (["none.wav"], "“none.wav” cannot be read: No such file"),
        (["noise.wav"], "“noise.wav” is not a WAV file"),
        (["folder"], "“folder” cannot be read: Is a directory"),
        (["-l", "none/out.wav"], "no folder “none” to write “none/out.wav”"),
    ],
)
def test_the_demo_looks_at_its_words_before_it_builds(
    here, capsys, monkeypatch, words, said
):
    monkeypatch.setattr(demo, "make_ready", None)

    assert main(["demo", *words], Place(top=here)) in (1, 2)

    assert said in capsys.readouterr().err


def test_a_part_of_soak_that_is_not_there_is_named(here, capsys):
    assert main(["soak", "10", "odd"], Place(top=here)) == 2

    said = capsys.readouterr().err
    assert "no part “odd”. These are: live, python, " in said
    assert is_one_line(said)


def test_an_installed_nda_lists_the_verbs_of_a_checkout_apart(capsys):
    assert main(["help"], Place()) == 0

    said = capsys.readouterr().out
    assert "  nda run " in said
    assert "  nda demo" not in said
    assert "sources: demo, build, shell, test, bench, soak." in said


def test_a_name_with_accents_loses_only_the_accents():
    assert kept.element_stem("Hälfte é") == "halfte-e"
