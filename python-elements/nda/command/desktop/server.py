# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The desktop's sound server, asked by `pactl`; PipeWire answers as well."""

from __future__ import annotations

import os
import re
import subprocess

from ..place import Failure

PACKAGE = "pulseaudio-utils"
NO_SERVER = (
    "no sound server answers: start PipeWire or PulseAudio, as a desktop does "
    "by itself, then run this again."
)
PATIENCE = 5  # s; a server that is going may take a client and never answer


def ask(*words: str) -> str | None:
    """Return the output of `pactl WORDS`; None if there is no server."""
    try:
        done = subprocess.run(
            ["pactl", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C"},
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None
    except FileNotFoundError:
        raise Failure(
            "the program pactl is not there, which makes virtual devices: "
            f"install it, on Debian with “apt-get install {PACKAGE}”."
        ) from None
    return done.stdout if done.returncode == 0 else None


def is_there() -> bool:
    return ask("info") is not None


def is_pipewire() -> bool:
    """Return whether the server is PipeWire, which speaks PulseAudio's
    protocol."""
    said = ask("info") or ""
    return bool(re.search(r"^Server Name: .*PipeWire", said, re.M))


def check() -> None:
    """Fail if no server answers."""
    if not is_there():
        raise Failure(NO_SERVER)


def default_device(kind: str) -> str:
    """Return the name of the default "source" or "sink"."""
    said = ask(f"get-default-{kind}")
    if said is None:
        raise Failure(NO_SERVER)
    return said.strip()


def modules_with(text: str) -> list[tuple[str, str]]:
    """Return number and arguments of each module with `text` in its arguments.
    """
    said = ask("list", "short", "modules") or ""
    rows = [line.split("\t") for line in said.splitlines()]
    return [(row[0], row[2]) for row in rows
            if len(row) > 2 and text in row[2]]


def has_device(name: str) -> bool:
    """Whether there is a source or sink of this name."""
    return any(
        line.split("\t")[1:2] == [name]
        for kind in ("sources", "sinks")
        for line in (ask("list", "short", kind) or "").splitlines()
    )


def subscribe() -> subprocess.Popen:
    """Start a program that ends when the server does."""
    return subprocess.Popen(
        ["pactl", "subscribe"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
