# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda repair: the sizes in a WAV file whose writer was killed."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..place import Failure
from ..wavrepair import repair

EPILOG = """\
    nda repair talk.wav

The sizes are computed from the length of the file. No sample is changed. An
incomplete frame at the end is left out. A file past 4 GiB becomes an RF64
file, if there is room for its header. Files that ndasink and wav_recorder
write need no repair."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", type=Path, help="a WAV file"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only report the wrong sizes, and do not change the file",
    )


def run(args: argparse.Namespace) -> int:
    for path in args.files:
        try:
            done = repair(path, is_dry_run=args.dry_run)
        except OSError as error:
            raise Failure(
                f"“{path}” is not repaired: {error.strerror}. Check its name "
                "and permissions."
            ) from error
        print(f"{path}: {done}")
    return 0
