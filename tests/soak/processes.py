#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures how fast many plugins in processes start, how much memory they
take, and how fast a killed one is back.

    python3 processes.py [TIMES] [SECONDS]

First 64 live streams with a plugin each. Then one of four processes is killed,
in turn, TIMES (20) in all, two seconds apart. Then 256 streams whose plugins
share two processes, for SECONDS (60).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from soak import Table  # noqa: E402

HERE = Path(__file__).resolve().parent
N_STREAMS = 64
N_GROUPED = 256
MAX_LATE = 1e-3  # of the blocks
MAX_START = 3.0  # seconds
MAX_PSS_KIB = 8 * 1024  # of each beyond the first
MAX_AWAY = 0.1  # seconds
PERIOD = 2.0  # seconds
STREAM = (
    "audiotestsrc is-live=true samplesperbuffer=512 ! "
    "audio/x-raw,format=F32LE,rate=48000,channels=1 ! "
    "ndapybridge name=bridge{} isolation=process on-error=silence "
    f"plugin={HERE / 'mortal.py'} {{}} ! fakesink sync=false "
)


def children() -> list[Path]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.append(stat.parent)
    return found


def pss_kib() -> int:
    """Of all processes of plugins, and of the one they are forked from."""
    total = 0
    for child in children():
        rollup = (child / "smaps_rollup").read_text().splitlines()
        line = next(line for line in rollup if line.startswith("Pss:"))
        total += int(line.split()[1])
    return total


class Streams:
    """Some streams in one pipeline, with the time it took to start them."""

    def __init__(self, n_streams: int, n_groups: int = 0) -> None:
        self.n_streams = n_streams
        groups = [f"group={n}" for n in range(n_groups)] or [""]
        self.pipeline = Gst.parse_launch(
            " ".join(
                STREAM.format(n, groups[n % len(groups)])
                for n in range(n_streams)
            )
        )
        begin = time.monotonic()
        self.pipeline.set_state(Gst.State.READY)
        self.start_time = time.monotonic() - begin
        self.pipeline.set_state(Gst.State.PLAYING)
        self.pipeline.get_state(Gst.CLOCK_TIME_NONE)
        time.sleep(1)  # blocks have gone through each
        self.pss_kib = pss_kib()

    def bridge(self, n: int) -> Gst.Element:
        return self.pipeline.get_by_name(f"bridge{n}")

    def count(self, field: str) -> int:
        """The sum of a counter of all."""
        return sum(
            self.bridge(n).props.stats.get_value(field)
            for n in range(self.n_streams)
        )

    def away(self, n: int) -> float:
        """How long it takes until another process is in the place of it."""
        bridge = self.bridge(n)
        before = bridge.props.stats.get_value("num-restarts")
        pid = int(bridge.emit("get-parameter", "pid"))
        begin = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        while bridge.props.stats.get_value("num-restarts") == before:
            time.sleep(0.001)
        return time.monotonic() - begin

    def stop(self) -> None:
        self.pipeline.set_state(Gst.State.NULL)


def soak_groups(table: Table, seconds: int) -> None:
    streams = Streams(N_GROUPED, 2)
    n_blocks, n_late = streams.count("num-blocks"), streams.count("num-late")
    time.sleep(seconds)
    n_late = streams.count("num-late") - n_late
    n_blocks = streams.count("num-blocks") - n_blocks
    table.row(
        f"{N_GROUPED} in two groups: late",
        f"<= {MAX_LATE * 100} %",
        f"{n_late / n_blocks * 100:.2f} %",
        n_late <= MAX_LATE * n_blocks,
    )
    table.count(
        f"{N_GROUPED} in two groups: failures",
        0,
        streams.count("num-failures"),
    )
    streams.stop()


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    Gst.init(None)
    table = Table()
    one = Streams(1)
    one.stop()
    many = Streams(N_STREAMS)
    each = (many.pss_kib - one.pss_kib) / (N_STREAMS - 1)
    table.row(
        f"{N_STREAMS} processes: start",
        f"<= {MAX_START} s",
        f"{many.start_time:.2f} s",
        many.start_time <= MAX_START,
    )
    table.row(
        "each beyond the first: PSS",
        f"<= {MAX_PSS_KIB / 1024} MiB",
        f"{each / 1024:.1f} MiB",
        each <= MAX_PSS_KIB,
    )
    many.stop()
    few = Streams(4)
    longest = 0.0
    for n in range(times):
        time.sleep(PERIOD)
        longest = max(longest, few.away(n % 4))
    few.stop()
    table.row(
        "killed: another in its place",
        f"<= {MAX_AWAY} s",
        f"{longest:.3f} s",
        longest <= MAX_AWAY,
    )
    soak_groups(table, seconds)
    table.count("processes, at the end", 0, len(children()))
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
