#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests plugins that die, hang and crash in processes of their own, live.

    python3 faults.py [TIMES]

There are four pipelines, one for each way to end: killed, os._exit (), a crash
in C, an endless loop. Each plugin ends every two seconds, TIMES (100) in all,
the four in turn. The output is checked block by block: it is the plugin's own,
or silence, and never the input.
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
    FAULTS,
    PERIOD,
    Line,
    n_descriptors,
    report_remains,
)
from soak import Table  # noqa: E402

BLOCKS_A_SECOND = 94


class Victim(Line):
    """One pipeline, and every block that came out of it."""

    def __init__(self, fault: str) -> None:
        super().__init__("silence")
        self.fault = fault
        self.blocks: list[str] = []  # [streaming thread]
        self.longest_silence = self.longest_delay = self.n_errors = 0
        self.play()

    def hear(self, what: str) -> None:
        self.blocks.append(what)

    def is_heard(self) -> bool:
        return self.blocks[-1:] == ["plugin"]

    def end(self) -> None:
        """Let it end, and note from which block on."""
        if self.fault == "kill":
            pid = int(self.bridge.emit("get-parameter", "pid"))
            self.begin = len(self.blocks)
            os.kill(pid, signal.SIGKILL)
        else:
            self.begin = len(self.blocks)
            self.bridge.emit("set-parameter", "fault", self.fault)

    def heal(self) -> None:
        """The next one shall not end at once by the same parameter."""
        while "silence" not in self.blocks[self.begin :]:
            os.sched_yield()
        if self.fault != "kill":
            self.bridge.emit("set-parameter", "fault", "none")

    def judge(self) -> None:
        """What came out since the fault: so many blocks of what."""
        blocks = self.blocks[self.begin :]
        delay = blocks.index("silence")
        rest = blocks[delay:]
        silence = rest.index("plugin") if "plugin" in rest else len(rest)
        self.longest_delay = max(self.longest_delay, delay)
        self.longest_silence = max(self.longest_silence, silence)
        while self.has_failed():
            self.n_errors += 1

    def report(self, table: Table, times: int) -> None:
        name = self.fault
        table.row(
            f"{name}: blocks until the policy",
            "<= 2",
            str(self.longest_delay),
            self.longest_delay <= 2,
        )
        table.row(
            f"{name}: blocks until it is back",
            f"<= {BLOCKS_A_SECOND}",
            str(self.longest_silence),
            self.longest_silence <= BLOCKS_A_SECOND,
        )
        table.count(f"{name}: restarts", times, self.stat("num-restarts"))
        table.count(
            f"{name}: failures",
            self.blocks.count("silence"),
            self.stat("num-failures"),
        )
        table.count(
            f"{name}: blocks of the input", 0, self.blocks.count("input")
        )
        table.count(f"{name}: errors", 0, self.n_errors)
        table.count(f"{name}: playing", 1, int(self.is_playing()))


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    Gst.init(None)
    table = Table()
    victims = [Victim(fault) for fault in FAULTS]
    while not all(victim.is_heard() for victim in victims):
        time.sleep(0.1)
    before = n_descriptors()
    for n in range(times + 1):
        for victim in victims:
            if n:
                victim.judge()
            if n < times:
                victim.end()
                victim.heal()
            time.sleep(PERIOD / len(victims))

    for victim in victims:
        victim.report(table, times)
    report_remains(table, victims, len(victims), before)
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
