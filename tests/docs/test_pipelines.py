# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every pipeline that the documentation shows is run."""

import ctypes
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
WITH_RIG = TOP / "tests" / "rig" / "with-rig"
PAGES = sorted(
    [TOP / "README.md"]
    + list((TOP / "docs").glob("*.md"))
    + list((TOP / "gst").rglob("*.c"))
    + list((TOP / "ext").rglob("*.c"))
    + list((TOP / "python-elements" / "python").glob("*.py"))
)
# GStreamer 1.22 has a critical to say about each of these
IN_PYTHON = {
    path.stem for path in (TOP / "python-elements" / "python").glob("*.py")
}

# It may begin with variables, as in a shell
LINE = r"^ *((?:\w+=\S+ )*gst-launch-1\.0 .*)$"
RTP = "application/x-rtp"


def pipelines():
    """Each once, with the page that shows it first.

    A pipeline may go on behind a backslash, as in a shell.
    """
    seen = {}
    for page in PAGES:
        text = re.sub(r"^ \* ?", "", page.read_text(), flags=re.MULTILINE)
        text = re.sub(r"\\\n\s*", "", text)
        for line in re.findall(LINE, text, re.M):
            if not line.endswith("..."):
                seen.setdefault(line, page.relative_to(TOP))
    return seen


PIPELINES = pipelines()


def test_there_are_pipelines():
    assert len(PIPELINES) > 8


@pytest.fixture
def folder(tmp_path):
    """What a reader has: a recording, and the plugins that pages show."""
    with wave.open(str(tmp_path / "in.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(bytes(2 * 4800))
    readme = (TOP / "README.md").read_text()
    plugin = re.search(r"```python\n(.*?)```", readme, re.S).group(1)
    (tmp_path / "halve.py").write_text(plugin)
    page = (TOP / "docs" / "plugins-as-elements.md").read_text()
    plugin = re.search(r"```python\n(.*?)```", page, re.S).group(1)
    (tmp_path / "quiet.py").write_text(plugin)
    page = (TOP / "docs" / "plugins.md").read_text()
    for name, words in (("softer", "Softer, or"), ("tone", "A tone, in")):
        blocks = re.findall(r"```python\n(.*?)```", page, re.S)
        plugin = next(block for block in blocks if words in block)
        (tmp_path / f"{name}.py").write_text(plugin)
    page = (TOP / "docs" / "questions.md").read_text()
    plugin = re.search(r"```python\n(.*?)```", page, re.S).group(1)
    (tmp_path / "raw_file.py").write_text(plugin)
    if not is_left_out("ndaencrypt"):
        write_secrets(tmp_path)
    return tmp_path


def write_secrets(folder):
    """A key, a passphrase, and something said in secret."""
    for name, secret in (
        ("studio.key", os.urandom(32)),
        ("phrase", b"correct horse battery staple\n"),
        ("base.key", b"base 0000000000000007 0005 " + b"40" * 32 + b"\n"),
    ):
        (folder / name).touch(0o600)
        (folder / name).write_bytes(secret)
    subprocess.run(
        "gst-launch-1.0 audiotestsrc num-buffers=20 ! ndaencrypt "
        "key-file=studio.key ! filesink location=talk.nda".split(),
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def is_live(line):
    """Whether its source never ends, as a microphone does."""
    words = shlex.split(line)
    sources = {"ndasrc", "ndamicsrc", "ndatonesrc", "udpsrc"}
    if "is-live=true" in line and "num-buffers=" not in line:
        return True
    return bool(sources & set(words)) and not any(
        word.startswith(("uri=", "source=", "num-buffers="))
        for word in words
    )


def needs_sound(line):
    words = shlex.split(line)
    return (
        (is_live(line) and "ndatonesrc" not in words and "source=" not in line)
        or words[-1] == "ndasink"
        or bool({"ndamicsrc", "ndaspeakersink"} & set(words))
    )


def say_something(folder, is_rtp):
    """What a line that waits for datagrams is to hear."""
    to_packets = (
        "rtpL16pay ! udpsink host=127.0.0.1 port=5006"
        if is_rtp
        else "ndaencrypt key-file=studio.key context=alice framing=packet ! "
        "udpsink host=127.0.0.1 port=5004"
    )
    subprocess.run(
        "gst-launch-1.0 audiotestsrc is-live=true num-buffers=40 ! "
        f"audio/x-raw,rate=48000,channels=1 ! audioconvert ! {to_packets}"
        .split(),
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def with_installed(folder):
    """An environment in which the plugin of a page is installed."""
    environment = {**os.environ, "NDA_INSTALLED_DIR": str(folder / "kept")}
    environment["GST_REGISTRY"] = str(folder / "registry.bin")
    subprocess.run(
        [sys.executable, "-m", "nda", "install", "quiet.py"],
        cwd=folder,
        env=environment,
        check=True,
    )
    return environment


def make_models(folder):
    """A home with the virtual environment of docs/questions.md."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--system-site-packages",
         "--without-pip", folder / "home" / "models"],
        check=True,
    )
    return folder / "home"


@functools.cache
def is_left_out(element):
    """Whether nda was built without what `element` needs."""
    command = ["gst-inspect-1.0", element]
    return subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0


@pytest.mark.parametrize("line", PIPELINES, ids=str)
def test_pipeline_runs(line, folder):
    for element in ("ndaresample", "ndaencrypt", "ndadecrypt"):
        if element in line and is_left_out(element):
            pytest.skip(f"there is no {element}")
    if "sandbox=on" in line and ctypes.CDLL(None).syscall(444, 0, 0, 1) < 1:
        pytest.skip("this kernel has no Landlock")
    line = re.sub(
        r"file:///home/me/\S+", (folder / "in.wav").as_uri(), line
    )
    environment = dict(os.environ)
    if "$HOME/models" in line:
        line = line.replace("$HOME", str(make_models(folder)))
    words = shlex.split(line)
    while "=" in words[0]:
        key, _, environment[key] = words.pop(0).partition("=")
    words[1:1] = ["-e"]
    if needs_sound(line):
        if not shutil.which("pulseaudio"):
            pytest.skip("there is no PulseAudio")
        words[:0] = [str(WITH_RIG), "one"]
    if "nda-quiet" in words:
        environment |= with_installed(folder)
    if IN_PYTHON & set(words):
        environment.pop("G_DEBUG", None)
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said = ""
    for said_now in process.stdout:
        said += said_now
        if "New clock" in said_now and is_live(line):
            if "udpsrc" in words:
                say_something(folder, RTP in line)
            # Ctrl-C, as the reader would press it; one that ends by itself
            # may be past the point where it minds
            subprocess.run(
                ["pkill", "-INT", "-s", str(process.pid), "gst-launch"]
            )

    assert process.wait() == 0, said
    assert "ERROR" not in said
    assert "EOS" in said, said
