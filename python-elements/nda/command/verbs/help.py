# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda help: the verbs, or the help of one."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "verb_to_show", nargs="?", metavar="VERB", help="show its arguments"
    )
    parser.add_argument(
        "--page",
        action="store_true",
        help="print the page docs/command.md",
    )


def run(args: argparse.Namespace) -> int:
    from .. import main

    if args.page:
        from ..page import page

        print(page(), end="")
        return 0
    if not args.verb_to_show:
        print(main.help_text(args.place))
        return 0
    return main.dispatch([args.verb_to_show, "--help"], args.place)
