# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda demo: voices through a Python plugin, and the figures."""

from __future__ import annotations

import argparse

from ..checkout.build import Build
from ..checkout.ready import become, make_ready


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-l",
        "--location",
        metavar="FILE",
        help="write this WAV file instead of playing",
    )
    parser.add_argument(
        "recordings",
        nargs="*",
        metavar="RECORDING",
        help="WAV files to play instead of the voices",
    )


def run(args: argparse.Namespace) -> int:
    build = Build(args.place.top)
    make_ready(build, args.verb, args)
    command = [str(build.folder / "examples" / "demo")]
    if args.location:
        command += ["--location", args.location]
    command += ["--", *args.recordings] if args.recordings else []
    return become(command, build.environment())
