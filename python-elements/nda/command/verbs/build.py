# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda build: only build."""

from __future__ import annotations

import argparse

from ..checkout.build import Build
from ..checkout.ready import make_ready


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(args: argparse.Namespace) -> int:
    build = Build(args.place.top)
    build.is_strict = True
    make_ready(build, args.verb, args)
    return 0
