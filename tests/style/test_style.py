# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the sources look: what a reviewer would otherwise have to say."""

import os
import re
import shutil
import subprocess

import pytest
from sources import (
    C_FILES,
    CODE,
    TOP,
    c_functions,
    functions_of,
    is_test,
    list_files,
    name_of,
    python_functions,
)

# GStreamer's own formatter is a fork of this version; it needs two passes.
INDENT = """
--braces-on-if-line --case-brace-indentation0 --case-indentation2
--braces-after-struct-decl-line --cuddle-else --line-length80 --no-tabs
--tab-size8 --indent-level2 --continuation-indentation4
--dont-line-up-parentheses --honour-newlines --leave-preprocessor-space
""".split()
MAX_COLUMNS = {".c": 80, ".h": 80, ".py": 79}
MAX_LINES = 500
MAX_LINES_OF_A_TEST = 630
MAX_LINES_OF_A_FUNCTION = 60


def test_there_is_something_to_look_at():
    assert len(C_FILES) > 20


def test_what_somebody_saved_in_the_checkout_is_not_judged(tmp_path):
    if not shutil.which("git"):
        pytest.skip("Git is not installed")
    (tmp_path / "ours.py").write_text("")
    (tmp_path / "halve.py").write_text("")
    for command in ("init -q", "add ours.py"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)

    assert [path.name for path in list_files(tmp_path)] == ["ours.py"]


def test_without_git_the_folders_of_sources_are_judged(tmp_path):
    for name in ("build/made.py", "build-install/made.py", "halve.py",
                 ".git/hook.py", "sources/more/ours.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    assert [path.name for path in list_files(tmp_path)] == ["ours.py"]


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_source_is_licensed_and_tidy(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    words = "|".join(("FIX" + "ME", "TO" + "DO", "X" * 3))

    assert any("Copyright (C)" in line for line in lines[:4]) or not any(lines)
    assert any("LGPL-2.1-or-later" in line for line in lines[:4]) or (
        not any(lines)
    )
    assert [line for line in lines if line != line.rstrip()] == []
    assert [line for line in lines if re.search(rf"\b({words})\b", line)] == []


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_no_line_is_too_wide(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    limit = MAX_COLUMNS[path.suffix]

    assert [
        f"{name_of(path)}:{number}: {len(line)} columns, at most {limit}"
        for number, line in enumerate(lines, 1)
        if len(line) > limit
    ] == []


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_file_and_its_functions_are_short(path):
    n_lines = path.read_text(encoding="utf-8").count("\n")

    assert n_lines <= (MAX_LINES_OF_A_TEST if is_test(path) else MAX_LINES)
    assert [
        f"{name_of(path)}:{line}: {name} has {length} lines"
        for name, line, length in functions_of(path)
        if length > MAX_LINES_OF_A_FUNCTION
    ] == []


def test_functions_are_found_and_counted_in_c():
    text = """
struct _Foo
{
  int a;
};

static void
foo_bar (Foo * self,
    int n)
{
  if (n) {
    self->a = n;
  }
}

int
foo_baz (void)
{
  return 1;
}
"""

    assert c_functions(text) == [("foo_bar", 8, 7), ("foo_baz", 17, 4)]


def test_functions_are_found_and_counted_in_python():
    text = "class A:\n    def b(self):\n        c()\n\n\ndef d(): pass\n"

    assert sorted(python_functions(text)) == [("b", 2, 2), ("d", 6, 1)]


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


@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_no_function_is_glued_to_a_macro(path):
    """Behind a macro that ends without a semicolon, indent loses its way."""
    lines = path.read_text(encoding="utf-8").split("\n")

    assert [
        f"{name_of(path)}:{number}: {line.strip()}"
        for number, line in enumerate(lines, 1)
        if re.match(r" +static [\w ]+\**\w+ \(", line)
    ] == []


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
