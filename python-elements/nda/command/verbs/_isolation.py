# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options --isolation and --python of verbs that run a plugin."""

from __future__ import annotations

import argparse

from ..place import Misuse


def add_isolation(
    parser: argparse.ArgumentParser, default: str = "thread"
) -> None:
    again = ", which is started again if it ends"
    parser.add_argument(
        "--isolation",
        choices=("thread", "process"),
        help="where the plugin runs: on a thread of this program, or in a "
        f"process of its own{again if default == 'process' else ''} "
        f"(default: {default})",
    )
    parser.add_argument(
        "--python",
        metavar="PROGRAM",
        help="the interpreter that the plugin needs, such as a virtual "
        "environment's bin/python3; the plugin then runs in a process",
    )
    parser.set_defaults(usual_isolation=default)


def isolation_settings(args: argparse.Namespace) -> dict[str, str]:
    """Return the properties of the element that runs the plugin."""
    if not args.python:
        return {"isolation": args.isolation or args.usual_isolation}
    if args.isolation == "thread":
        raise Misuse(
            "a thread of this program has this program's Python: leave out "
            "--isolation thread, or --python."
        )
    return {"isolation": "process", "python": args.python}
