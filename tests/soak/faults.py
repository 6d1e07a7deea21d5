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
from pathlib import Path

import gi
import numpy as np

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from soak import Table  # noqa: E402

HERE = Path(__file__).resolve().parent
LEVEL = 0.5  # of what mortal.py puts out
FAULTS = ("kill", "exit", "segfault", "loop")
PERIOD = 2.0  # seconds
BLOCKS_A_SECOND = 94
DEADLINE = 20 * Gst.MSECOND
PIPELINE = (
    "audiotestsrc is-live=true samplesperbuffer=512 wave=white-noise ! "
    "audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved ! "
    "ndapybridge name=bridge isolation=process on-error=silence "
    f"deadline={DEADLINE} plugin={HERE / 'mortal.py'} ! "
    "fakesink name=sink sync=false"
)


class Victim:
    """One pipeline, and every block that came out of it."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.pipeline = Gst.parse_launch(PIPELINE)
        self.bridge = self.pipeline.get_by_name("bridge")
        self.bus = self.pipeline.get_bus()
        self.blocks: list[str] = []  # [streaming thread]
        self.longest_silence = self.longest_delay = self.n_errors = 0
        pad = self.pipeline.get_by_name("sink").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, self.look)
        self.pipeline.set_state(Gst.State.PLAYING)

    def look(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> int:
        buffer = info.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        frames = np.frombuffer(data, np.float32)
        if (frames == LEVEL).all():
            self.blocks.append("plugin")
        else:
            self.blocks.append("input" if frames.any() else "silence")
        return Gst.PadProbeReturn.OK

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
        while self.bus.pop_filtered(Gst.MessageType.ERROR):
            self.n_errors += 1

    def report(self, table: Table, times: int) -> None:
        stats = self.bridge.props.stats
        state = self.pipeline.get_state(0)[1]
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
        restarts = stats.get_value("num-restarts")
        table.count(f"{name}: restarts", times, restarts)
        table.count(
            f"{name}: failures",
            self.blocks.count("silence"),
            stats.get_value("num-failures"),
        )
        table.count(
            f"{name}: blocks of the input", 0, self.blocks.count("input")
        )
        table.count(f"{name}: errors", 0, self.n_errors)
        table.count(f"{name}: playing", 1, int(state == Gst.State.PLAYING))


def is_mould(process: Path) -> bool:
    return (process / "comm").read_text() == "nda-py-mould\n"


def children() -> list[str]:
    """The states of the plugins' processes; Z is a zombie."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and not is_mould(path.parent):
            found.append(state)
    return found


def n_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


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
    states = children()
    table.count("processes", len(victims), len(states))
    table.count("zombies", 0, states.count("Z"))
    table.count("descriptors", before, n_descriptors())
    for victim in victims:
        victim.pipeline.set_state(Gst.State.NULL)
    table.count("processes, at the end", 0, len(children()))
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
