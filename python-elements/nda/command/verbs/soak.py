# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda soak: the long runs."""

from __future__ import annotations

import argparse
import textwrap

from ..checkout import packages
from ..checkout.build import Build
from ..checkout.ready import become, make_ready
from ..place import Misuse

PARTS = (
    "live", "python", "elements", "drift", "click", "stalls", "mic", "servers",
    "hour", "day", "cycles", "gil", "blocks", "hosts", "faults", "standby",
    "processes", "hostile", "bridges", "crypto", "random", "starts", "stress",
)
EPILOG = textwrap.fill(f"The parts: {', '.join(PARTS)}.", 79) + """
docs/testing.md describes each part."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="the parts to run (default: all); a number sets the minutes of "
        "live, python, elements, drift and servers (default: 10)",
    )


def check_parts(parts: list[str]) -> None:
    for part in parts:
        if part not in PARTS and not part.isdecimal():
            raise Misuse(
                f"there is no part “{part}”. These are: {', '.join(PARTS)}."
            )


def run(args: argparse.Namespace) -> int:
    check_parts(args.parts)
    build = Build(args.place.top)
    build.is_strict = True
    make_ready(build, args.verb, args, packages.for_tests())
    script = args.place.top / "tests" / "soak" / "run"
    command = [str(script), str(build.folder), *args.parts]
    return become(command, build.environment())
