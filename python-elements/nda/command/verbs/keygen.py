# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda keygen: a new key for encrypted audio; prints its fingerprint."""

from __future__ import annotations

import argparse

from ._keys import add_arguments, check_folder, run_tool

__all__ = ["add_arguments", "run"]


def run(args: argparse.Namespace) -> int:
    check_folder(args)
    return run_tool("gen", args)
