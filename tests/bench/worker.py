#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a plugin's own process costs: how long it starts, what memory it takes.

NULL to READY loads and initialises the plugin, so that it is the start; an
interpreter that imports NumPy and does nothing is what it is compared with.
Memory is the proportional set size (PSS), when blocks have gone through.

    ./nda bench worker
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

N_RUNS = 10
PLUGINS = ("gain", "denoise", "sine")
PEER = [
    sys.executable,
    "-c",
    "import os, numpy; "
    "[print(line) for line in open('/proc/self/smaps_rollup')]",
]


def pss_kib(text: str) -> int:
    line = next(line for line in text.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1])


def children() -> list[int]:
    """The plugin's process, and the one that it was forked from."""
    found = []
    for path in Path("/proc/self/task").glob("*/children"):
        found += map(int, path.read_text().split())
    return found


def measure_peer() -> tuple[float, int]:
    begin = time.monotonic()
    text = subprocess.run(PEER, stdout=subprocess.PIPE, text=True).stdout
    return (time.monotonic() - begin) * 1000, pss_kib(text)


def describe(plugin: str) -> str:
    if plugin == "sine":
        return "ndapysrc name=py is-live=false num-buffers=100 ! fakesink"
    return (
        "audiotestsrc num-buffers=100 samplesperbuffer=512 ! "
        "audio/x-raw,channels=2 ! ndapybridge name=py ! fakesink"
    )


def measure(plugin: str) -> tuple[float, int]:
    pipeline = Gst.parse_launch(describe(plugin))
    element = pipeline.get_by_name("py")
    element.props.plugin = plugin
    Gst.util_set_object_arg(element, "isolation", "process")
    begin = time.monotonic()
    pipeline.set_state(Gst.State.READY)
    taken = (time.monotonic() - begin) * 1000
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    pss = sum(
        pss_kib(Path(f"/proc/{child}/smaps_rollup").read_text())
        for child in children()
    )
    pipeline.set_state(Gst.State.NULL)
    return taken, pss


def main() -> None:
    Gst.init(None)
    rows = []
    for name in ("python3 -c 'import numpy'", *PLUGINS):
        is_peer = name not in PLUGINS
        runs = [
            measure_peer() if is_peer else measure(name) for _ in range(N_RUNS)
        ]
        taken = sorted(ms for ms, _ in runs)
        rows.append(
            {
                "bench": "worker",
                "what": name,
                "start_min_ms": round(taken[0], 1),
                "start_p50_ms": round(statistics.median(taken), 1),
                "start_max_ms": round(taken[-1], 1),
                "pss_mib": round(max(pss for _, pss in runs) / 1024, 1),
            }
        )
    print(
        f"{'':28}{'ms to start':>12}{'at least':>9}{'at most':>9}"
        f"{'MiB PSS':>9}{'ratio':>7}"
    )
    for row in rows:
        ratio = row["start_p50_ms"] / rows[0]["start_p50_ms"]
        print(
            f"{row['what']:28}{row['start_p50_ms']:12.1f}"
            f"{row['start_min_ms']:9.1f}"
            f"{row['start_max_ms']:9.1f}{row['pss_mib']:9.1f}{ratio:7.2f}"
        )
    for row in rows:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
