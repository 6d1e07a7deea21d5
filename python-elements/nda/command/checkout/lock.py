# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks of a build directory, between several runs of the command.

`lock` is held while a run configures or compiles: the next run waits. `used`
is shared by all runs that use the build. A run that removes the build takes
`used` alone, so no build in use is removed.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path

from .steps import say


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def is_current(descriptor: int, path: Path) -> bool:
    """Whether `path` is still the file that was opened."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def take(path: Path, how: int, waiting: str) -> int:
    """Lock `path`, after a line that says so if that has to wait."""
    while True:
        descriptor = open_lock(path)
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(descriptor, 200, 0).decode(errors="replace")
            say(waiting.format(who=who.strip() or "another nda"))
            fcntl.flock(descriptor, how)
        # A user may have removed the folder by hand meanwhile.
        if is_current(descriptor, path):
            return descriptor
        os.close(descriptor)
        path.parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def alone(folder: Path, verb: str):
    """Hold the build directory to configure and compile in it."""
    descriptor = take(
        folder / "lock",
        fcntl.LOCK_EX,
        "    {who} is building in " + str(folder.parent)
        + "; this run waits for it",
    )
    try:
        os.truncate(descriptor, 0)
        name = f"“./nda {verb}” (process {os.getpid()})"
        os.pwrite(descriptor, name.encode(), 0)
        yield
    finally:
        os.truncate(descriptor, 0)
        os.close(descriptor)


def share(folder: Path) -> int:
    """Keep the build from being removed as long as this program runs.

    The program that replaces this one inherits the descriptor.
    """
    descriptor = take(
        folder / "used",
        fcntl.LOCK_SH,
        "    another nda makes " + str(folder.parent)
        + " afresh; this run waits for it",
    )
    os.set_inheritable(descriptor, True)
    return descriptor


@contextmanager
def unused(folder: Path):
    """Wait until nobody runs from the build, to remove it."""
    descriptor = take(
        folder / "used",
        fcntl.LOCK_EX,
        "    programs of another nda run from " + str(folder.parent)
        + "; this run waits for their end",
    )
    try:
        yield
    finally:
        os.close(descriptor)
