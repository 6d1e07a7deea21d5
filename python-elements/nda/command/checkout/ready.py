# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Brings a build up to date before a verb uses it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import lock, packages
from ..place import Failure
from .build import Build


def make_ready(
    build: Build,
    verb: str,
    args: argparse.Namespace,
    more: Sequence[str] = (),
) -> None:
    """Install missing packages, configure and compile; then share the build.
    """
    build.prepare_logs()
    with lock.alone(build.logs, verb):
        is_new = packages.install(
            packages.TO_BUILD + packages.TO_RUN + list(more),
            build.steps,
            getattr(args, "yes", False),
        )
        build.configure(is_new)
        build.compile()
    lock.share(build.logs)


def enter_build(top: Path, args: argparse.Namespace) -> None:
    """Make this process find the elements of the checkout."""
    build = Build(top)
    make_ready(build, args.verb, args)
    os.environ.update(build.environment())


def become(command: list[str], env: dict[str, str]) -> int:
    """Replace this program by `command`."""
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, env)
    except OSError as error:
        raise Failure(
            f"“{command[0]}” cannot be run: {error.strerror}."
        ) from None
