#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What streams.py has measured, as a picture.

    ./nda bench streams | python3 tests/bench/streams_svg.py > docs/streams.svg
"""

import json
import math
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, GAP = 720, 190, 60, 170, 40, 52
COLOURS = {
    "queue ! volume": "#707070",
    "thread": "#c05a1a",
    "thread, no priority": "#e0a070",
    "process": "#1a6ec0",
    "groups": "#2a9a5a",
    "gst-python": "#9030a0",
    "appsink, appsrc": "#b02040",
}
# Of each panel: a title, the value of a row, the greatest one shown, its ticks
PANELS = (
    ("CPU time of a block, us", lambda row: row["cpu_us"], 400,
     (0, 100, 200, 300, 400)),
    ("blocks that were late or never came, %", lambda row: find_late(row), 100,
     (0, 25, 50, 75, 100)),
    ("memory, MiB", lambda row: row["memory_mib"], 1200,
     (0, 200, 400, 600, 800, 1000, 1200)),
)


def find_late(row: dict) -> float:
    in_time = row["blocks"] - row["late"]
    return max(0.0, 100 * (1 - in_time / row["expected"]))


def read_rows(lines) -> list[dict]:
    rows = [json.loads(line) for line in lines if '"bench": "streams"' in line]
    if not rows:
        sys.exit("there is no line of streams.py on the standard input")
    return rows


def text(x: float, y: float, words: str, anchor: str, colour="#202020") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{words}</text>"


def line(points: list[tuple[float, float]], colour: str, width: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (f'<polyline points="{path}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}"/>')


class Panel:
    """One diagram, its upper edge at `top`."""

    def __init__(self, rows: list[dict], top: float, panel: tuple) -> None:
        self.rows, self.top = rows, top
        self.title, self.value, self.greatest, self.ticks = panel
        self.numbers = sorted({row["streams"] for row in rows})

    def x_of(self, n_streams: int) -> float:
        width = WIDTH - LEFT - RIGHT
        most = math.log2(max(self.numbers[-1], 2))
        return LEFT + width * math.log2(n_streams) / most

    def y_of(self, value: float) -> float:
        share = min(value / self.greatest, 1.0)
        return self.top + HEIGHT * (1 - share)

    def draw_scales(self) -> list[str]:
        end = WIDTH - RIGHT
        parts = [text(LEFT, self.top - 12, self.title, "start")]
        for tick in self.ticks:
            y = self.y_of(tick)
            parts += [line([(LEFT, y), (end, y)], "#d8d8d8", 1),
                      text(LEFT - 8, y + 4, str(tick), "end")]
        for n_streams in self.numbers:
            x = self.x_of(n_streams)
            parts.append(text(x, self.top + HEIGHT + 16, str(n_streams),
                              "middle"))
        return parts

    def draw_way(self, way: str, colour: str) -> list[str]:
        """A line; what is greater than the scale is at its upper edge."""
        points = [
            (self.x_of(row["streams"]), self.y_of(self.value(row)))
            for row in self.rows if row["way"] == way
        ]
        return [line(points, colour, 2)] + [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            for x, y in points
        ]

    def draw(self) -> list[str]:
        parts = self.draw_scales()
        for way, colour in COLOURS.items():
            if any(row["way"] == way for row in self.rows):
                parts += self.draw_way(way, colour)
        return parts


def draw_names(rows: list[dict]) -> list[str]:
    ways = {row["way"] for row in rows}
    shown = [way for way in COLOURS if way in ways]
    x = WIDTH - RIGHT + 16
    return [text(x, TOP + 14 + 18 * n, way, "start", COLOURS[way])
            for n, way in enumerate(shown)]


def main() -> None:
    rows = read_rows(sys.stdin)
    parts = draw_names(rows)
    for n, panel in enumerate(PANELS):
        parts += Panel(rows, TOP + n * (HEIGHT + GAP), panel).draw()
    bottom = TOP + len(PANELS) * (HEIGHT + GAP)
    parts.append(text(LEFT, bottom - 6, "live streams in one program, two "
                      "processors", "start"))
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
          f'height="{bottom + 8}" font-family="sans-serif" font-size="12">')
    print(f'<rect width="{WIDTH}" height="{bottom + 8}" fill="#ffffff"/>')
    print("\n".join(parts))
    print("</svg>")


if __name__ == "__main__":
    main()
