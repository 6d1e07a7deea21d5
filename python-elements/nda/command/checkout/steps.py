# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Quiet steps: each one line on standard error, its output in a log file."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time
from pathlib import Path

FIRST_ERROR = re.compile(r"^FAILED:|ERROR:|^E: ")


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


class Steps:
    """Runs commands, and writes their output to `folder`/NAME.log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def run(
        self,
        name: str,
        title: str,
        command: list[str],
        env: dict[str, str] | None = None,
    ) -> bool:
        """Run `command`; say how long it took; return whether it succeeded."""
        say(f"==> {title} ... ", end="")
        begin = time.monotonic()
        with open(self.log(name), "wb") as log:
            try:
                status = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=env,
                ).returncode
            except KeyboardInterrupt:
                say("stopped")
                raise
        took = f"{time.monotonic() - begin:.1f} s"
        say(took if status == 0 else f"failed after {took}")
        return status == 0

    def read(self, name: str) -> str:
        return self.log(name).read_text(encoding="utf-8", errors="replace")

    def show(self, name: str, n_lines: int) -> None:
        """Print the output of a failed step, from its first error on."""
        lines = self.read(name).splitlines()
        rest = list(
            itertools.dropwhile(lambda s: not FIRST_ERROR.search(s), lines)
        )
        for line in rest[:n_lines] or lines[-n_lines:]:
            say(line)
