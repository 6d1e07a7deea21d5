# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda uninstall NAME...: remove the elements of installed plugins.

The plugins' files stay in their place.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import kept
from .kept import Failure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        metavar="NAME",
        nargs="+",
        help="an element, such as nda-gate, or the file it was made of",
    )


def uninstall(name: str) -> str:
    """Forget one plugin; return the name of its element."""
    file = Path(name).name.removesuffix(".py")
    stem = kept.element_stem(file.removeprefix("nda-"))
    if not kept.forget(stem):
        names = ", ".join(f"nda-{stem}" for stem in kept.read_all())
        raise Failure(
            f"“{name}” is not installed. These are: {names or 'none'}."
        )
    return f"nda-{stem}"


def run(args: argparse.Namespace) -> int:
    result = 0
    for name in args.names:
        try:
            print(f"{uninstall(name)} is uninstalled")
        except Failure as failure:
            print(f"nda: {failure}", file=sys.stderr)
            result = 1
    return result
