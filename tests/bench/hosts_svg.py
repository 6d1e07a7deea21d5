#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What hosts.py has measured, as a picture: how long a block takes.

    ./nda bench hosts | python3 tests/bench/hosts_svg.py > docs/isolation.svg
"""

import json
import math
import sys

WIDTH, LEFT, RIGHT, TOP, ROW = 720, 170, 30, 46, 22
LOW, HIGH = 10.0, 1e6  # us
BLOCK_US = 512 / 48000 * 1e6
COLOURS = {"thread": "#c05a1a", "process": "#1a6ec0"}
LABELS = {1e1: "10 us", 1e2: "0.1 ms", 1e3: "1 ms", 1e4: "10 ms",
          1e5: "0.1 s", 1e6: "1 s"}


def read_rows(lines) -> list[dict]:
    rows = [json.loads(line) for line in lines if '"bench": "hosts"' in line]
    if not rows:
        sys.exit("there is no line of hosts.py on the standard input")
    return rows


def x_of(us: float) -> float:
    share = math.log(min(max(us, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place}>{words}</text>"


def line(x1, y1, x2, y2, colour: str, width: float = 1) -> str:
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def draw_scale(bottom: float) -> list[str]:
    parts = []
    for us, label in LABELS.items():
        x = x_of(us)
        parts += [line(x, TOP - 6, x, bottom, "#d8d8d8"),
                  text(x, TOP - 12, label, "middle")]
    x = x_of(BLOCK_US)
    parts += [line(x, TOP - 6, x, bottom, "#202020", 1.5),
              text(x, bottom + 16, "a block lasts 10.67 ms", "middle")]
    return parts


def draw_row(row: dict, y: float) -> list[str]:
    """A bar from the median to the 99th percentile, a line to the worst."""
    colour = COLOURS[row["isolation"]]
    p50, p99, worst = (x_of(row[f"{n}_us"]) for n in ("p50", "p99", "max"))
    return [
        text(LEFT - 10, y + 4, f"{row['beside']}, {row['isolation']}", "end"),
        line(p50, y, worst, y, colour, 1),
        line(p50, y, max(p99, p50 + 1), y, colour, 9),
        line(worst, y - 5, worst, y + 5, colour, 1.5),
    ]


def main() -> None:
    rows = read_rows(sys.stdin)
    bottom = TOP + ROW * len(rows) + 4
    parts = draw_scale(bottom)
    for n, row in enumerate(rows):
        parts += draw_row(row, TOP + ROW * (n + 0.5))
    parts.append(text(LEFT, 16, "From before ndapybridge to behind it: median "
                      "to 99th percentile (bar), worst (line)"))
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
          f'height="{bottom + 28}" font-family="sans-serif" font-size="12">')
    print(f'<rect width="{WIDTH}" height="{bottom + 28}" fill="#ffffff"/>')
    print("\n".join(parts))
    print("</svg>")


if __name__ == "__main__":
    main()
