# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The line of levels on a terminal."""

from __future__ import annotations

import sys
from typing import TextIO

FLOOR = -60  # dBFS, where a bar begins
WIDTH = 20


def bar(peak: float) -> str:
    full = round(WIDTH * min(max(1 - peak / FLOOR, 0), 1))
    return "#" * full + "." * (WIDTH - full)


def number(peak: float) -> str:
    return f"{peak:6.1f}" if peak >= FLOOR else "  quiet"[-6:]


def line_text(before: float, after: float, counts: dict[str, int]) -> str:
    """The levels (peaks, dBFS), and those counters that are not 0."""
    told = ", ".join(f"{n} {name}" for name, n in counts.items() if n)
    return (f"in {number(before)} [{bar(before)}]  "
            f"out {number(after)} [{bar(after)}]  {told or 'nothing lost'}")


class Line:
    """Writes over itself on a terminal; nothing elsewhere."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self.stream = stream
        self.is_shown = stream.isatty()
        self.width = 0

    def show(self, text: str) -> None:
        if self.is_shown:
            self.stream.write("\r" + text.ljust(self.width))
            self.stream.flush()
            self.width = len(text)

    def say(self, text: str) -> None:
        """Print a line above the levels."""
        if self.width:
            self.stream.write("\r" + " " * self.width + "\r")
            self.width = 0
        print(text, file=self.stream, flush=True)
