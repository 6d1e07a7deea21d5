# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the command runs from, and how it ends when something fails."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path


class Failure(Exception):
    """Ends the command: what happened, to what, and what to do about it."""

    status = 1


class Misuse(Failure):
    """Something on the command line is wrong."""

    status = 2


class Interrupted(Failure):
    """Ctrl-C ended the command; it says what was not done."""

    status = 128 + signal.SIGINT


@dataclass(frozen=True)
class Place:
    """A checkout, an installed nda, or another environment.

    Attributes
    ----------
    top : Path or None
        The checkout. Its build is brought up to date before a verb uses it.
    tools : Path or None
        The folder with the program ``nda-key``, of an installed nda.
    """

    top: Path | None = None
    tools: Path | None = None

    @property
    def name(self) -> str:
        """How a user calls the command here."""
        return "./nda" if self.top else "nda"


def names(words: list[str]) -> str:
    """“a”, “b” and “c”."""
    quoted = [f"“{word}”" for word in words]
    if len(quoted) < 2:
        return "".join(quoted)
    return ", ".join(quoted[:-1]) + " and " + quoted[-1]
