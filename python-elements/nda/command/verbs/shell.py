# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda shell: a shell, or one command, that finds the build."""

from __future__ import annotations

import argparse
import os

from ..checkout import meson
from ..checkout.build import Build, plain_environment
from ..checkout.ready import become, make_ready


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="run this command in that shell, then end",
    )


def run(args: argparse.Namespace) -> int:
    build = Build(args.place.top)
    make_ready(build, args.verb, args)
    command = args.command
    if command[:1] == ["--"]:
        command = command[1:]
    if command:
        return become(command, build.environment())
    devenv = meson.command(
        "devenv", "-C", str(build.folder), "-w", os.getcwd()
    )
    return become(devenv, plain_environment())
