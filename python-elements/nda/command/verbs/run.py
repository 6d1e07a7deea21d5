# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda run: a plugin over a file, or over a folder of files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .. import gstreamer
from ..offline.files import Job, check_job, list_jobs
from ..offline.pipeline import Pipeline
from ..offline.progress import Progress
from ..offline.report import report_text
from ..parameters import add_parameters, parameters_text
from ..place import Failure, Interrupted
from ._isolation import add_isolation, isolation_settings
from ._plugin import HELP, check_plugin

EPILOG = """\
    nda run gain in.flac out.wav gain=0.5
    nda run ./halve.py recordings/ louder/ --format flac
    nda run ./model.py in.wav out.wav --python venv/bin/python3

IN is any file with sound that GStreamer can read. OUT is .wav (32-bit float),
.flac (24 bits) or .ogg (Vorbis). If IN is a folder, each audio file in it is
read, but not the folders inside."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plugin", metavar="PLUGIN", help=HELP)
    parser.add_argument(
        "source", metavar="IN", type=Path, help="the file or folder to read"
    )
    parser.add_argument(
        "target", metavar="OUT", type=Path, help="the file or folder to write"
    )
    add_parameters(parser)
    add_isolation(parser)
    parser.add_argument(
        "--format",
        choices=("wav", "flac", "ogg"),
        default="wav",
        help="the format of the files written to a folder (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files that exist already",
    )


def run_job(Gst, job: Job, settings: dict[str, str], overwrite: bool) -> None:
    check_job(job, overwrite)
    result = Pipeline(Gst, job, settings).run(Progress(job.source.name))
    print(report_text(job, result), flush=True)


def run(args: argparse.Namespace) -> int:
    check_plugin(args.plugin)
    settings = {"plugin": args.plugin, **isolation_settings(args)}
    if args.parameters:
        settings["parameters"] = parameters_text(args.parameters)
    jobs, left_out = list_jobs(args.source, args.target, args.format)
    if len(jobs) == 1 and not args.source.is_dir():
        check_job(jobs[0], args.overwrite)
        run_job(gstreamer.load(), jobs[0], settings, args.overwrite)
        return 0
    for path in left_out:
        print(f"nda: “{path}” is left out: it is no audio by its suffix.",
              file=sys.stderr)
    return run_all(gstreamer.load(), jobs, settings, args.overwrite)


def run_all(Gst, jobs, settings, overwrite: bool) -> int:
    """Run each; one that fails does not keep the others from being run."""
    n_failed = 0
    for job in jobs:
        try:
            run_job(Gst, job, settings, overwrite)
        except Interrupted:
            raise
        except Failure as failure:
            n_failed += 1
            print(f"nda: {failure}", file=sys.stderr)
    print(f"{len(jobs) - n_failed} files written, {n_failed} failed")
    return 1 if n_failed else 0
