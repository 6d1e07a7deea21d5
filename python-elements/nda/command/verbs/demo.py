# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda demo: voices through a Python plugin, and the figures."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys

from ..checkout.build import Build
from ..checkout.ready import make_ready
from ..place import Misuse
from ..wavrepair import read_header

# They print that they do not find a device, or a server, and go on.
OF_LIBRARIES = re.compile(
    rb"ALSA lib |AL lib:|[Jj]ack|Cannot connect to server |"
    rb"connect\(2\) call to |attempt to connect to server failed"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-l",
        "--location",
        metavar="FILE",
        help="write this WAV file instead of playing",
    )
    parser.add_argument(
        "recordings",
        nargs="*",
        metavar="RECORDING",
        help="WAV files to play instead of the voices",
    )


def check_recording(name: str) -> None:
    try:
        with open(name, "rb") as file:
            read_header(file, name)
    except OSError as error:
        raise Misuse(
            f"“{name}” cannot be read: {error.strerror}. Name a WAV file."
        ) from error


def check_location(name: str | None) -> None:
    folder = os.path.dirname(name or "") or "."
    if not os.path.isdir(folder):
        raise Misuse(f"there is no folder “{folder}” to write “{name}” in: "
                     "make it first.")


def run(args: argparse.Namespace) -> int:
    for name in args.recordings:
        check_recording(name)
    check_location(args.location)
    build = Build(args.place.top)
    make_ready(build, args.verb, args)
    command = [str(build.folder / "examples" / "demo")]
    if args.location:
        command += ["--location", args.location]
    command += ["--", *args.recordings] if args.recordings else []
    return run_quietly(command, build.environment())


def run_quietly(command: list[str], env: dict[str, str]) -> int:
    """Run `command` without what sound libraries print among its lines."""
    # Ctrl-C is for the demo, which ends with its table.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with subprocess.Popen(
        command, env=env, stderr=subprocess.PIPE, preexec_fn=heed_interrupts
    ) as process:
        for line in process.stderr:
            if not OF_LIBRARIES.match(line):
                sys.stderr.buffer.write(line)
                sys.stderr.flush()
    return process.returncode if process.returncode >= 0 else 1


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
