# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Live pipelines whose plugin dies in a process of its own, and their traces.

For faults.py and standby.py: the pipeline around mortal.py, what each block
that comes out of it holds, and what is left of processes and descriptors.
"""

from __future__ import annotations

import os
from pathlib import Path

import gi
import numpy as np

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from soak import Table  # noqa: E402

HERE = Path(__file__).resolve().parent
LEVEL = 0.5  # of what mortal.py puts out
FAULTS = ("kill", "exit", "segfault", "loop")
PERIOD = 2.0  # seconds between two faults of one plugin
DEADLINE = 20 * Gst.MSECOND


class Line:
    """One pipeline; `hear` is called with what each block holds.

    Parameters
    ----------
    policy : str
        `on-error` of the bridge.
    """

    def __init__(self, policy: str) -> None:
        self.pipeline = Gst.parse_launch(
            "audiotestsrc is-live=true samplesperbuffer=512 wave=white-noise "
            "! audio/x-raw,format=F32LE,rate=48000,channels=2,"
            "layout=interleaved ! ndapybridge name=bridge isolation=process "
            f"on-error={policy} deadline={DEADLINE} "
            f"plugin={HERE / 'mortal.py'} ! fakesink name=sink sync=false"
        )
        self.bridge = self.pipeline.get_by_name("bridge")
        pad = self.pipeline.get_by_name("sink").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, self._look)

    def _look(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> int:
        buffer = info.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        frames = np.frombuffer(data, np.float32)
        if (frames == LEVEL).all():
            self.hear("plugin")
        else:
            self.hear("input" if frames.any() else "silence")
        return Gst.PadProbeReturn.OK

    def hear(self, what: str) -> None:
        """Take note of a block: "plugin", "input" or "silence"."""
        raise NotImplementedError

    def play(self) -> None:
        self.pipeline.set_state(Gst.State.PLAYING)

    def has_failed(self) -> bool:
        """Whether an error was posted that was not told yet."""
        return bool(
            self.pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
        )

    def is_playing(self) -> bool:
        return self.pipeline.get_state(0)[1] == Gst.State.PLAYING

    def stat(self, name: str) -> int:
        return self.bridge.props.stats.get_value(name)


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


def report_remains(
    table: Table, lines: list[Line], n_processes: int, n_before: int
) -> None:
    """Add what there is of processes and descriptors, now and at the end.

    `n_before` descriptors were there before the first fault.
    """
    n = n_descriptors()
    table.row("descriptors", f"<= {n_before}", str(n), n <= n_before)
    states = children()
    table.count("processes", n_processes, len(states))
    table.count("zombies", 0, states.count("Z"))
    for line in lines:
        line.pipeline.set_state(Gst.State.NULL)
    table.count("processes, at the end", 0, len(children()))
