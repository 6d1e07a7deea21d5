#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Live sound through elements written in Python, over the rig, by loss and
bits.

    with-rig one python3 elements.py SECONDS
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "rig"))
from python_path import run_path  # noqa: E402


def main() -> int:
    found = run_path(int(sys.argv[1]))
    good = True
    for what, value in (
        ("frames lost, Python elements", found.n_lost),
        ("frames altered, Python elements", found.n_altered),
        ("overruns, Python elements", found.n_overruns),
    ):
        good &= value == 0
        mark = "ok" if value == 0 else "NOT OK"
        print(f"{what:36} {'0':>14} {value:>14}  {mark}", flush=True)
    # Underruns are the machine's as well: noted, and not judged.
    what = "underruns, Python elements"
    print(f"{what:36} {'noted':>14} {found.n_underruns:>14}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
