#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests plugins that die, hang and crash, live, with a standby.

    python3 standby.py [TIMES]

For each way to end there are two pipelines, with on-error=stop and with
silence. Each plugin ends every two seconds, TIMES (100) in all, the two in
turn. The output is checked block by block, and its time too. No more pipelines
than processors end at a time: what is made anew for one takes time from the
others.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from mortals import (  # noqa: E402
    DEADLINE,
    FAULTS,
    PERIOD,
    Line,
    n_descriptors,
    report_remains,
)
from soak import Table  # noqa: E402

BLOCK = 512 / 48000  # seconds
POLICIES = ("stop", "silence")
PATIENCE = 30.0  # seconds


class Covered(Line):
    """One pipeline, and what came out of it since the last fault."""

    def __init__(self, fault: str, policy: str) -> None:
        super().__init__(policy)
        self.fault, self.name = fault, f"{fault}, {policy}"
        self.bridge.props.standby = True
        self.has_ended = False
        # [streaming thread] how many blocks held what
        self.n_blocks = {"plugin": 0, "silence": 0, "input": 0}
        self.last = None  # [streaming thread] when the plugin was heard
        self.longest = 0.0  # [streaming thread] seconds without it
        self.play()

    def hear(self, what: str) -> None:
        now = time.monotonic()
        self.n_blocks[what] += 1
        if what != "plugin":
            return
        if self.last is not None:
            self.longest = max(self.longest, now - self.last - BLOCK)
        self.last = now

    def is_settled(self) -> bool:
        """Whether a standby waits, or the stream has ended for good."""
        self.has_ended |= self.has_failed()
        return self.has_ended or (
            self.n_blocks["plugin"] > 0
            and self.stat("num-standbys") > self.stat("num-restarts")
        )

    def end(self) -> None:
        pid = self.bridge.emit("get-parameter", "pid")
        if not pid:
            return  # nobody is at work, which the report will tell
        if self.fault == "kill":
            os.kill(int(pid), signal.SIGKILL)
        else:
            self.bridge.emit("set-parameter", "fault", f"{self.fault}@{pid}")

    def report(self, table: Table, times: int) -> None:
        limit = 2 * BLOCK
        if self.fault == "loop":
            limit = DEADLINE / Gst.SECOND + BLOCK
        table.row(
            f"{self.name}: longest gap",
            f"<= {limit * 1e3:.1f} ms",
            f"{self.longest * 1e3:.1f} ms",
            self.longest <= limit,
        )
        for what, n in self.n_blocks.items():
            if what != "plugin":
                table.count(f"{self.name}: blocks of {what}", 0, n)
        table.count(f"{self.name}: restarts", times, self.stat("num-restarts"))
        table.count(f"{self.name}: errors", 0, int(self.has_ended))
        table.count(f"{self.name}: playing", 1, int(self.is_playing()))


def settle(lines: list[Covered]) -> None:
    """Wait until all are settled, or for PATIENCE. A line that had no standby
    when its plugin ended never settles; the report says so."""
    end = time.monotonic() + PATIENCE
    while (
        not all(line.is_settled() for line in lines)
        and time.monotonic() < end
    ):
        time.sleep(0.1)


def end_often(table: Table, fault: str, times: int) -> None:
    lines = [Covered(fault, policy) for policy in POLICIES]
    settle(lines)
    for line in lines:
        line.longest = 0.0
    before = n_descriptors()
    for _ in range(times):
        for line in lines:
            line.end()
            time.sleep(PERIOD / len(lines))
    settle(lines)

    for line in lines:
        line.report(table, times)
    report_remains(table, lines, 2 * len(lines), before)


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    Gst.init(None)
    table = Table()
    for fault in FAULTS:
        end_often(table, fault, times)
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
