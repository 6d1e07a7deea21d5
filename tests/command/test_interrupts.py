# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ctrl-C ends a verb in one line, whatever the verb is waiting for."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nda.command import verbs
from nda.command.checkout import meson
from nda.command.main import main
from nda.command.place import Place

TOP = Path(__file__).parents[2]
DYING_MESON = """#!/usr/bin/python3 -I
import os, signal
os.kill(os.getpid(), signal.SIGINT)
"""
SIGNALLING = """
import os, pathlib, signal
os.kill(os.getppid(), signal.SIGINT)
pathlib.Path("ended").touch()
"""
# Sends the signal while Python imports the verbs
INTERRUPTED = """
import os, signal, sys

class Finder:
    def find_spec(name, path=None, target=None):
        if name == "nda.command.verbs":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder)
"""


@pytest.mark.parametrize("shebang", ["#!/usr/bin/python3 -I",
                                     "#!/usr/bin/env python3"])
def test_meson_ends_without_a_traceback(tools, shebang):
    tools.add("meson", DYING_MESON.replace("#!/usr/bin/python3 -I", shebang))

    done = subprocess.run(meson.command("test"), capture_output=True)

    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


def test_meson_gets_its_arguments(tools):
    tools.add("meson", "#!/usr/bin/python3\nimport sys\nprint(sys.argv)\n")
    words = meson.command("test", "--list")

    done = subprocess.run(words, capture_output=True, text=True)

    assert eval(done.stdout) == [str(tools.folder / "meson"), *words[-2:]]


def test_a_meson_that_is_no_script_of_python_is_called_itself(tools):
    tools.add("meson", "#!/bin/sh\necho $*\n")

    assert meson.command("test") == [str(tools.folder / "meson"), "test"]


def test_a_program_that_is_interrupted_too_ends_by_itself(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(KeyboardInterrupt):
        meson.attend([sys.executable, "-c", SIGNALLING], dict(os.environ))

    assert Path("ended").exists()


def test_a_verb_ends_in_one_line(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(verbs.Verb, "load", interrupt)

    assert main(["help"], Place()) == 130
    assert capsys.readouterr().err == "nda: interrupted.\n"


def test_an_import_ends_without_a_traceback(tmp_path):
    """Python is not at the command yet."""
    start = (TOP / "nda").read_text().partition("-I -B -c '")[2]
    program = INTERRUPTED + start.partition("'")[0]

    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", program, str(TOP), "help"],
        capture_output=True,
    )

    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")
