# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which files the tests of style look at, and what is in them."""

import ast
import os
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SOURCES = (".c", ".h", ".py")


def list_tracked(top):
    """Names of the files that Git has; none where there is no Git."""
    # "safe.directory": the owner of a checkout may be another than we are
    command = ["git", "-c", "safe.directory=*", "ls-files", "-c", "-z"]
    try:
        listed = subprocess.run(
            command, cwd=top, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return []
    return [name for name in listed.stdout.split("\0") if name]


def list_all(top):
    """Names of all files in the folders of the sources.

    None of the sources is at the top itself: a plugin that somebody saved
    there, as README.md says, is not ours. Folders of builds are left out.
    """
    return [
        str(Path(folder, name).relative_to(top))
        for inside in top.iterdir()
        if inside.is_dir() and not re.match(r"\.|build", inside.name)
        for folder, folders, names in os.walk(inside)
        for name in names
        if "__pycache__" not in Path(folder).parts
    ]


def list_files(top=TOP):
    """Paths of the files to judge.

    Those that Git has: a file that somebody saved in the checkout is none of
    ours. Where there is no Git, as in an unpacked release, list_all () says.
    """
    names = list_tracked(top) or list_all(top)
    return sorted(
        path for path in (top / name for name in names) if path.is_file()
    )


FILES = list_files()
CODE = [path for path in FILES if path.suffix in SOURCES]
C_FILES = [path for path in CODE if path.suffix == ".c"]
C_CODE = [path for path in CODE if path.suffix in (".c", ".h")]
PYTHON = [path for path in CODE if path.suffix == ".py"]


def name_of(path, top=TOP):
    return str(path.relative_to(top))


def is_test(path):
    return path.relative_to(TOP).parts[0] == "tests"


def c_functions(text):
    """Name, first line and number of lines of each function.

    Counts from the line of the name to the closing brace. Relies on GNU
    indent's layout: the name, and the braces of a function, are at the left.
    """
    functions = []
    name = begin = None
    lines = text.split("\n")
    for i, line in enumerate(lines):
        named = re.match(r"(\w+) \(", line)
        if named:
            name, named_at = named.group(1), i
        elif line == "{" and name and lines[i - 1].endswith(")"):
            begin = named_at
        elif line == "}" and begin is not None:
            functions.append((name, begin + 1, i - begin + 1))
            name = begin = None
    return functions


def python_functions(text):
    """Name, first line and number of lines of each function."""
    return [
        (node.name, node.lineno, node.end_lineno - node.lineno + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def functions_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return python_functions(text)
    return c_functions(text)


def translated(text):
    """First line and text of each `_ (...)` in C."""
    calls = []
    for found in re.finditer(r"(?<!\w)_ ?\n? *\(", text):
        depth, i = 1, found.end()
        while depth and i < len(text):
            if text[i] == '"':
                i = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, i).end()
                continue
            depth += {"(": 1, ")": -1}.get(text[i], 0)
            i += 1
        line = text.count("\n", 0, found.start()) + 1
        calls.append((line, text[found.end() : i - 1]))
    return calls
