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
CHUNK = 48000 * 8 // 100  # bytes: 10 ms
N_KILLS = 3
PATIENCE = 500  # chunks, of a recording that waits for the plugin
OURS = ("nda-py-mould", "sh", "pactl")  # processes that are no plugin's


class Command:
    """`nda mic` or `nda speaker`, and what it says."""

    def __init__(self, verb, isolation="thread"):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nda", verb, "gain", f"gain={GAIN}",
             "--isolation", isolation],
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

    def find_worker(self):
        """The number of the plugin's process, which may be a new one."""
        while True:
            for path in Path("/proc").glob("[0-9]*/stat"):
                try:
                    name, _, rest = path.read_text().rpartition(")")
                except OSError:
                    continue
                number, _, name = name.partition(" (")
                if int(rest.split()[1]) == self.process.pid and (
                    rest.split()[0] != "Z" and name not in OURS
                ):
                    return int(number)

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


class Recording:
    """A tone that is played, and another program that records the result."""

    def __init__(self, verb):
        sink, source = ENDS[verb]
        self.player = subprocess.Popen(
            ["gst-launch-1.0", "-q", "audiotestsrc", f"volume={VOLUME}", "!",
             "pulsesink", f"device={sink}"],
        )
        self.recorder = subprocess.Popen(
            ["parec", "-d", source, "--format=float32le", "--rate=48000",
             "--channels=2", "--latency-msec=50"],
            stdout=subprocess.PIPE,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.player, self.recorder):
            process.kill()
            process.wait()

    def peak(self):
        chunk = self.recorder.stdout.read(CHUNK)
        assert len(chunk) == CHUNK, "the recording ended"
        return float(np.abs(np.frombuffer(chunk, "<f4")).max())

    def wait_for(self, peak, patience=None):
        """Record until this is the peak; so many chunks at most."""
        n = 0
        while not abs(self.peak() - peak) < 0.002:
            n += 1
            assert patience is None or n < patience, f"no peak of {peak}"


def hear(verb):
    """Play a tone, and return once it is heard as the plugin leaves it."""
    with Recording(verb) as recording:
        recording.wait_for(VOLUME * GAIN)


def test_programs_hear_what_the_plugin_makes(command):
    hear(command.verb)


@pytest.mark.skipif(os.environ["NDA_RIG_SERVER"] != "pipewire",
                    reason="PulseAudio has no groups")
def test_on_pipewire_both_ends_run_on_one_clock(command):
    hear(command.verb)

    for kind in ("source-outputs", "sink-inputs"):
        listed = subprocess.run(["pactl", "list", kind],
                                stdout=subprocess.PIPE, text=True).stdout
        assert listed.count(f'node.group = "nda.{command.verb}"') == 1


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


def test_a_recording_goes_on_when_the_plugin_is_killed():
    command = Command("mic", "process")
    try:
        with Recording("mic") as recording:
            recording.wait_for(VOLUME * GAIN)
            for _ in range(N_KILLS):
                os.kill(command.find_worker(), signal.SIGKILL)

                recording.wait_for(0, PATIENCE)
                recording.wait_for(VOLUME * GAIN, PATIENCE)
    finally:
        command.end(signal.SIGINT)


def test_it_comes_back_with_the_server(command):
    home = Path(os.environ["NDA_RIG_HOME"])
    files = [home / "pipewire.pid", home / "pulseaudio.pid"]
    file = next(path for path in files if path.exists())

    os.kill(int(file.read_text()), signal.SIGKILL)

    command.wait_for("the sound server is back")
    hear(command.verb)
