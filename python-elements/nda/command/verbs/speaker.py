# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda speaker: a virtual speaker with a plugin in it."""

from __future__ import annotations

import argparse

from . import _desk

EPILOG = """\
    nda speaker limiter
    nda speaker --devices

While this command runs, other programs can play to the speaker “nda:
limiter”. Their sound goes through the plugin to the real speaker."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _desk.add_arguments(parser, "real speaker")


def run(args: argparse.Namespace) -> int:
    return _desk.run(args, "speaker")
