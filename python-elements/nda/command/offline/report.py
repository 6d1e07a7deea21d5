# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `nda run` prints at the end of each file."""

from __future__ import annotations

from .files import Job
from .pipeline import Result

BLOCK = 512 / 48000  # s
MS = 1e6  # ns


def report_text(job: Job, result: Result) -> str:
    seconds = result.duration / 1e9
    speed = seconds / result.seconds if result.seconds > 0 else 0
    stats = result.stats
    p50, p99, longest = (
        stats.get(f"{name}-call-time", 0) / MS
        for name in ("p50", "p99", "max")
    )
    share = 100 * p50 / 1e3 / BLOCK
    return "\n".join([
        f"{job.source} -> {job.target}: {seconds:.1f} s in "
        f"{result.seconds:.1f} s, {speed:.0f} times real time",
        f"  a block   {p50:.3f} ms (p99 {p99:.3f}, longest {longest:.3f}), "
        f"{share:.1f} % of the {1e3 * BLOCK:.2f} ms it lasts; "
        f"{stats.get('num-blocks', 0)} blocks",
        f"  latency   {result.latency / MS:.1f} ms, if it were live",
        f"  level     {result.before.text} before, {result.after.text} after",
    ])
