# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda new-plugin: what it writes passes its own test."""

import os
import subprocess
import sys

import nda
import pytest

from nda.command.main import main
from nda.command.place import Place


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*words):
    return main(["new-plugin", *words], Place())


@pytest.mark.parametrize("words", [[], ["--class"]], ids=["function", "class"])
def test_its_own_test_passes(here, words):
    assert new("soft_gain", *words) == 0

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "test_soft_gain.py"],
        capture_output=True,
        text=True,
        env={**os.environ,
             "PYTHONPATH": os.path.dirname(os.path.dirname(nda.__file__))},
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_its_own_test_can_fail(here):
    new("soft_gain")
    plugin = here / "soft_gain.py"
    plugin.write_text(plugin.read_text().replace("*=", "+="))

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "test_soft_gain.py"],
        capture_output=True,
    )
    assert done.returncode == 1


def test_a_function_takes_few_lines(here):
    new("soft_gain")

    lines = (here / "soft_gain.py").read_text().splitlines()
    assert len([line for line in lines if line]) <= 5


@pytest.mark.parametrize("top", [None, "here"], ids=["installed", "checkout"])
def test_each_command_that_it_prints_finds_nda(
    here, capsys, monkeypatch, top
):
    monkeypatch.delenv("MESON_DEVENV", raising=False)
    main(["new-plugin", "soft_gain"], Place(top=here if top else None))

    shell = "./nda shell " if top else ""
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith(f"    {shell}gst-launch-1.0 ndasrc ! ")
    assert lines[-1].startswith(f"    {shell}/usr/bin/python3 -m pytest ")


def test_inside_the_shell_no_other_shell_is_named(here, capsys, monkeypatch):
    monkeypatch.setenv("MESON_DEVENV", "1")
    main(["new-plugin", "soft_gain"], Place(top=here))

    said = capsys.readouterr().out
    assert "    nda run ./soft_gain.py" in said
    assert "./nda" not in said


def test_a_missing_pytest_is_named_by_its_package(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest", None)

    new("soft_gain")

    assert "Debian package python3-pytest" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["soft_gain.py", "test_soft_gain.py"])
def test_nothing_is_overwritten(here, capsys, name):
    (here / name).write_text("mine")

    assert new("soft_gain") == 1

    assert f"“{name}” is there already" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == [name]
    assert (here / name).read_text() == "mine"


@pytest.mark.parametrize(
    "name, said",
    [
        ("soft-gain", "letters, digits and underscores"),
        ("2soft", "letters, digits and underscores"),
        ("class", "letters, digits and underscores"),
        ("wave", "Python has already"),
        ("numpy", "Python has already"),
    ],
)
def test_a_name_that_cannot_be_imported_is_refused(here, capsys, name, said):
    assert new(name) == 2

    assert said in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_the_name_of_the_file_is_a_name_as_well(here):
    assert new("soft_gain.py") == 0

    assert (here / "soft_gain.py").exists()
