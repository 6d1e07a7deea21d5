# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other ways to build and run the tests: sanitizers, leaks, clang, minimal.

Each except `leaks` has its own build directory. Those that make programs slow
leave out the suites with live sound.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import packages, testrun
from .build import Build
from .ready import make_ready


@dataclass(frozen=True)
class Way:
    """How to build, what to run, and the words before each program."""

    names: tuple[str, ...]
    options: tuple[str, ...] = ()
    wrapper: Callable[[Build], list[str]] = lambda build: []
    compiler: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()


def under_address(build: Build) -> list[str]:
    # The interpreter is not built with the sanitizer, so its library comes
    # first.
    library = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    return ["env", f"LD_PRELOAD={library}", "ASAN_OPTIONS=detect_leaks=0",
            "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1"]


def few_plugins(build: Build) -> Path:
    """Make a folder with our plugins and those that our tests in C need.

    Other plugins have races.
    """
    folder = build.folder / "few-plugins"
    system = subprocess.run(
        ["pkg-config", "--variable=pluginsdir", "gstreamer-1.0"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    shutil.rmtree(folder, ignore_errors=True)
    ours = list(build.folder.rglob("libgstnda*.so"))
    folder.mkdir()
    names = "coreelements audiotestsrc audioconvert audioresample app"
    for name in names.split():
        (folder / f"libgst{name}.so").symlink_to(f"{system}/libgst{name}.so")
    for path in ours:
        (folder / path.name).symlink_to(path)
    return folder


def under_thread(build: Build) -> list[str]:
    # No scanner, since that program is not built with the sanitizer.
    return [
        "env", "GST_REGISTRY_FORK=no",
        f"GST_PLUGIN_PATH_1_0={few_plugins(build)}",
        "CK_TIMEOUT_MULTIPLIER=5",
        f"TSAN_OPTIONS=exitcode=66:suppressions={build.top}/tests/tsan.supp",
    ]


def under_leaks(build: Build) -> list[str]:
    folder = build.logs / "leaks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return [
        "env", "GST_TRACERS=leaks", "GST_DEBUG=GST_TRACER:7",
        "GST_DEBUG_NO_COLOR=1", f"GST_DEBUG_FILE={folder}/%p",
        "G_DEBUG=fatal-criticals",
    ]


WAYS = {
    "address": Way(
        ("nda:check", "nda:python", "nda:examples", "nda:fuzz"),
        ("-Db_sanitize=address,undefined", "-Db_lundef=false"),
        under_address,
    ),
    "thread": Way(
        ("nda:check",),
        ("-Db_sanitize=thread", "-Db_lundef=false"),
        under_thread,
    ),
    "leaks": Way(("nda:check", "nda:examples"), wrapper=under_leaks),
    "clang": Way(
        ("nda:check", "nda:python", "nda:examples", "nda:fuzz"),
        ("-Dwerror=true",),
        compiler={"CC": "clang"},
        packages=("clang",),
    ),
    "minimal": Way(
        ("nda:check", "nda:style"),
        ("-Dauto_features=disabled", "-Dtests=enabled"),
    ),
}


def leaks_found(build: Build) -> bool:
    """Print the objects that were alive when a program ended."""
    found: Counter[str] = Counter()
    for path in (build.logs / "leaks").iterdir():
        text = path.read_text(encoding="utf-8", errors="replace")
        found.update(re.findall(
            r"object-alive, type-name=\(string\)([A-Z][^,]*)", text))
    if not found:
        return False
    print("still alive when a program ended (each with its trace in "
          f"{build.logs / 'leaks'}):", file=sys.stderr)
    for name in sorted(found):
        print(f"{found[name]:7} {name}", file=sys.stderr)
    return True


def test_otherwise(
    top: Path, name: str, names: list[str], args: argparse.Namespace
) -> int:
    """Build and test in the way `name`; return the exit status."""
    way = WAYS[name]
    build = Build(top, "build" if name == "leaks" else f"build-{name}")
    build.options = list(way.options)
    build.compiler = way.compiler
    build.is_strict = True
    more = packages.for_tests() + list(way.packages)
    make_ready(build, f"test --{name}", args, more)
    wrapper = way.wrapper(build)
    status = testrun.run(build, names or list(way.names), wrapper)
    if name == "leaks" and leaks_found(build):
        return 1
    return status
