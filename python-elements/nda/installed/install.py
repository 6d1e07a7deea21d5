# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda install FILE...: make elements of plugin files."""

from __future__ import annotations

import argparse
import os
import sys

from . import kept
from .asking import Asker, split
from .kept import Failure
from .listing import parameters_text

# A pipeline for each role, to hear the element
PIPELINES = {
    "processor": "ndasrc ! {} ! ndasink",
    "analyser": "ndasrc ! {} ! ndasink",
    "source": "{} ! ndasink",
    "sink": "ndasrc ! {}",
}

EPILOG = """\
    nda install quiet.py
    gst-inspect-1.0 nda-quiet
    gst-launch-1.0 ndasrc ! nda-quiet threshold=-30 ! ndasink"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "plugins",
        metavar="FILE",
        nargs="+",
        help="a plugin's file; FILE:NAME is one function or class in it",
    )
    parser.add_argument(
        "--name",
        help="the name of the element after “nda-” (default: the name of the "
        "file, or of the function or class)",
    )
    parser.add_argument(
        "--python",
        metavar="PROGRAM",
        help="the interpreter that the plugin needs, such as a virtual "
        "environment's bin/python3; the element then has isolation=process",
    )


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _check_name(stem: str, plugin: str) -> None:
    """Check that no other plugin has the name. The same plugin may be
    installed again."""
    other = kept.read_all().get(stem)
    if other is None or other.is_broken():
        return
    if other.plugin["plugin"] != plugin and not other.state():
        raise Failure(
            f"nda-{stem} is “{other.plugin['plugin']}”. Name this one with "
            f"--name, or run “nda uninstall {stem}” first."
        )


def install(asker: Asker, given: str, args: argparse.Namespace) -> str:
    """Keep one plugin; return what is said of its element."""
    path, name = split(given)
    path = _absolute(path)
    stem = kept.element_stem(
        args.name or name or os.path.basename(path).removesuffix(".py")
    )
    plugin = f"{path}:{name}" if name else path
    checksum = kept.checksum_of(path)  # before it is asked
    if os.path.isdir(path):
        raise Failure(f"“{path}” is a folder: name a plugin's file in it.")
    if not checksum:
        raise Failure(f"“{path}” cannot be read. Check the file's name.")
    _check_name(stem, plugin)
    more = {"plugin": plugin, "checksum": checksum}
    if args.python:
        more["python"] = _absolute(args.python)
    text = asker.ask(plugin, more.get("python"))
    kept.keep(stem, text, more)
    shell = "./nda shell " if args.place.top else ""
    return told(f"nda-{stem}", given, kept.Description(text), shell)


def told(element: str, given: str, made: kept.Description, shell: str) -> str:
    """Return what was installed, and how to try it."""
    role = made.plugin.get("role", "processor")
    what = made.plugin.get("description", "").split("\n")[0].strip()
    article = "an" if role == "analyser" else "a"
    lines = [f"{element} is an element of GStreamer now: {article} {role}, "
             f"made of “{given}”."]
    if what:
        lines.append(f"    {what}")
    if made.parameters:
        lines.append(f"Its parameters: {parameters_text(made)}.")
    lines += [
        "Try it:",
        f"    {shell}gst-inspect-1.0 {element}",
        f"    {shell}gst-launch-1.0 {PIPELINES[role].format(element)}",
    ]
    return "\n".join(lines)


def run(args: argparse.Namespace) -> int:
    """Install all plugins; return 1 if one failed."""
    result = 0
    try:
        if args.name and len(args.plugins) > 1:
            raise Failure("--name is for one file at a time.")
        asker = Asker()
    except Failure as failure:
        print(f"nda: {failure}", file=sys.stderr)
        return 1
    for given in args.plugins:
        try:
            print(install(asker, given, args))
        except Failure as failure:
            print(f"nda: {given} is not installed. {failure}", file=sys.stderr)
            result = 1
    return result
