# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda plugins: list the installed plugins, and those found by their names."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nda

from . import kept
from .asking import Asker, first_line
from .kept import Description, Failure

HEAD = ("name", "role", "rate", "frame", "parameters", "what", "where")
N_AT_ONCE = 4
# Helpers of plugins, which are no plugins
HELPERS = {"base_plugin", "plugin_loader", "cython_compiler", "test_plugins"}

EPILOG = """\
The list begins with the installed plugins, which are elements. Then it has
the plugins that plugin=NAME finds in NDA_PLUGIN_PATH, and the ready-made ones.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--installed",
        action="store_true",
        help="list only the installed plugins, without loading any",
    )


def _format(description: Description) -> tuple[str, str]:
    """Return rate and frame, for people."""
    if description.plugin.get("api") == "1":
        return "-", "-"
    rate = description.plugin.get("rate", "0")
    frames = description.plugin.get("frames", "0")
    return f"{rate if rate != '0' else 48000} Hz", (
        frames if frames != "0" else "512"
    )


def parameters_text(description: Description) -> str:
    """Return the parameters with their defaults and units, "" for none."""
    texts = []
    for name, keys in description.parameters.items():
        value = keys.get("default", "")
        unit = f" {keys['unit']}" if keys.get("unit") else ""
        is_secret = keys.get("type") == "secret"
        texts.append(name if is_secret else f"{name}={value}{unit}")
    return ", ".join(texts)


def row_of(name: str, description: Description, state: str) -> list[str]:
    plugin = description.plugin
    what = plugin.get("description", "").split("\n")[0]
    where = plugin.get("plugin") or plugin.get("path", "")
    return [
        name,
        plugin.get("role", "-"),
        *_format(description),
        parameters_text(description) or "-",
        state or what or "-",
        where or "-",
    ]


def installed_rows() -> list[list[str]]:
    rows = []
    for stem, description in kept.read_all().items():
        state = description.state()
        if description.is_broken():
            state += f": run “nda uninstall {stem}”"
        elif state:
            state += f": run “nda install {description.plugin['plugin']}”"
        rows.append(row_of(f"nda-{stem}", description, state))
    return rows


def _is_candidate(path: Path) -> bool:
    stem = path.stem
    return path.is_file() and not (
        stem[0] in "_." or stem.startswith("setup_") or stem in HELPERS
    )


def files_by_name() -> dict[str, Path]:
    """Return the files that plugin=NAME finds; the first file of each name."""
    folders = os.environ.get("NDA_PLUGIN_PATH", "").split(os.pathsep)
    found: dict[str, Path] = {}
    for folder in [*filter(None, folders), nda.plugins_path()]:
        for path in sorted(Path(folder).glob("*.py")):
            if _is_candidate(path):
                found.setdefault(path.stem, path.absolute())
    return found


def found_row(asker: Asker, name: str, path: Path) -> list[str]:
    """Ask a plugin. One of API 1 is not opened, so its role is unknown."""
    try:
        text = asker.ask(str(path), may_open=False)
    except Failure as failure:
        reason = str(failure).split("\n")[0]
        return [name, "-", "-", "-", "-", reason, str(path)]
    if text is None:
        what = first_line(str(path)) or "-"
        return [name, "API 1", "-", "-", "as text", what, str(path)]
    return row_of(name, Description(text), "")


def found_rows() -> list[list[str]]:
    asker = Asker()
    files = files_by_name()
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        return list(
            pool.map(
                lambda name: found_row(asker, name, files[name]), sorted(files)
            )
        )


def print_table(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(HEAD, *rows)]
    for row in (HEAD, *rows):
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths))
        print("  ".join(cells).rstrip())


def run(args: argparse.Namespace) -> int:
    try:
        rows = installed_rows()
        if not args.installed:
            rows += found_rows()
    except Failure as failure:
        print(f"nda: {failure}", file=sys.stderr)
        return 1
    print_table(rows)
    return 0
