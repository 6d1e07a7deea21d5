# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda mic: a virtual microphone with a plugin in it."""

from __future__ import annotations

import argparse

from . import _desk

EPILOG = """\
    nda mic denoise
    nda mic --devices
    nda mic ./halve.py gain=0.25 --device "USB microphone"

While this command runs, other programs can choose the microphone “nda:
denoise”. It works on PipeWire and PulseAudio, and comes back after a restart
of the sound server. While the plugin fails, or its process starts again, the
microphone gives silence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _desk.add_arguments(parser, "real microphone")


def run(args: argparse.Namespace) -> int:
    return _desk.run(args, "mic")
