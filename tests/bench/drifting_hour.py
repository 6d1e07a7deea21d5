#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draw what the drift loop makes of an hour between two clocks.

Runs the simulator, and writes a picture of two panels over one logarithmic
time axis: how far the delay is off, and the speed that the resampler is told.
`docs/drifting-hour.svg` is this:

    ./nda shell tests/bench/drifting_hour.py \\
        build/tests/bench/drifting-hour docs/drifting-hour.svg
"""

import argparse
import collections
import math
import subprocess

WIDTH, LEFT, RIGHT = 760, 70, 20
# where each panel begins, how high it is, and what lies at its edges
ERROR_PANEL = (40, 200, 0.6, -0.6)
SPEED_PANEL = (290, 200, 350.0, -350.0)
HEIGHT = 540
FIRST, LAST = 0.5, 3600.0
TIMES = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h"}
COLORS = ["#1f6feb", "#d1571b"]


def x_of(time: float) -> float:
    part = math.log(time / FIRST) / math.log(LAST / FIRST)
    return LEFT + min(max(part, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)


def y_of(panel: tuple, value: float) -> float:
    top, height, highest, lowest = panel
    value = min(max(value, lowest), highest)
    return top + (highest - value) / (highest - lowest) * height


def text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place}>{words}</text>"


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        'stroke="#ccc"/>'
    )


def draw_axes(panel: tuple, title: str, values: list, unit: str) -> list:
    top, height = panel[:2]
    parts = [text(LEFT, top - 10, title, "start")]
    for value in values:
        y = y_of(panel, value)
        parts += [
            line(LEFT, y, WIDTH - RIGHT, y),
            text(LEFT - 8, y + 4, f"{value:g} {unit}", "end"),
        ]
    for time, name in TIMES.items():
        parts += [
            line(x_of(time), top, x_of(time), top + height),
            text(x_of(time), top + height + 16, name),
        ]
    return parts


def draw_band(panel: tuple, rows: list, color: str) -> str:
    """Draw the area between the least and the greatest of each column."""
    ahead = [f"{x_of(t):.1f},{y_of(panel, y):.1f}" for t, _, y, _ in rows]
    back = [f"{x_of(t):.1f},{y_of(panel, y):.1f}" for t, y, _, _ in rows]
    return (
        f'<polygon points="{" ".join(ahead + back[::-1])}" fill="{color}" '
        f'fill-opacity="0.35" stroke="{color}"/>'
    )


def draw_curve(panel: tuple, rows: list, color: str) -> str:
    points = [f"{x_of(t):.1f},{y_of(panel, v):.1f}" for t, _, _, v in rows]
    return (
        f'<polyline points="{" ".join(points)}" fill="none" '
        f'stroke="{color}" stroke-width="1.5"/>'
    )


def draw(clocks: dict) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *draw_axes(
            ERROR_PANEL,
            "how far the delay is off",
            [-0.5, -0.25, 0, 0.25, 0.5],
            "ms",
        ),
        *draw_axes(
            SPEED_PANEL,
            "the speed that the resampler is told",
            [-300, -150, 0, 200],
            "ppm",
        ),
    ]
    for (ppm, rows), color in zip(clocks.items(), COLORS):
        parts += [
            draw_band(ERROR_PANEL, rows, color),
            draw_curve(SPEED_PANEL, rows, color),
            f'<g fill="{color}">'
            + text(
                WIDTH - RIGHT,
                y_of(SPEED_PANEL, float(ppm)) - 6,
                f"a clock {float(ppm):+g} ppm off, 0.3 ms of jitter",
                "end",
            )
            + "</g>",
        ]
    return "\n".join(parts + ["</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulator")
    parser.add_argument("picture")
    arguments = parser.parse_args()

    said = subprocess.run(
        [arguments.simulator], capture_output=True, text=True, check=True
    ).stdout
    clocks = collections.defaultdict(list)
    for row in map(str.split, said.splitlines()):
        clocks[row[0]].append(tuple(map(float, row[1:])))
    with open(arguments.picture, "w", encoding="utf-8") as picture:
        picture.write(draw(clocks))
    for ppm, rows in clocks.items():
        first = max(max(-r[1], r[2]) for r in rows if r[0] < 60)
        later = max(max(-r[1], r[2]) for r in rows if r[0] >= 60)
        print(
            f"{float(ppm):+8g} ppm: off by {first:.3f} ms at most in the "
            f"first minute, by {later:.3f} ms after it"
        )


if __name__ == "__main__":
    main()
