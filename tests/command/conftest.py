# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that only note how they are called, first on PATH."""

import argparse
import os
import stat

import pytest

MESON = """#!/usr/bin/python3 -I
import json, os, pathlib, sys

folder = pathlib.Path(__file__).parent
words = sys.argv[1:]
with open(folder / "calls", "a") as calls:
    print("meson", *words, file=calls)
answer = folder / f"answer-{words[0]}"
if answer.exists():
    said = answer.read_text()
    answer.unlink()
    print(said)
    sys.exit("warning:" not in said)
if words[0] == "setup" and "--reconfigure" not in words:
    build = pathlib.Path(words[-2])
    for name in ("build.ninja", "meson-private/coredata.dat"):
        (build / name).parent.mkdir(exist_ok=True)
        (build / name).touch()
    (build / "meson-info").mkdir(exist_ok=True)
    (build / "meson-info" / "meson-info.json").write_text(
        json.dumps({"build": str(build)}))
"""


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder of programs, before all others on PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("CI", "MESON_DEVENV", "PKG_CONFIG_PATH", "CC", "CFLAGS"):
        monkeypatch.delenv(name, raising=False)
    return Tools(folder)


class Tools:
    """Programs of a test, and the calls of them."""

    def __init__(self, folder):
        self.folder = folder

    def add(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def answer(self, verb, text):
        """Let the next `meson VERB` print `text`, and fail, but for a
        warning."""
        (self.folder / f"answer-{verb}").write_text(text)

    def calls(self):
        """The calls since the last time, without paths."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [
            " ".join(word for word in line.split() if os.sep not in word)
            for line in lines
        ]


@pytest.fixture
def meson(tools):
    """A Meson that sets up nothing but the files that tell of it."""
    tools.add("meson", MESON)
    return tools


@pytest.fixture
def args():
    return argparse.Namespace(yes=False)
