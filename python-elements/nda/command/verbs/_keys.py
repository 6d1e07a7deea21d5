# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program nda-key, which reads and writes key files."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from ..checkout.build import Build
from ..checkout.ready import become, make_ready
from ..place import Failure, Misuse, Place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="the key file, for example studio.key"
    )


def find_tool(args: argparse.Namespace) -> str:
    place: Place = args.place
    if place.top:
        build = Build(place.top)
        tool = build.folder / "ext" / "openssl" / "nda-key"
        if not os.access(tool, os.X_OK):
            # What was built before is good enough, and quicker.
            make_ready(build, args.verb, args)
        return str(tool)
    beside = place.tools / "nda-key" if place.tools else Path("nda-key")
    if os.access(beside, os.X_OK):
        return str(beside)
    found = os.environ.get("NDA_KEY") or shutil.which("nda-key")
    if not found:
        raise Failure(
            "the program nda-key is not there: this nda was built without "
            "OpenSSL, which encryption needs."
        )
    return found


def check_folder(args: argparse.Namespace) -> None:
    """Fail if the folder that a new file goes to is not there."""
    folder = Path(args.file).parent
    if not folder.is_dir():
        raise Misuse(
            f"there is no folder “{folder}” to write “{args.file}” in: make "
            "it first."
        )


def run_tool(what: str, args: argparse.Namespace) -> int:
    if os.path.isdir(args.file):
        raise Misuse(f"“{args.file}” is a folder: name a key file in it.")
    return become([find_tool(args), what, args.file], dict(os.environ))
