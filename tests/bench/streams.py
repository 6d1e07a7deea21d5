#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many live streams in one program: what each costs, and which come late.

`audiotestsrc ! X ! fakesink`, mono, 512 frames, as often as the table says, X
being half the level: in C (queue ! volume), as a Python plugin on a thread of
the program and in a process of its own, as an element written with gst-python
behind a queue, and in an application between appsink and appsrc. The ways
alternate; CPU time is that of the program and its processes, per block and
stream. A block is late that takes longer than it lasts from before X to
behind it. A way that has more than half of its blocks late is not asked for
more streams.

    ./nda bench streams

The lines of JSON at the end are what the picture is made of.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from streams_svg import draw

HERE = Path(__file__).resolve().parent
BRIDGE = "ndapybridge isolation={} plugin=gain parameters=gain=0.5"
TICK = 1.0 / os.sysconf("SC_CLK_TCK")


class Ways:
    """How each way is run with a number of streams."""

    def __init__(self, program: str, library: str) -> None:
        self.program, self.library = program, library

    def get_command(self, way: str, n: int) -> list[str]:
        if way == "appsink, appsrc":
            return ["/usr/bin/python3", str(HERE / "streams_appsink.py"),
                    self.library, str(n)]
        return [self.program, str(n), DESCRIPTIONS[way]]


DESCRIPTIONS = {
    "queue ! volume": "queue ! volume volume=0.5",
    "ndapybridge, thread": BRIDGE.format("thread"),
    "ndapybridge, process": BRIDGE.format("process"),
    "gst-python": "queue ! pygain",
}


def find_tree(root: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    tree = [root]
    for process in tree:
        tree += children.get(process, [])
    return tree


def read_cpu(tree: list[int]) -> float:
    total = 0.0
    for process in tree:
        text = Path(f"/proc/{process}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) * TICK
    return total


def read_memory(tree: list[int]) -> float:
    """Return the proportional set size of all, in MiB."""
    total = 0
    for process in tree:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
        total += int(text.partition("\nPss:")[2].split()[0])
    return total / 1024


def say(child: subprocess.Popen) -> None:
    child.stdin.write("\n")
    child.stdin.flush()


def measure(command: list[str], warm_up: float, seconds: float) -> dict:
    with subprocess.Popen(command, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as child:
        line = child.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(command)}: exit status {child.wait()}")
        time.sleep(warm_up)
        tree = find_tree(child.pid)
        say(child)
        child.stdout.readline()
        before = read_cpu(tree)
        time.sleep(seconds)
        cpu = read_cpu(tree) - before
        say(child)
        row = json.loads(child.stdout.readline())
        memory = read_memory(tree)
        child.stdin.close()
    row["start_s"] = float(line.split()[1])
    row["cpu_us"] = cpu / max(row["blocks"], 1) * 1e6
    row["memory_mib"] = memory
    return row


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("library")
    parser.add_argument("picture")
    parser.add_argument("--streams", default="1,16,64,128,256")
    parser.add_argument("--ways", default=";".join(
        [*DESCRIPTIONS, "appsink, appsrc"]))
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    ways = Ways(arguments.program, arguments.library)
    for n in map(int, arguments.streams.split(",")):
        for run in range(arguments.runs):
            for way in arguments.ways.split(";"):
                row = measure(ways.get_command(way, n), 3, arguments.seconds)
                print(json.dumps({"bench": "streams", "way": way,
                                  "streams": n, **row}), flush=True)


if __name__ == "__main__":
    main()
