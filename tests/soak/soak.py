#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The offline parts of the soak: thousands of starts, and a million blocks.

Each is a process of its own, so that its memory is its own.

    python3 soak.py starts|blocks
"""

import gc
import os
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

SOURCE = "audiotestsrc samplesperbuffer=512 num-buffers={}"
BRIDGE = "ndapybridge name=bridge plugin=passthrough"
N_STARTS = 3000
N_BLOCKS = 1_000_000
# What an allocator may keep without anything having leaked.
MAX_GROWTH_KIB = 1024


class Table:
    """The rows of the report, and whether all of them were good."""

    def __init__(self) -> None:
        self.good = True

    def row(self, what: str, asked: str, found: str, good: bool) -> None:
        self.good &= good
        mark = "ok" if good else "NOT OK"
        print(f"{what:36} {asked:>14} {found:>14}  {mark}", flush=True)


def resident_kib() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def wait_for(pipeline: Gst.Pipeline, types: Gst.MessageType) -> None:
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, types | Gst.MessageType.ERROR
    )
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        sys.exit(f"{error.message}\n{debug}")


def soak_starts(table: Table) -> None:
    """Start and stop one pipeline, so that each start loads the plugin."""
    pipeline = Gst.parse_launch(f"{SOURCE.format(8)} ! {BRIDGE} ! fakesink")
    start = 0
    for n in range(N_STARTS):
        pipeline.set_state(Gst.State.PLAYING)
        wait_for(pipeline, Gst.MessageType.EOS)
        pipeline.set_state(Gst.State.NULL)
        # The first tenth fills caches and pools.
        if n == N_STARTS // 10:
            start = resident_kib()
    growth = resident_kib() - start
    table.row(
        f"memory of {N_STARTS} starts",
        f"<= +{MAX_GROWTH_KIB} KiB",
        f"{growth:+} KiB",
        growth <= MAX_GROWTH_KIB,
    )


def count(pipeline: Gst.Pipeline, field: str) -> int:
    return pipeline.get_by_name("bridge").props.stats.get_value(field)


def soak_blocks(table: Table) -> None:
    """Push a million blocks as fast as they go."""
    pipeline = Gst.parse_launch(
        f"{SOURCE.format(N_BLOCKS)} ! {BRIDGE} ! fakesink"
    )
    pipeline.set_state(Gst.State.PLAYING)
    bus = pipeline.get_bus()
    while count(pipeline, "num-blocks") < N_BLOCKS // 10:
        bus.timed_pop_filtered(10 * Gst.MSECOND, Gst.MessageType.ERROR)
    start = resident_kib()
    wait_for(pipeline, Gst.MessageType.EOS)
    growth = resident_kib() - start

    blocks = count(pipeline, "num-blocks")
    failures = count(pipeline, "num-failures")
    pipeline.set_state(Gst.State.NULL)
    table.row("blocks offline", f"{N_BLOCKS}", f"{blocks}", blocks == N_BLOCKS)
    table.row("failures offline", "0", f"{failures}", failures == 0)
    table.row(
        "memory of blocks offline",
        f"<= +{MAX_GROWTH_KIB} KiB",
        f"{growth:+} KiB",
        growth <= MAX_GROWTH_KIB,
    )


PARTS = {"starts": soak_starts, "blocks": soak_blocks}


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
        print(f"usage: soak.py {'|'.join(PARTS)}", file=sys.stderr)
        return 2
    Gst.init(None)
    table = Table()
    PARTS[sys.argv[1]](table)
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
