# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda new-plugin: a plugin and its test, to start from."""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import sys
from pathlib import Path

from ..place import Failure, Misuse
from ..templates import CLASS, CLASS_TEST, FUNCTION, FUNCTION_TEST

EPILOG = """\
    nda new-plugin louder
    nda run ./louder.py in.flac loud.wav gain=2"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        help="the name of the plugin: NAME.py and test_NAME.py are written "
        "into the current folder",
    )
    parser.add_argument(
        "--class",
        dest="is_class",
        action="store_true",
        help="write a class, which can keep a state between blocks, instead "
        "of a function",
    )


def check_name(name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise Misuse(
            f"“{name}” cannot be the name of a Python module: take letters, "
            "digits and underscores, with a letter first."
        )
    if name in sys.stdlib_module_names or name in ("nda", "numpy"):
        raise Misuse(
            f"“{name}” is a module that Python has already: take another "
            "name."
        )


def write(path: Path, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Failure(
            f"“{path}” cannot be written: {error.strerror}. Go to a folder "
            "where you may write, and run this again."
        ) from error


def run(args: argparse.Namespace) -> int:
    name = args.name.removesuffix(".py")
    check_name(name)
    plugin, test = Path(f"{name}.py"), Path(f"test_{name}.py")
    for path in (plugin, test):
        if path.exists():
            raise Failure(f"“{path}” is there already: take another name, "
                          "or move it away.")
    words = {"name": name, "class_name": class_name(name)}
    texts = (CLASS, CLASS_TEST) if args.is_class else (FUNCTION, FUNCTION_TEST)
    for path, text in zip((plugin, test), texts):
        write(path, text.format(**words))
    here = args.place.name
    shell = "./nda shell " if args.place.top else ""
    print(f"{plugin} is written, and {test}. Next:\n"
          f"    {here} run ./{plugin} in.flac out.wav\n"
          f"    {shell}gst-launch-1.0 ndasrc ! ndapybridge plugin=./{plugin} "
          "! ndasink\n"
          f"    {shell}/usr/bin/python3 -m pytest {test}")
    if not has_pytest():
        print("pytest is missing: it is in the Debian package python3-pytest.")
    return 0


def has_pytest() -> bool:
    """Return whether the plugin's test can run here."""
    try:
        return importlib.util.find_spec("pytest") is not None
    except ValueError:
        return False


def class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
