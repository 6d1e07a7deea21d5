#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda mic as another program hears it: how soon, how late, and what it hears
while the plugin's process is killed.

    with-rig one python3 mic.py [KILLS]
    with-rig --server pipewire one python3 mic.py [KILLS]

A pair of sines of 2 Hz, a quarter of a period apart, is played into the real
microphone. Their phase numbers the frames, so a recording of one program tells
how far it is behind that of another, and where frames are missing.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave
from pathlib import Path

import numpy as np

from soak import Table  # noqa: E402

RATE = 48000
PERIOD = 24000  # frames, of the signal
LOUD = 1e-4
CHUNK = 480  # frames
PLUGIN_LATENCY = 512 * 1000 / RATE  # ms, of denoise
SERVER = os.environ["NDA_RIG_SERVER"]
# All gains are 1, so that denoise leaves the phase as it is.
PLUGINS = {"gain": ["gain=1"], "denoise": ["strength=0"]}
# ms beyond the plugin's own latency. On PulseAudio the cable has a clock of
# its own, so its buffer is longer.
MAX_ADDED = {"pulse": 35, "pipewire": 25}[SERVER]
N_STARTS = 5
MAX_START = 2  # s
MAX_BACK = RATE  # frames from the last of the killed process on
MAX_STEP = 24  # frames that a resampler or a server's clock may be off


def write_signal(path: str, seconds: int = 3600) -> None:
    turn = 2 * np.pi * np.arange(PERIOD) / PERIOD
    both = np.stack([np.cos(turn), np.sin(turn)], 1) * 0.5 * 32767
    with wave.open(path, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        second = both.astype("<i2").tobytes() * (RATE // PERIOD)
        for _ in range(seconds):
            file.writeframes(second)


class Recorder:
    """A program that records, and the phase of each chunk when it came."""

    def __init__(self, device: str) -> None:
        self.process = subprocess.Popen(
            ["parec", "-d", device, "--format=float32le", f"--rate={RATE}",
             "--channels=2", "--latency-msec=10"],
            stdout=subprocess.PIPE,
        )
        self.lock = threading.Lock()
        self.times: list[float] = []  # [lock] s, of each chunk
        self.phases: list[float] = []  # [lock] frames, NaN: silent
        self.n_steps = 0  # [lock] places where frames are missing
        self.is_over = False  # [lock]
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        while True:
            data = self.process.stdout.read(CHUNK * 8)
            now = time.monotonic()
            if len(data) < CHUNK * 8:
                break
            self.take(now, np.frombuffer(data, "<f4").reshape(-1, 2))
        with self.lock:
            self.is_over = True

    def take(self, now: float, frames: np.ndarray) -> None:
        is_loud = np.abs(frames).max(1) > LOUD
        turns = np.arctan2(frames[:, 1], frames[:, 0]) / (2 * np.pi) * PERIOD
        with self.lock:
            self.times.append(now)
            self.phases.append(turns[-1] if is_loud.all() else np.nan)
            self.n_steps += self.has_step(turns, is_loud)

    def has_step(self, turns: np.ndarray, is_loud: np.ndarray) -> bool:
        if not is_loud.all():
            return False
        steps = (np.diff(turns) + PERIOD / 2) % PERIOD - PERIOD / 2
        if np.abs(steps - 1).max() > MAX_STEP:
            return True
        before = self.phases[-2] if len(self.phases) > 1 else np.nan
        step = (turns[-1] - before) % PERIOD
        return not np.isnan(before) and abs(step - CHUNK) > MAX_STEP

    def n_chunks(self) -> int:
        with self.lock:
            assert not self.is_over, "the recording has ended"
            return len(self.times)

    def wait(self, n_chunks: int) -> None:
        end = self.n_chunks() + n_chunks
        while self.n_chunks() < end:
            time.sleep(0.01)

    def hears(self) -> bool:
        with self.lock:
            return bool(self.phases) and not np.isnan(self.phases[-1])

    def since(self, first: int) -> tuple[np.ndarray, np.ndarray]:
        with self.lock:
            return np.array(self.times[first:]), np.array(self.phases[first:])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def how_far_behind(first: Recorder, second: Recorder) -> float:
    """Return by how many ms `second` is later, by its chunks of 3 s."""
    begins = first.n_chunks(), second.n_chunks()
    second.wait(3 * RATE // CHUNK)
    times, phases = first.since(begins[0])
    phases = np.unwrap(phases, period=PERIOD)
    later_times, later = second.since(begins[1])
    inside = (later_times > times[0]) & (later_times < times[-1])
    behind = np.interp(later_times[inside], times, phases) - later[inside]
    return float(np.nanmedian(behind % PERIOD)) * 1000 / RATE


class Microphone:
    """`nda mic`, and how long it took to be there."""

    def __init__(self, plugin: str, *parameters: str) -> None:
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nda", "mic", plugin, *parameters],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if "is there now" in line:
                break
        self.there_after = time.monotonic() - begin
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.recorder = Recorder("nda_mic")
        while not self.recorder.hears():
            time.sleep(0.01)
        self.heard_after = time.monotonic() - begin

    def worker(self) -> int | None:
        """The plugin's process."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = path.read_text().rpartition(")")
            except OSError:
                continue
            if int(rest.split()[1]) == self.process.pid and (
                name.partition("(")[2] not in ("nda-py-mould", "sh", "pactl")
            ):
                return int(name.split()[0])
        return None

    def kill_worker(self) -> int:
        """Kill it; return for how many frames it is not heard."""
        while (pid := self.worker()) is None:
            time.sleep(0.01)
        begin = self.recorder.n_chunks()
        os.kill(pid, signal.SIGKILL)
        self.recorder.wait(2 * RATE // CHUNK)
        silent = np.isnan(self.recorder.since(begin)[1])
        assert not silent[-10:].all(), "the plugin is not heard again"
        return int(silent.sum()) * CHUNK

    def close(self) -> int:
        self.recorder.close()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait()


def measure_latency(table: Table, real: Recorder) -> None:
    for plugin, parameters in PLUGINS.items():
        starts = []
        behind = []
        for _ in range(N_STARTS):
            microphone = Microphone(plugin, *parameters)
            starts.append(microphone.heard_after)
            microphone.recorder.wait(3 * RATE // CHUNK)
            behind.append(how_far_behind(real, microphone.recorder))
            print(f"{plugin}: there after {microphone.there_after:.2f} s, "
                  f"heard after {microphone.heard_after:.2f} s, "
                  f"{behind[-1]:.1f} ms behind", file=sys.stderr)
            microphone.close()
        own = PLUGIN_LATENCY if plugin == "denoise" else 0
        added = statistics.median(behind) - own
        table.row(f"{SERVER}, {plugin}: heard after", f"<= {MAX_START} s",
                  f"{max(starts):.2f} s", max(starts) <= MAX_START)
        table.row(f"{SERVER}, {plugin}: latency added", f"<= {MAX_ADDED} ms",
                  f"{added:.1f} ms", added <= MAX_ADDED)


def kill_often(table: Table, n_kills: int) -> None:
    microphone = Microphone("denoise", "strength=0")
    microphone.recorder.wait(3 * RATE // CHUNK)
    n_steps = microphone.recorder.n_steps
    silent = [microphone.kill_worker() for _ in range(n_kills)]
    print(f"silent: {silent} frames; {microphone.recorder.n_steps - n_steps} "
          "steps", file=sys.stderr)
    table.count(f"{SERVER}: kills survived", n_kills, len(silent))
    table.row(f"{SERVER}: silent frames each, most", f"<= {MAX_BACK}",
              str(max(silent)), max(silent) <= MAX_BACK)
    table.count(f"{SERVER}: status at the end", 0, microphone.close())


def main() -> int:
    n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    table = Table()
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        write_signal(file.name, 600)
        player = subprocess.Popen(["paplay", "--device=cable", file.name])
        real = Recorder("mic")
        while not real.hears():
            time.sleep(0.01)
        measure_latency(table, real)
        kill_often(table, n_kills)
        player.kill()
        real.close()
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
