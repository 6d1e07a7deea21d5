#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a stereo block costs on its way through Python, in CPU time.

Gain and clip on 512-frame blocks, as fast as it goes, four ways in turn:
not at all (identity), native code behind a queue, ndapybridge, and an element
written in Python with gst-python. CPU time is user and system of the whole
process, so no thread's work is forgotten; "added" is what is over identity in
the same round. The plugin alone, called in a loop by the same interpreter, is
what NumPy needs; "beyond" is what a way adds to that. Rounds alternate, and
medians are shown: what else the machine does hits all alike.

The same plugin as a class with frames of its own shows what regrouping and
resampling cost: 480 frames to be compared with 512, which pass as they come.

All of it twice: in gst-launch-1.0, for applications written in C, whose
interpreter is Python's library, and where the cost of starting is taken off by
a short run; and in an application written in Python, whose threads
gst-python's elements find their way through sooner.

    ./nda bench block-cost
"""

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import gi
import numpy as np

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

HERE = Path(__file__).resolve().parent
sys.path += [
    str(HERE),
    str(HERE / "python"),
    str(Path(os.environ["NDA_PYTHON_DIR"], "nda", "api")),
]
from gain_and_clip import create_plugin  # noqa: E402
from pygainandclip import FORMAT, GainAndClip  # noqa: E402

BLOCK_US = 512 * 1e6 / 48000
SOURCE = (
    "audiotestsrc samplesperbuffer=512 num-buffers={} ! audio/x-raw,"
    f"format={FORMAT},rate=48000,channels=2,layout=interleaved"
)
# Blocks of the run that costs what starting costs
N_SHORT = 1000
WAYS = {
    "identity": "identity",
    "queue ! volume": "queue ! volume volume=0.5",
    "ndapybridge": f"ndapybridge plugin={HERE / 'gain_and_clip.py'}",
    "gst-python": "pygainandclip",
    # by the second door: frames of its own, at 48 kHz; and 512 at 16 kHz mono
    **{
        name: f"ndapybridge plugin={HERE / 'gain_and_clip_frames.py'}:{entry}"
        for name, entry in (
            ("512 frames", "Frames512"),
            ("480 frames", "Frames480"),
            ("256 frames", "Frames256"),
            ("16 kHz, mono", "At16Khz"),
        )
    },
}
ALONE = "the plugin alone"


class Block:
    """What a plugin is shown."""

    def __init__(self) -> None:
        self.data = np.zeros((2, 512), dtype=np.float32)


def run_alone(n_blocks: int) -> tuple[float, float]:
    """As run(), for nothing but the plugin's own work."""
    plugin, block = create_plugin(), Block()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(n_blocks):
        plugin.process_audio(block)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu / n_blocks * 1e6, wall / n_blocks * 1e6


def run_alone_in_library(python: str, n_blocks: int) -> tuple[float, float]:
    """As run_alone(), in Python's library."""
    command = [python, __file__, "--alone", "--blocks", str(n_blocks)]
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    cpu, wall = json.loads(output)
    return cpu, wall


def describe(way: str, n_blocks: int) -> str:
    return f"{SOURCE.format(n_blocks)} ! {WAYS[way]} ! fakesink"


def launch(way: str, n_blocks: int) -> tuple[float, float]:
    """Return CPU and wall-clock seconds of a run of gst-launch-1.0."""
    command = ["gst-launch-1.0", "-q", *describe(way, n_blocks).split()]
    wall = time.perf_counter()
    # GStreamer 1.22 has a critical to say about every element in Python
    quiet = [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - wall
    if status:
        sys.exit(f"{way}: {' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime, wall


def run_in_c(way: str, n_blocks: int) -> tuple[float, float]:
    """As run_in_python(), in an application written in C."""
    start = launch(way, N_SHORT)
    end = launch(way, N_SHORT + n_blocks)
    cpu, wall = (after - before for before, after in zip(start, end))
    return cpu / n_blocks * 1e6, wall / n_blocks * 1e6


def run_in_python(way: str, n_blocks: int) -> tuple[float, float]:
    """Return CPU and wall-clock time a block, in microseconds."""
    pipeline = Gst.parse_launch(describe(way, n_blocks))
    # Loading, connecting and the first block are not part of it.
    pipeline.set_state(Gst.State.PAUSED)
    pipeline.get_state(Gst.CLOCK_TIME_NONE)
    cpu, wall = time.process_time(), time.perf_counter()
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        sys.exit(f"{way}: {error.message}\n{debug}")
    return cpu / n_blocks * 1e6, wall / n_blocks * 1e6


def measure(
    run, run_plugin, n_rounds: int, n_blocks: int
) -> dict[str, list]:
    """Return for each way its (cpu, wall) of every round but the first."""
    results: dict[str, list] = {way: [] for way in [*WAYS, ALONE]}
    for _ in range(n_rounds + 1):
        for way in WAYS:
            results[way].append(run(way, n_blocks))
        results[ALONE].append(run_plugin(n_blocks))
    return {way: rounds[1:] for way, rounds in results.items()}


def summarise(results: dict[str, list], application: str) -> list[dict]:
    alone = statistics.median(cpu for cpu, _ in results[ALONE])
    added = {
        way: [
            cpu - idle
            for (cpu, _), (idle, _) in zip(results[way], results["identity"])
        ]
        for way in WAYS
    }
    added[ALONE] = [cpu for cpu, _ in results[ALONE]]
    peer = statistics.median(added["gst-python"])
    rows = []
    for way, rounds in results.items():
        middle = statistics.median(added[way])
        row = {
            "bench": "block-cost",
            "application": application,
            "way": way,
            "cpu_us": round(statistics.median(cpu for cpu, _ in rounds), 2),
            "added_us": round(middle, 2),
            "added_us_min": round(min(added[way]), 2),
            "added_us_max": round(max(added[way]), 2),
            "of_gst_python": round(middle / peer, 3),
            "times_real_time": round(
                BLOCK_US / statistics.median(wall for _, wall in rounds)
            ),
        }
        if way in ("ndapybridge", "gst-python"):
            row["beyond_us"] = round(middle - alone, 2)
        rows.append(row)
    return rows


def print_table(rows: list[dict]) -> None:
    print(
        f"in {rows[0]['application']:14}{'CPU':>7}{'added':>7}"
        f"{'(min - max)':>16}{'beyond':>8}{'of gst-python':>15}"
        f"{'x real time':>13}"
    )
    for row in rows:
        spread = f"({row['added_us_min']:.1f} - {row['added_us_max']:.1f})"
        beyond = f"{row['beyond_us']:.1f}" if "beyond_us" in row else ""
        print(
            f"{row['way']:17}{row['cpu_us']:7.1f}{row['added_us']:7.1f}"
            f"{spread:>16}{beyond:>8}{row['of_gst_python']:15.2f}"
            f"{row['times_real_time']:13}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "python",
        nargs="?",
        default=sys.executable,
        help="an interpreter that is the library (default: this one)",
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--blocks", type=int, default=20000)
    parser.add_argument(
        "--alone", action="store_true", help="only the plugin, in this Python"
    )
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(run_alone(arguments.blocks)))
        return

    Gst.Element.register(None, "pygainandclip", 0, GainAndClip)
    print(
        f"CPU a block in us, medians of {arguments.rounds} x "
        f"{arguments.blocks} blocks"
    )
    rows = []
    in_library = functools.partial(run_alone_in_library, arguments.python)
    for application, run, run_plugin in (
        ("gst-launch-1.0", run_in_c, in_library),
        ("Python", run_in_python, run_alone),
    ):
        results = measure(run, run_plugin, arguments.rounds, arguments.blocks)
        rows.append(summarise(results, application))
        print_table(rows[-1])
    for row in [row for table in rows for row in table]:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
