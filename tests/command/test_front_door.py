# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command itself: verbs, versions, what is said of a wrong word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nda.command import verbs
from nda.command.main import main
from nda.command.place import Place

TOP = Path(__file__).resolve().parents[2]
NDA = TOP / "nda"
CHECKOUT = Place(top=TOP)


def call(*words, cwd=None, **env):
    return subprocess.run(
        [*map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "command", [[NDA], [sys.executable, "-m", "nda"]], ids=["file", "module"]
)
def test_version_is_that_of_the_build(command):
    done = call(*command, "--version")

    assert done.stdout == f"nda {os.environ['NDA_VERSION']}\n"


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_help_lists_every_verb(words):
    done = call(NDA, *words)

    assert done.returncode == 0
    for verb in verbs.present():
        assert f"./nda {verb.name} " in done.stdout
        assert verb.summary in done.stdout


@pytest.mark.parametrize("verb", verbs.present(), ids=lambda verb: verb.name)
def test_each_verb_has_help_that_needs_no_build(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([verb.name, "--help"], CHECKOUT)

    assert end.value.code == 0
    assert f"usage: ./nda {verb.name} " in capsys.readouterr().out


def test_help_of_a_verb_is_that_of_its_own_option():
    assert call(NDA, "help", "run").stdout == call(NDA, "run", "-h").stdout


def test_an_unknown_verb_is_told_with_all_there_are(capsys):
    assert main(["dmeo"], CHECKOUT) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert "no verb “dmeo”" in said.err
    assert "./nda demo " in said.err


@pytest.mark.parametrize(
    "verb",
    [verb for verb in verbs.VERBS if verb.needs == verbs.CHECKOUT],
    ids=lambda verb: verb.name,
)
def test_installed_a_verb_of_the_checkout_says_so(verb, capsys):
    assert main([verb.name], Place()) == 1

    assert f"run “./nda {verb.name}” there" in capsys.readouterr().err


def test_an_option_is_not_guessed(capsys):
    with pytest.raises(SystemExit) as end:
        main(["test", "--mini"], CHECKOUT)

    assert end.value.code == 2
    assert "./nda test --help" in capsys.readouterr().err


def test_yes_may_stand_before_the_verb(monkeypatch):
    seen = []
    module = verbs.find("build").load()
    monkeypatch.setattr(module, "run", lambda args: seen.append(args) or 0)

    assert main(["--yes", "build"], CHECKOUT) == 0
    assert main(["build", "--yes"], CHECKOUT) == 0
    assert [args.yes for args in seen] == [True, True]


def test_nothing_of_the_current_folder_runs(tmp_path):
    for name in ("argparse", "nda", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('mine')")

    done = call(NDA, "--version", cwd=tmp_path, PYTHONPATH=str(tmp_path))

    assert done.stdout.startswith("nda ")


def test_another_python_on_the_path_is_not_taken(tmp_path):
    (tmp_path / "python3").write_text("#!/bin/sh\necho mine\n")
    (tmp_path / "python3").chmod(0o755)

    done = call(NDA, "--version",
                PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert done.stdout.startswith("nda ")


def test_a_locale_without_letters_of_ours_is_no_error():
    done = call(NDA, "nonsense", LC_ALL="C", PYTHONUTF8="0")

    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_file_of_the_checkout_is_short():
    assert len(NDA.read_text().splitlines()) < 80
    assert os.access(NDA, os.X_OK)


@pytest.fixture
def bare(tools, tmp_path):
    """`./nda` of an ordinary user on a machine without Python."""
    text = NDA.read_text().replace("/usr/bin/python3", "/nowhere/python3")
    text = text.replace("PATH=/usr/bin", f"PATH={tools.folder}:/usr/bin")
    (tmp_path / "nda").write_text(text)
    tools.add("id", "#!/bin/sh\necho 1000\n")
    tools.add("sudo", "#!/bin/sh\nexit 1\n")
    tools.add(
        "apt-get",
        f"#!/bin/sh\necho apt-get >> {tools.folder}/calls\nexit 1\n",
    )
    return ["bash", tmp_path / "nda", "help"]


def test_without_python_a_user_whom_sudo_refuses_learns_what_to_run(
    bare, tools
):
    done = call(*bare)

    assert done.returncode == 1
    assert done.stderr == (
        "nda needs the Debian package python3, which is not installed.\n"
        "nda: Python is missing, and sudo did not let this user install it: "
        "run “apt-get install --no-install-recommends python3” as root, then "
        "this again.\n"
    )
    assert tools.calls() == []


def test_without_python_a_user_without_sudo_learns_what_to_run(bare, tools):
    path = Path(bare[1])
    path.write_text(path.read_text().replace("-v sudo", "-v no-such-sudo"))

    done = call(*bare)

    assert done.returncode == 1
    assert "run “su -c 'apt-get install python3'”" in done.stderr
    assert tools.calls() == []
