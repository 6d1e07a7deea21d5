# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda test: everything, or the tests that are named, in one of several ways.
"""

from __future__ import annotations

import argparse

from ..checkout import packages, testrun
from ..checkout.build import Build
from ..checkout.ready import make_ready
from ..checkout.ways import WAYS, test_otherwise
from ..place import Failure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--sanitize",
        choices=("address", "thread"),
        help="build with a sanitizer of the compiler, in a build directory "
        "of its own",
    )
    for way, text in (
        ("leaks", "list the GStreamer objects that outlive a program"),
        ("clang", "build with clang; its warnings are errors"),
        ("minimal", "build ndaresample alone, without any library"),
        ("all", "run all of these, one after the other"),
    ):
        ways.add_argument(
            f"--{way}", dest="way", action="store_const", const=way, help=text
        )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="run the tests and suites whose name has NAME in it",
    )


def run(args: argparse.Namespace) -> int:
    top, way = args.place.top, args.way or args.sanitize
    if way == "all":
        return run_all(args)
    if way:
        return test_otherwise(top, way, args.names, args)
    build = Build(top)
    build.is_strict = True
    make_ready(build, args.verb, args, packages.for_tests())
    return testrun.run(build, args.names, [])


def run_all(args: argparse.Namespace) -> int:
    failed = []
    for way in WAYS:
        print(f"==> {way}", flush=True)
        try:
            status = test_otherwise(args.place.top, way, args.names, args)
        except Failure as failure:
            print(f"nda: {failure}", flush=True)
            status = 1
        if status:
            failed.append(way)
    if failed:
        raise Failure(f"these found something: {' '.join(failed)}")
    return 0
