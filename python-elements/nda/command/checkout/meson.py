# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls Meson so that Ctrl-C ends it without its traceback."""

from __future__ import annotations

import shlex
import shutil
import subprocess

# Until Meson handles the signal itself, as `meson test` does while tests run,
# the signal ends Meson silently.
QUIET = """import runpy, signal, sys
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")"""


def command(*words: str) -> list[str]:
    """Return the command line of Meson with these arguments."""
    path = shutil.which("meson") or "meson"
    interpreter = find_interpreter(path)
    quietly = [*interpreter, "-c", QUIET] if interpreter else []
    return [*quietly, path, *words]


def find_interpreter(path: str) -> list[str]:
    """Return the Python that runs a script; [] if the file is none of Python.
    """
    try:
        with open(path, "rb") as script:
            first = script.readline(200).decode(errors="replace")
    except OSError:
        return []
    is_python = first.startswith("#!") and "python" in first
    return shlex.split(first[2:]) if is_python else []


def attend(words: list[str], env: dict[str, str]) -> int:
    """Run a program that ends its own children on Ctrl-C, and wait for that.
    """
    is_interrupted = False
    with subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL) as child:
        while child.poll() is None:
            try:
                child.wait()
            except KeyboardInterrupt:
                is_interrupted = True
    if is_interrupted:
        raise KeyboardInterrupt
    return child.returncode
