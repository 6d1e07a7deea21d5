#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long a live block takes through Python, and beside a busy thread.

One 512-frame stereo block every 10.67 ms, gain and clip, each way in a process
of its own (bench-live): how long each block takes from before the element to
behind it, how many took longer than a block lasts, and for ndapybridge how
long it waited for the GIL. "Beside a hog" is a thread in pure Python that
never pauses, in the same interpreter.

    ./nda bench live
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BRIDGE = "ndapybridge name=bridge plugin={}"
WAYS = {
    "identity": "identity",
    "queue ! volume": "queue ! volume volume=0.5",
    "ndapybridge": BRIDGE.format(HERE / "gain_and_clip.py"),
    "gst-python": "pygainandclip",
    "ndapybridge beside a hog": BRIDGE.format(
        HERE / "gain_and_clip_beside_hog.py"
    ),
    "gst-python beside a hog": "pygainandclip hog=true",
}


def measure(program: str, seconds: int, way: str) -> dict:
    result = subprocess.run(
        [program, str(seconds), way, WAYS[way]],
        capture_output=True,
        text=True,
    )
    if result.returncode:
        sys.exit(f"{way}: {result.stderr}")
    return json.loads(result.stdout.splitlines()[-1])


def print_table(rows: list[dict], seconds: int) -> None:
    print(f"us a block takes, of some {seconds * 94} live ones")
    print(
        f"{'':26}{'p50':>8}{'p99':>8}{'p99.9':>9}{'max':>9}{'late':>6}"
        f"{'GIL p50':>10}{'p99':>7}{'p99.9':>7}"
    )
    for row in rows:
        line = (
            f"{row['way']:26}{row['p50_us']:8.0f}{row['p99_us']:8.0f}"
            f"{row['p999_us']:9.0f}{row['max_us']:9.0f}{row['late']:6}"
        )
        if "gil_p50_us" in row:
            line += (
                f"{row['gil_p50_us']:10.1f}{row['gil_p99_us']:7.1f}"
                f"{row['gil_p999_us']:7.1f}"
            )
        print(line)
    for row in rows:
        print(json.dumps(row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the program bench-live")
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()

    rows = [
        measure(arguments.program, arguments.seconds, way) for way in WAYS
    ]
    print_table(rows, arguments.seconds)


if __name__ == "__main__":
    main()
