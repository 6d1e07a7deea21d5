# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda bench: what a block costs and how long it takes."""

from __future__ import annotations

import argparse

from ..checkout import meson, packages, testrun
from ..checkout.build import Build, plain_environment
from ..checkout.ready import make_ready


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a benchmark of tests/bench, for example block-cost (default: "
        "all)",
    )


def run(args: argparse.Namespace) -> int:
    build = Build(args.place.top)
    build.is_strict = True
    more = packages.for_tests() + packages.TO_BENCH
    make_ready(build, args.verb, args, more)
    testrun.check_benchmarks(build, args.names)
    command = meson.command("test", "-C", str(build.folder), "--no-rebuild",
                            "--benchmark", "--verbose", *args.names)
    return meson.attend(command, plain_environment())
