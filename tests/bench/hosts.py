#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin on a thread and in a process, alone and beside what disturbs it.

One 512-frame stereo block every 10.67 ms, as bench-live sends them, through
the ready-made passthrough: what is measured is the way into Python and back.
Beside it, one at a time and in the interpreter of the program: a thread in
pure Python, a long call in C that keeps the GIL, a thread that makes objects
beside 600000 that live. What each block took: the wait for the GIL, and the
call, which with isolation=process is a round trip; and how many blocks took
longer than they last.

    ./nda bench hosts

The lines of JSON at the end are what hosts_svg.py makes a picture of.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ISOLATIONS = ("thread", "process")
BESIDE = {
    "alone": "",
    "pure Python": "hog",
    "a long C call": "c-call",
    "600000 objects": "objects",
}
BRIDGE = "ndapybridge name=bridge isolation={} plugin=passthrough"
BRANCH = (
    "audiotestsrc num-buffers=1 samplesperbuffer=512 ! audio/x-raw,channels=2 "
    f"! ndapybridge plugin={HERE / 'beside.py'} parameters=what={{}} "
    "! fakesink async=false"
)


def measure(program: str, seconds: int, isolation: str, beside: str) -> dict:
    what = BESIDE[beside]
    command = [program, str(seconds), beside, BRIDGE.format(isolation)]
    if what:
        command.append(BRANCH.format(what))
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"{isolation}, {beside}: exit status {result.returncode}")
    row = json.loads(result.stdout.splitlines()[-1])
    return {**row, "bench": "hosts", "isolation": isolation, "beside": beside}


def print_table(rows: list[dict], seconds: int) -> None:
    print(f"us of {seconds * 94} live blocks, {'':7}call or round trip"
          f"{'':11}GIL wait{'':10}block through{'':5}late")
    print(f"{'':24}" + f"{'p50':>8}{'p99':>8}{'max':>9}" * 3)
    for row in rows:
        line = f"{row['isolation']:8}{row['beside']:16}"
        for kind in ("call_", "gil_", ""):
            for name in ("p50", "p99"):
                line += f"{row[f'{kind}{name}_us']:8.0f}"
            line += f"{row[f'{kind}max_us']:9.0f}"
        print(f"{line}{row['late']:6}")
    for row in rows:
        print(json.dumps(row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the program bench-live")
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()

    rows = [
        measure(arguments.program, arguments.seconds, isolation, beside)
        for beside in BESIDE
        for isolation in ISOLATIONS
    ]
    print_table(rows, arguments.seconds)


if __name__ == "__main__":
    main()
