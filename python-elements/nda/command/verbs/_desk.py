# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `nda mic` and `nda speaker` have in common."""

from __future__ import annotations

import argparse
import os

from .. import gstreamer
from ..desktop import devices, server
from ..desktop.cable import Cable
from ..desktop.session import Session
from ..parameters import add_parameters, parameters_text
from ..place import Failure, Misuse
from ._isolation import add_isolation, isolation_settings
from ._plugin import HELP, check_plugin


def add_arguments(parser: argparse.ArgumentParser, other: str) -> None:
    parser.add_argument(
        "plugin",
        metavar="PLUGIN",
        nargs="?",
        help=HELP,
    )
    add_parameters(parser)
    parser.add_argument(
        "--device",
        metavar="NAME",
        help=f"the {other} to use (default: the desktop's)",
    )
    parser.add_argument(
        "--devices",
        action="store_true",
        help="only list the microphones and speakers of this machine",
    )
    add_isolation(parser, "process")


def choose_device(args: argparse.Namespace, kind: str) -> str:
    """Return the device that was named, or the desktop's."""
    name = args.device or server.default_device(kind)
    if name.startswith(("nda_mic", "nda_speaker")):
        raise Failure(
            f"“{name}” is a device of nda itself, which would hear itself: "
            "choose another with --device; --devices lists them."
        )
    return name


def run(args: argparse.Namespace, kind: str) -> int:
    Gst = gstreamer.load()
    if args.devices:
        devices.print_all(Gst)
    if not args.plugin:
        raise Misuse("name a plugin, for example “nda "
                     f"{kind} denoise”, or add --devices.")
    check_plugin(args.plugin)
    server.check()
    settings = {
        "plugin": args.plugin,
        **isolation_settings(args),
        # Never the sound as it came: the plugin may be there to hide it.
        "on-error": "silence",
    }
    if args.parameters:
        settings["parameters"] = parameters_text(args.parameters)
    stem = os.path.splitext(os.path.basename(args.plugin))[0]
    cable = Cable(kind, f"nda: {stem}")
    if kind == "mic":
        device = choose_device(args, "source")
        ends, what = (device, cable.end), "microphone"
    else:
        device = choose_device(args, "sink")
        ends, what = (cable.end, device), "speaker"
    Session(Gst, cable, ends, settings).run(
        f"The {what} “{cable.shown}” ({cable.name}) is there now: choose it "
        f"in any program. “{device}” is the real one. Ctrl-C ends it."
    )
    return 0
