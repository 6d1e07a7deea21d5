# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests nda mic and nda speaker, live: other programs hear the plugin's
output.

    with-rig one python3 -m pytest test_virtual_devices.py
    with-rig --server pipewire one python3 -m pytest test_virtual_devices.py
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# Of audiotestsrc, and of the plugin
VOLUME, GAIN = 0.8, 0.5
# By verb: where the tone is played, and where the result is heard
ENDS = {"mic": ("cable", "nda_mic"), "speaker": ("nda_speaker", "ear_tap")}
CHUNK = 48000 * 8 // 10  # bytes: 0.1 s


class Command:
    """`nda mic` or `nda speaker`, and what it says."""

    def __init__(self, verb):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nda", verb, "gain", f"gain={GAIN}",
             "--isolation", "thread"],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.wait_for("is there now")

    def wait_for(self, text):
        said = []
        for line in self.process.stderr:
            said.append(line)
            if text in line:
                return
        raise AssertionError("".join(said))

    def end(self, number):
        self.process.send_signal(number)
        self.process.stderr.read()
        return self.process.wait()


@pytest.fixture(params=ENDS)
def command(request):
    command = Command(request.param)
    command.verb = request.param
    yield command
    command.process.kill()
    command.process.wait()


def devices():
    listed = [
        subprocess.run(["pactl", "list", "short", kind],
                       stdout=subprocess.PIPE, text=True).stdout
        for kind in ("sources", "sinks", "modules")
    ]
    return [line for line in "".join(listed).splitlines() if "nda_" in line]


def hear(verb):
    """Play a tone, and return once it is heard as the plugin leaves it."""
    sink, source = ENDS[verb]
    with subprocess.Popen(
        ["gst-launch-1.0", "-q", "audiotestsrc", f"volume={VOLUME}", "!",
         "pulsesink", f"device={sink}"],
    ) as player, subprocess.Popen(
        ["parec", "-d", source, "--format=float32le", "--rate=48000",
         "--channels=2"],
        stdout=subprocess.PIPE,
    ) as recorder:
        peak = 0.0
        while not abs(peak - VOLUME * GAIN) < 0.002:
            chunk = recorder.stdout.read(CHUNK)
            assert chunk, "the recording ended"
            peak = float(np.abs(np.frombuffer(chunk, "<f4")).max())
        player.kill()
        recorder.kill()


def test_programs_hear_what_the_plugin_makes(command):
    hear(command.verb)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_leaves_nothing(command, number):
    assert devices()

    assert command.end(number) == 0

    assert devices() == []


def test_killed_it_leaves_nothing(command):
    assert devices()

    command.end(signal.SIGKILL)

    while devices():  # a shell removes them, by itself
        pass


def test_it_comes_back_with_the_server(command):
    home = Path(os.environ["NDA_RIG_HOME"])
    files = [home / "pipewire.pid", home / "pulseaudio.pid"]
    file = next(path for path in files if path.exists())

    os.kill(int(file.read_text()), signal.SIGKILL)

    command.wait_for("the sound server is back")
    hear(command.verb)
