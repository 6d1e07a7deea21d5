#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays live sound through elements written in Python, over the rig, and
checks losses and bits. Then plays ten thousand blocks, and checks the objects
that are left.

    with-rig one python3 elements.py SECONDS
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "rig"))
from python_path import Gst, run_path, wait_for_blocks  # noqa: E402
from soak import Memory, Table  # noqa: E402

N_BLOCKS = 10_000
# Until caches, pools and free lists are full: nothing grows from here on
N_WARM = 3000


def soak_sound(table: Table, n_seconds: int) -> None:
    found = run_path(n_seconds)
    table.count("frames lost, Python elements", 0, found.n_lost)
    table.count("frames altered, Python elements", 0, found.n_altered)
    table.count("overruns, Python elements", 0, found.n_overruns)
    # Underruns are the machine's as well: noted, and not judged.
    table.row(
        "underruns, Python elements", "noted", str(found.n_underruns), True
    )


def soak_memory(table: Table) -> None:
    """What one block left behind, ten thousand would have left often."""
    path = Gst.parse_launch(
        "ndamicsrc device=mic ! ndapybridge plugin=passthrough ! "
        "ndaspectrum post-messages=false ! ndaspeakersink name=speaker"
    )
    path.set_state(Gst.State.PLAYING)
    wait_for_blocks(path, "speaker", N_WARM)
    before = Memory()
    wait_for_blocks(path, "speaker", N_WARM + N_BLOCKS)
    before.judge(table, f"{N_BLOCKS} live blocks")
    path.set_state(Gst.State.NULL)


def main() -> int:
    table = Table()
    soak_sound(table, int(sys.argv[1]))
    soak_memory(table)
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
