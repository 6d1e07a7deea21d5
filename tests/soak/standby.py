#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests plugins that die, hang and crash, live, with a standby.

    python3 standby.py [TIMES]

There are eight pipelines, one for each way to end, with on-error=stop and with
silence. Each plugin ends every two seconds, TIMES (100) in all, the eight in
turn. The output is checked block by block, and its time too.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import gi
import numpy as np

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from faults import (  # noqa: E402
    DEADLINE,
    FAULTS,
    LEVEL,
    PERIOD,
    PIPELINE,
    children,
    n_descriptors,
)
from soak import Table  # noqa: E402

BLOCK = 512 / 48000  # seconds
POLICIES = ("stop", "silence")


class Covered:
    """One pipeline, and what came out of it since the last fault."""

    def __init__(self, fault: str, policy: str) -> None:
        self.fault, self.name = fault, f"{fault}, {policy}"
        self.pipeline = Gst.parse_launch(
            PIPELINE.replace("on-error=silence", f"on-error={policy}")
        )
        self.bridge = self.pipeline.get_by_name("bridge")
        self.bridge.props.standby = True
        self.has_ended = False
        self.n_made = self.n_silent = self.n_input = 0  # [streaming thread]
        self.last = None  # [streaming thread] when the plugin was heard
        self.longest = 0.0  # [streaming thread] seconds without it
        pad = self.pipeline.get_by_name("sink").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, self.look)
        self.pipeline.set_state(Gst.State.PLAYING)

    def look(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> int:
        buffer = info.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        frames = np.frombuffer(data, np.float32)
        now = time.monotonic()
        if not (frames == LEVEL).all():
            self.n_silent += not frames.any()
            self.n_input += bool(frames.any())
            return Gst.PadProbeReturn.OK
        if self.last is not None:
            self.longest = max(self.longest, now - self.last - BLOCK)
        self.last = now
        self.n_made += 1
        return Gst.PadProbeReturn.OK

    def stat(self, name: str) -> int:
        return self.bridge.props.stats.get_value(name)

    def is_settled(self) -> bool:
        """Whether a standby waits, or the stream has ended for good."""
        self.has_ended |= bool(
            self.pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
        )
        return self.has_ended or (
            self.n_made > 0
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
        table.count(f"{self.name}: blocks of the input", 0, self.n_input)
        table.count(f"{self.name}: silent blocks", 0, self.n_silent)
        table.count(f"{self.name}: restarts", times, self.stat("num-restarts"))
        table.count(f"{self.name}: errors", 0, int(self.has_ended))
        state = self.pipeline.get_state(0)[1]
        is_playing = int(state == Gst.State.PLAYING)
        table.count(f"{self.name}: playing", 1, is_playing)


def settle(lines: list[Covered]) -> None:
    while not all(line.is_settled() for line in lines):
        time.sleep(0.1)


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    Gst.init(None)
    table = Table()
    lines = [Covered(fault, policy) for fault in FAULTS for policy in POLICIES]
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
    states = children()
    table.count("processes", 2 * len(lines), len(states))
    table.count("zombies", 0, states.count("Z"))
    after = n_descriptors()
    table.row("descriptors", f"<= {before}", str(after), after <= before)
    for line in lines:
        line.pipeline.set_state(Gst.State.NULL)
    table.count("processes, at the end", 0, len(children()))
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
