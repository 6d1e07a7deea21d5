#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The offline parts of the soak, each a process with its own memory.

    python3 soak.py cycles|gil|blocks|hosts

cycles: a thousand times from NULL to PLAYING and back; the plugin is loaded
again each time.

gil: a thousand changes of state by a Python thread that keeps the GIL
meanwhile; the plugin needs the GIL to start, to run and to stop.

blocks: a million blocks as fast as possible.

hosts: a million blocks from a Python source through a processor into a sink,
on threads and in processes.

Memory is flat if neither the memory that malloc () has given out, nor the
number of Python's objects grows.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from pathlib import Path

import gi

import _counting

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it silently

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

HERE = Path(__file__).resolve().parent
SOURCE = "audiotestsrc samplesperbuffer=512 num-buffers={}"
BRIDGE = "ndapybridge name=bridge plugin=passthrough"
N_CYCLES = 1000
N_BLOCKS = 1_000_000
# Caches that fill slowly: GStreamer's, malloc's, Python's free lists.
MAX_GROWTH_KIB = 128
MAX_OBJECTS = 200


class Table:
    """The rows of the report, and whether all of them were good."""

    def __init__(self) -> None:
        self.good = True

    def row(self, what: str, asked: str, found: str, good: bool) -> None:
        self.good &= good
        mark = "ok" if good else "NOT OK"
        print(f"{what:36} {asked:>14} {found:>14}  {mark}", flush=True)

    def count(self, what: str, asked: int, found: int) -> None:
        self.row(what, str(asked), str(found), found == asked)


class Memory:
    """What is allocated now, to be compared with what is later."""

    def __init__(self) -> None:
        self.n_bytes = int(_counting.count("bytes"))
        self.n_objects = int(_counting.count("objects"))

    def judge(self, table: Table, what: str) -> None:
        self.compare(table, what, Memory())

    def compare(self, table: Table, what: str, now: Memory) -> None:
        kib = (now.n_bytes - self.n_bytes) / 1024
        n_objects = now.n_objects - self.n_objects
        table.row(
            f"{what}: memory",
            f"<= +{MAX_GROWTH_KIB} KiB",
            f"{kib:+.1f} KiB",
            kib <= MAX_GROWTH_KIB,
        )
        table.row(
            f"{what}: Python objects",
            f"<= +{MAX_OBJECTS}",
            f"{n_objects:+}",
            n_objects <= MAX_OBJECTS,
        )


def wait_for(pipeline: Gst.Pipeline, types: Gst.MessageType) -> None:
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, types | Gst.MessageType.ERROR
    )
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        sys.exit(f"{error.message}\n{debug}")


def count(pipeline: Gst.Pipeline, field: str) -> int:
    return pipeline.get_by_name("bridge").props.stats.get_value(field)


def soak_cycles(table: Table) -> None:
    """Start and stop one pipeline, so that each start loads the plugin."""
    pipeline = Gst.parse_launch(f"{SOURCE.format(8)} ! {BRIDGE} ! fakesink")
    n_blocks, n_done, before = 0, 0, None
    for n in range(N_CYCLES + N_CYCLES // 10):
        # The first hundred fill caches and pools.
        if n == N_CYCLES // 10:
            n_blocks, n_done, before = 0, 0, Memory()
        pipeline.set_state(Gst.State.PLAYING)
        wait_for(pipeline, Gst.MessageType.EOS)
        n_blocks += count(pipeline, "num-blocks")
        result = pipeline.set_state(Gst.State.NULL)
        n_done += result == Gst.StateChangeReturn.SUCCESS
    table.count("NULL, PLAYING, NULL", N_CYCLES, n_done)
    table.count("NULL, PLAYING, NULL: blocks", 8 * N_CYCLES, n_blocks)
    before.judge(table, "NULL, PLAYING, NULL")


def keep_gil_and_set_state(pipeline: Gst.Pipeline) -> int:
    """Return how many of a thousand changes of state did not fail.

    A PyDLL function, unlike those of gi, does not give up the GIL while it
    runs.
    """
    set_state = ctypes.PyDLL("libgstreamer-1.0.so.0").gst_element_set_state
    set_state.argtypes = [ctypes.c_void_p, ctypes.c_int]
    states = [Gst.State.PLAYING, Gst.State.PAUSED, Gst.State.READY]
    states += [Gst.State.PLAYING, Gst.State.NULL]
    n_good = 0
    for n in range(N_CYCLES):
        state = states[n % len(states)]
        n_good += set_state(hash(pipeline), int(state)) != 0
        if state == Gst.State.PLAYING:
            # Every now and then let it run before it is stopped.
            wait_until_it_runs(pipeline, 1 + n % 7 * 2)
    return n_good


def wait_until_it_runs(pipeline: Gst.Pipeline, n_blocks: int) -> None:
    bus = pipeline.get_bus()
    while count(pipeline, "num-blocks") < n_blocks:
        bus.timed_pop_filtered(Gst.MSECOND, Gst.MessageType.ERROR)


def soak_gil(table: Table) -> None:
    pipeline = Gst.parse_launch(
        f"{SOURCE.format(-1)} ! {BRIDGE} ! fakesink"
    )
    found, before = [], None

    def work() -> None:
        found.append(keep_gil_and_set_state(pipeline))

    for _ in range(2):
        before = Memory()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    pipeline.set_state(Gst.State.NULL)
    table.count("set_state, GIL held", N_CYCLES, found[-1])
    before.judge(table, "set_state, GIL held")


def soak_blocks(table: Table) -> None:
    """Push a million blocks as fast as they go, and some before them."""
    n_all = N_BLOCKS + N_BLOCKS // 10
    pipeline = Gst.parse_launch(
        f"{SOURCE.format(n_all)} ! {BRIDGE} ! fakesink"
    )
    pipeline.set_state(Gst.State.PLAYING)
    bus = pipeline.get_bus()
    while count(pipeline, "num-blocks") < N_BLOCKS // 10:
        bus.timed_pop_filtered(10 * Gst.MSECOND, Gst.MessageType.ERROR)
    before = Memory()
    wait_for(pipeline, Gst.MessageType.EOS)
    before.judge(table, "a million blocks")
    n_blocks = count(pipeline, "num-blocks")
    table.count("a million blocks: blocks", n_all, n_blocks)
    table.count(
        "a million blocks: failures", 0, count(pipeline, "num-failures")
    )
    pipeline.set_state(Gst.State.NULL)


class MemoryOf(Memory):
    """The same of the interpreter that an element's plugin runs in."""

    def __init__(self, element: Gst.Element) -> None:
        self.n_bytes, self.n_objects = (
            int(element.emit("get-parameter", key))
            for key in ("bytes", "objects")
        )


def wait_for_blocks(pipeline: Gst.Pipeline, name: str, n_blocks: int) -> None:
    element = pipeline.get_by_name(name)
    bus = pipeline.get_bus()
    while element.props.stats.get_value("num-blocks") < n_blocks:
        message = bus.timed_pop_filtered(
            10 * Gst.MSECOND, Gst.MessageType.ERROR
        )
        if message is not None:
            sys.exit(message.parse_error()[0].message)


def soak_hosts(table: Table) -> None:
    for isolation in ("thread", "process"):
        soak_hosts_in(table, isolation)


def soak_hosts_in(table: Table, isolation: str) -> None:
    """The three elements, and what the interpreter of each plugin keeps."""
    hosts = {
        name: f"{element} name={name} isolation={isolation} "
        f"plugin={HERE / f'counting_{name}.py'}"
        for name, element in (
            ("source", "ndapysrc is-live=false"),
            ("processor", "ndapybridge"),
            ("sink", "ndapysink sync=false"),
        )
    }
    pipeline = Gst.parse_launch(" ! ".join(hosts.values()))
    elements = [pipeline.get_by_name(name) for name in hosts]
    pipeline.set_state(Gst.State.PLAYING)
    wait_for_blocks(pipeline, "sink", N_BLOCKS // 10)
    ours, theirs = Memory(), list(map(MemoryOf, elements))
    wait_for_blocks(pipeline, "sink", N_BLOCKS + N_BLOCKS // 10)
    ours.judge(table, f"{isolation}: program")
    for name, element, before in zip(hosts, elements, theirs):
        before.compare(table, f"{isolation}: {name}", MemoryOf(element))
        for counter in ("num-failures", "num-restarts"):
            found = element.props.stats.get_value(counter)
            table.count(f"{isolation}: {name}: {counter}", 0, found)
    pipeline.set_state(Gst.State.NULL)


PARTS = {
    "cycles": soak_cycles,
    "gil": soak_gil,
    "blocks": soak_blocks,
    "hosts": soak_hosts,
}


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
