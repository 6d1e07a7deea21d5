#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many live streams in one program: what a block costs, and which are late.

`audiotestsrc ! X ! fakesink`, mono, 512 frames, as many times as the table
says. X halves the level: in C (queue ! volume); as the ready-made plugin gain
in ndapybridge, on threads with and without real-time priority, in a process
each and in groups of processes; as an element of gst-python behind a queue; in
an application between appsink and appsrc.

The ways alternate, and every way is run more than once: what else the machine
does hits all alike. The cost is the CPU time of the program and its
processes, of a block and stream; the median of the runs is shown. A block is
late that takes longer from before X to behind it than it lasts; the best run
is shown. ndapybridge's own counters are beside it: num-late, and the longest
wait for Python's lock, the start included. A way that does not get half of the
blocks through in time is not asked for more streams.

    ./nda bench streams

The lines of JSON at the end are what streams_svg.py makes a picture of.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICK = 1.0 / os.sysconf("SC_CLK_TCK")
WARM_UP = 3  # seconds
BLOCKS_PER_SECOND = 48000 / 512
PEER = "queue ! volume"
APPLICATION = "appsink, appsrc"
BRIDGE = "ndapybridge plugin=gain parameters=gain=0.5 "
# The program puts the stream's number, modulo the processors, for an @
DESCRIPTIONS = {
    PEER: "queue ! volume volume=0.5",
    "thread": BRIDGE,
    "thread, no priority": BRIDGE + "realtime=off",
    "process": BRIDGE + "isolation=process",
    "groups": BRIDGE + "isolation=process group=group@",
    "gst-python": "queue ! pygain",
}
# One process each starts slowly and takes much memory
MOST_STREAMS = {"process": 64}


class Late(Exception):
    """The program has failed, or does not come to play."""


def find_ways() -> list[str]:
    inspected = subprocess.run(
        ["gst-inspect-1.0", "ndapybridge"], capture_output=True, text=True
    )
    ways = [*DESCRIPTIONS, APPLICATION]
    if "  group  " not in inspected.stdout:
        ways.remove("groups")
    return ways


def make_command(arguments, way: str, n_streams: int) -> list[str]:
    if way == APPLICATION:
        program = [sys.executable, HERE / "streams_appsink.py"]
        return [*map(str, program), arguments.library, str(n_streams)]
    return [arguments.program, str(n_streams), DESCRIPTIONS[way]]


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
    """Return the seconds of CPU time of all."""
    n_ticks = 0
    for process in tree:
        text = Path(f"/proc/{process}/stat").read_text()
        n_ticks += sum(map(int, text.rpartition(")")[2].split()[11:13]))
    return n_ticks * TICK


def read_memory(tree: list[int]) -> float:
    """Return the proportional set size of all, in MiB."""
    n_kib = 0
    for process in tree:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
        n_kib += int(text.partition("\nPss:")[2].split()[0])
    return n_kib / 1024


def ask(child: subprocess.Popen) -> str:
    child.stdin.write("\n")
    child.stdin.flush()
    answer = child.stdout.readline()
    if not answer:
        raise Late
    return answer


def observe(child: subprocess.Popen, seconds: float) -> dict:
    playing = child.stdout.readline()
    if not playing:
        raise Late
    time.sleep(WARM_UP)
    tree = find_tree(child.pid)
    ask(child)
    before = read_cpu(tree)
    time.sleep(seconds)
    cpu = read_cpu(tree) - before
    row = json.loads(ask(child))
    return {
        **row,
        "expected": seconds * BLOCKS_PER_SECOND,
        "start_s": float(playing.split()[1]),
        "cpu_us": round(cpu / max(row["blocks"], 1) * 1e6, 1),
        "memory_mib": round(read_memory(tree), 1),
    }


def measure(command: list[str], seconds: float) -> dict | None:
    """Return what a run was seen to do; None if it does not run."""
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        try:
            return observe(child, seconds)
        except Late:
            said.seek(0)
            print(f"{' '.join(command)}:\n{said.read()[-1000:]}")
            return None
        finally:
            child.stdin.close()
            child.wait()


def sum_up(way: str, n_streams: int, runs: list[dict]) -> dict:
    def median(name: str) -> float:
        return round(statistics.median(run[name] for run in runs), 1)

    best = min(runs, key=lambda run: run["late"] / max(run["blocks"], 1))
    return {
        "bench": "streams",
        "way": way,
        "streams": n_streams,
        "cpu_us": median("cpu_us"),
        "memory_mib": median("memory_mib"),
        "start_s": median("start_s"),
        "expected": best["expected"] * n_streams,
        "blocks": best["blocks"],
        "late": best["late"],
        "longest_ms": best["longest_us"] / 1000,
        "num_late": best["num_late"],
        "gil_ms": min(run["max_gil_wait_us"] for run in runs) / 1000,
    }


def keeps_up(row: dict) -> bool:
    return (row["blocks"] - row["late"]) * 2 > row["expected"]


def print_row(row: dict, peer: dict) -> None:
    gil = f"{row['gil_ms']:9.1f}{row['num_late']:9}" if row["gil_ms"] else ""
    print(
        f"{row['streams']:7}  {row['way']:22}{row['cpu_us']:8.1f}"
        f"{row['cpu_us'] / peer['cpu_us']:7.2f}{row['blocks']:9}"
        f"{row['late']:8}{row['longest_ms']:9.1f}{row['memory_mib']:9.0f}"
        f"{row['start_s']:8.1f}{gil}",
        flush=True,
    )


def measure_all(arguments) -> list[dict]:
    """Return a row for each way and number of streams."""
    ways = arguments.ways.split(";") if arguments.ways else find_ways()
    rows = []
    print(
        f"{'streams':7}  {'':22}{'us/block':>8}{'ratio':>7}{'blocks':>9}"
        f"{'late':>8}{'longest':>9}{'MiB':>9}{'start':>8}{'GIL':>9}"
        f"{'num-late':>9}\n{'':64}{'ms':>7}{'':9}{'s':>8}{'ms':>9}"
    )
    for n_streams in map(int, arguments.streams.split(",")):
        runs = {
            way: []
            for way in ways
            if n_streams <= MOST_STREAMS.get(way, n_streams)
        }
        for _ in range(arguments.runs):
            for way, seen in runs.items():
                command = make_command(arguments, way, n_streams)
                seen.append(measure(command, arguments.seconds))
        summed = {
            way: sum_up(way, n_streams, list(filter(None, seen)))
            for way, seen in runs.items()
            if any(seen)
        }
        for row in summed.values():
            print_row(row, summed.get(PEER, row))
        rows += summed.values()
        ways = [
            way
            for way in ways
            if way not in runs
            or (way in summed and keeps_up(summed[way]))
        ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the program bench-streams")
    parser.add_argument("library", help="bench-streams as a library")
    parser.add_argument("--streams", default="1,16,64,128,256")
    parser.add_argument("--ways", help="names between semicolons")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--runs", type=int, default=3)

    for row in measure_all(parser.parse_args()):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
