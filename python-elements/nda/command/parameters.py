# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""name=value words of the command line, as the elements take them."""

from __future__ import annotations

import argparse

from .place import Misuse


def add_parameters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "parameters",
        nargs="*",
        default=[],  # else argparse says that they are required
        metavar="NAME=VALUE",
        help="parameters of the plugin; a value may have commas and spaces "
        "in it",
    )


def quoted(value: str) -> str:
    """Return `value`, in double quotes if it needs them."""
    if "," not in value and '"' not in value:
        return value
    value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def parameters_text(words: list[str]) -> str:
    """Return the words as the property `parameters` takes them."""
    for word in words:
        name, sign, _ = word.partition("=")
        if not sign or not name:
            raise Misuse(
                f"“{word}” is not of the form NAME=VALUE, such as gain=0.5."
            )
    pairs = (word.partition("=")[::2] for word in words)
    return ",".join(f"{name}={quoted(value)}" for name, value in pairs)
