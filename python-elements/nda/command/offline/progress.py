# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A progress bar on a terminal; nothing elsewhere."""

from __future__ import annotations

import sys
from typing import TextIO

WIDTH = 30
SECOND = 1_000_000_000


def bar_text(position: int, duration: int, seconds: float) -> str:
    """Return a line: how much is done, and how fast (times in nanoseconds)."""
    speed = position / SECOND / seconds if seconds > 0 else 0
    done = f"{position / SECOND:.1f} s"
    if duration <= 0:
        return f"{done}, {speed:.0f} times real time"
    share = min(max(position / duration, 0), 1)
    full = int(WIDTH * share)
    return (f"[{'#' * full}{'.' * (WIDTH - full)}] {100 * share:3.0f} %  "
            f"{done} of {duration / SECOND:.1f} s, "
            f"{speed:.0f} times real time")


class Progress:
    """Draws the bar of one file over and over in the same line."""

    def __init__(self, name: str, stream: TextIO = sys.stderr) -> None:
        self.name = name
        self.stream = stream
        self.is_shown = stream.isatty()
        self.width = 0

    def show(self, position: int, duration: int, seconds: float) -> None:
        if not self.is_shown:
            return
        text = f"{self.name}  {bar_text(position, duration, seconds)}"
        padding = " " * (self.width - len(text))
        self.stream.write(f"\r{text}{padding}")
        self.stream.flush()
        self.width = len(text)

    def clear(self) -> None:
        if self.is_shown and self.width:
            self.stream.write(f"\r{' ' * self.width}\r")
            self.stream.flush()
            self.width = 0
