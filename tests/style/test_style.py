# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the sources look: what a reviewer would otherwise have to say."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SOURCES = (".c", ".h", ".py")
# GStreamer's own formatter is a fork of this version; it needs two passes.
INDENT = """
--braces-on-if-line --case-brace-indentation0 --case-indentation2
--braces-after-struct-decl-line --cuddle-else --line-length80 --no-tabs
--tab-size8 --indent-level2 --continuation-indentation4
--dont-line-up-parentheses --honour-newlines --leave-preprocessor-space
""".split()


def list_files():
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=TOP,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        paths = [TOP / name for name in listed]
    except (OSError, subprocess.CalledProcessError):
        paths = [
            Path(folder, name)
            for folder, folders, names in os.walk(TOP)
            for name in names
            if not {"build", ".git"} & set(Path(folder).parts)
        ]
    return sorted(path for path in paths if path.is_file())


FILES = list_files()
CODE = [path for path in FILES if path.suffix in SOURCES]
C_FILES = [path for path in CODE if path.suffix == ".c"]


def name_of(path):
    return str(path.relative_to(TOP))


def test_there_is_something_to_look_at():
    assert len(C_FILES) > 20


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_source_is_licensed_tidy_and_short(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    words = "|".join(("FIX" + "ME", "TO" + "DO", "X" * 3))

    assert any("Copyright (C)" in line for line in lines[:4]) or not any(lines)
    assert any("LGPL-2.1-or-later" in line for line in lines[:4]) or (
        not any(lines)
    )
    assert [line for line in lines if line != line.rstrip()] == []
    assert [line for line in lines if re.search(rf"\b({words})\b", line)] == []
    assert len(lines) <= 630


def test_potfiles_lists_every_source_with_translated_text():
    listed = (TOP / "po" / "POTFILES").read_text().split()
    used = [
        name_of(path)
        for path in C_FILES
        if re.search(r"[^\w]N?_ ?\(", path.read_text())
        and "gi18n-lib.h" in path.read_text()
    ]

    assert sorted(listed) == used


@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_c_is_laid_out_as_gstreamer_s(path, tmp_path):
    indent = shutil.which("indent")
    if not indent:
        pytest.skip("GNU indent is not installed")
    version = subprocess.run(
        [indent, "--version"], capture_output=True, text=True
    ).stdout
    if "2.2.12" not in version:
        pytest.skip(f"this is {version.strip()}, not 2.2.12")
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    for _ in range(2):
        subprocess.run(
            [indent, *INDENT, copy],
            check=True,
            env={**os.environ, "VERSION_CONTROL": "none", "LC_ALL": "C"},
        )

    assert copy.read_text() == path.read_text()


def test_every_file_of_the_python_package_is_installed():
    package = TOP / "python-elements"
    listed = (package / "meson.build").read_text()
    files = [
        path
        for path in CODE
        if path.suffix == ".py" and package in path.parents
    ]

    assert [
        name_of(path)
        for path in files
        if f"'{path.relative_to(package)}'" not in listed
    ] == []
