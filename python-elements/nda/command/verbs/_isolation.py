# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The option --isolation of verbs that run a plugin."""

from __future__ import annotations

import argparse


def add_isolation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--isolation",
        choices=("thread", "process"),
        default="thread",
        help="where the plugin runs: on a thread of this program, or in a "
        "process of its own (default: %(default)s)",
    )
