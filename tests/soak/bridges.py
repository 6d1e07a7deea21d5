#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs sixteen bridges one behind the other, every second one in a process.

    python3 bridges.py BENCH_LIVE [SECONDS]

A run is a minute of live blocks. In the best of three runs no block may take
longer through all sixteen bridges than it lasts.
"""

import json
import subprocess
import sys

from soak import Table

N_BRIDGES = 16
N_RUNS = 3
ISOLATIONS = ("thread", "process")


def describe(n: int) -> str:
    # bench-live asks the one called "bridge" for its counters
    name = "name=bridge" if n == N_BRIDGES - 1 else ""
    return (
        f"ndapybridge {name} plugin=gain parameters=gain=1.0 "
        f"isolation={ISOLATIONS[n % 2]}"
    )


def run(program: str, seconds: int) -> dict:
    description = " ! ".join(map(describe, range(N_BRIDGES)))
    result = subprocess.run(
        [program, str(seconds), "sixteen bridges", description],
        stdout=subprocess.PIPE,
        text=True,
    )
    if result.returncode:
        sys.exit(2)
    return json.loads(result.stdout.splitlines()[-1])


def main() -> int:
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    table = Table()
    best = None
    for _ in range(N_RUNS):
        row = run(sys.argv[1], seconds)
        print(json.dumps(row), file=sys.stderr)
        if best is None or row["late"] < best["late"]:
            best = row
        if not best["late"]:
            break
    table.count("sixteen bridges: late blocks", 0, best["late"])
    table.row(
        "sixteen bridges: ms a block, worst",
        "<= 10.67",
        f"{best['max_us'] / 1000:.2f}",
        best["max_us"] <= 512 / 48000 * 1e6,
    )
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
