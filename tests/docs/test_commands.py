# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command that README.md and docs show works, page by page.

The pipelines are run by test_pipelines.py, and the commands of a page here,
in their order and in one folder, as a reader types them. What needs a device,
a network or another user is left out below, each with the reason.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
import wave
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]

# A line of a page that begins so is a command
COMMAND = re.compile(
    r"(\w+=\S+ )*(\./nda|nda|gst-\w+-1\.0|meson|ninja|sudo|apt|apt-get|dnf"
    r"|pacman|python3|~/\S+|\$HOME/\S+|pip|export|cd|mkdir|git|pactl|pw-\w+"
    r"|wpctl|systemctl|install|build-\S+/\S+|CC=\S+ meson)( |$)"
)

# Why a command is not run: a pattern that all of the line matches, and why
LEFT_OUT = {
    r"(\w+=\S+ )*gst-launch-1\.0 .*": "test_pipelines.py runs it",
    r"nda (\w|-)+ .*(\[|\.\.\.).*|nda VERB.*":
        "says which arguments there are; test_page.py compares it",
    r"\./nda (test|bench|soak|demo)( .*)?":
        "takes minutes, and runs what the suites run",
    r"(\./)?nda (mic|speaker)( .*)?":
        "needs a sound server: test_desktop.py and the suite rig have one",
    r"(CC=\S+ )?meson setup .*|sudo .*|ninja -C .*":
        "test_installation.py installs and uninstalls; a build takes minutes",
    r"build-fuzz/.*": "needs a build for the fuzzer",
    r"(sudo )?(apt|apt-get|dnf|pacman) .*": "needs root and a network",
    r".*/pip install .*": "needs a network",
    r"~/models/.*|python3 -m venv .*":
        "test_own_python_of_a_plugin makes such an environment",
    r"nda run .* --python .*":
        "needs a virtual environment: test_run.py names an interpreter",
    r"(pw-metadata|pactl|wpctl|systemctl) .*": "changes a desktop's server",
}


def blocks(text):
    """The lines of each piece of code that is no Python, of a page."""
    text = re.sub(r"\\\n\s*", "", text)
    text = re.sub(r"```python\n.*?```", "", text, flags=re.S)
    text = re.sub(r"```\w*\n(.*?)```", lambda m: re.sub(
        "^", "    ", m[1], flags=re.M), text, flags=re.S)
    return re.findall(r"(?:(?<=\n\n)|\A)((?:    .*\n)+)", text)


def commands(page):
    """Each once, as it stands there without what explains it. A line that is
    indented further goes on with the one before."""
    found = {}
    for block in blocks(page.read_text()):
        block = re.sub(r"\n {5,}", " ", block)
        lines = [line.strip() for line in block.splitlines()]
        if COMMAND.match(lines[0]):
            for line in lines:
                found.setdefault(re.sub(r"\s+# .*", "", line))
    return list(found)


def reason_left_out(line):
    return next(
        (why for like, why in LEFT_OUT.items() if re.fullmatch(like, line)),
        None,
    )


def to_run():
    """Of each page what no page before it has."""
    seen = set()
    found = {}
    for page, lines in ALL.items():
        found[page] = []
        for line in lines:
            plain = line.replace("./", "")
            if plain not in seen and not reason_left_out(line):
                found[page].append(line)
            seen.add(plain)
    return found


ALL = {page: commands(page) for page in PAGES}
RUN = to_run()


def test_no_line_among_commands_is_overlooked():
    """A word that COMMAND lacks would hide what begins with it."""
    strangers = [
        (page.name, line)
        for page, lines in ALL.items()
        for line in lines
        if not COMMAND.match(line)
    ]
    assert strangers == []


@pytest.mark.parametrize("like", LEFT_OUT)
def test_what_is_left_out_is_there(like):
    lines = [line for page in PAGES for line in ALL[page]]
    assert any(re.fullmatch(like, line) for line in lines)


def test_there_are_commands():
    assert sum(map(len, RUN.values())) > 12


def write_wave(path):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(bytes(2 * 4800))


def write_program(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def write_plugins(folder):
    """Those that pages show; each says its name, or is told here."""
    for page, words, name in (
        ("README.md", "Half as loud.", "halve.py"),
        ("docs/plugins-as-elements.md", '"""', "quiet.py"),
    ):
        text = (TOP / page).read_text()
        found = re.findall(r"```python\n(.*?)```", text, re.S)
        plugin = next(block for block in found if words in block)
        (folder / name).write_text(plugin)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What a reader has: a home, recordings, a plugin; and the command."""
    (tmp_path / "home").mkdir()
    (tmp_path / "recordings").mkdir()
    write_wave(tmp_path / "in.wav")
    subprocess.run(
        "gst-launch-1.0 -q filesrc location=in.wav ! wavparse ! flacenc ! "
        "filesink location=in.flac".split(),
        cwd=tmp_path,
        check=True,
    )
    shutil.copy(tmp_path / "in.flac", tmp_path / "recordings")
    shutil.copy(tmp_path / "in.wav", tmp_path / "talk.wav")
    write_plugins(tmp_path)
    write_program(
        tmp_path / "nda", f'#!/bin/sh\nexec {sys.executable} -m nda "$@"\n'
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NDA_INSTALLED_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("GST_REGISTRY", str(tmp_path / "registry.bin"))
    # GStreamer 1.22 has a critical to say about elements in Python
    monkeypatch.delenv("G_DEBUG", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    "page", [page for page in PAGES if RUN[page]], ids=lambda p: p.name
)
def test_the_commands_of_a_page_work(page, folder):
    for line in RUN[page]:
        if "key" in line and "NDA_KEY" not in os.environ:
            continue  # there is no ndaencrypt
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}"
