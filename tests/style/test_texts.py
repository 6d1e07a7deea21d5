# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What translators get to see: every text for a person, whole."""

import ast
import re

import pytest
from sources import (
    C_CODE,
    C_FILES,
    PYTHON,
    TOP,
    is_test,
    name_of,
    translated,
)

ELEMENTS = [
    path
    for path in PYTHON
    if path.parent == TOP / "python-elements" / "python"
]


def is_translated(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".c":
        return "gi18n-lib.h" in text and re.search(r"[^\w]N?_ ?\(", text)
    return bool(re.search(r"(?<!\w)_\(\s*[\"']", text)) and (
        "gettext.translation" in text
    )


def test_potfiles_lists_every_source_with_translated_text():
    listed = (TOP / "po" / "POTFILES").read_text().split()
    used = [
        name_of(path)
        for path in C_FILES + PYTHON
        if is_translated(path) and not is_test(path)
    ]

    assert sorted(listed) == sorted(used)


@pytest.mark.parametrize("path", C_CODE, ids=name_of)
def test_xgettext_finds_the_whole_of_each_text(path):
    """A text with a macro in it would be cut off there."""
    text = path.read_text(encoding="utf-8")

    assert [
        f"{name_of(path)}:{line}: {call} is no whole text; build the number "
        "first, and put it in with %s"
        for line, call in translated(text)
        if re.search(r"\bG(ST)?_\w+_(FORMAT|MODIFIER)\b|\bPRI\w+\b", call)
    ] == []


@pytest.mark.parametrize("path", C_CODE, ids=name_of)
def test_no_underscore_stands_alone_on_a_line(path):
    lines = path.read_text(encoding="utf-8").split("\n")

    assert [
        f"{name_of(path)}:{number}: name the text before, on a line of its own"
        for number, line in enumerate(lines, 1)
        if re.search(r"(^|[\s(])_$", line)
    ] == []


def test_a_cut_text_and_a_whole_one_are_told_apart():
    text = 'f (_\n      ("a %" G_SIZE_FORMAT " (b"), n);\ng (_("c %s)"), d);\n'

    assert translated(text) == [
        (1, '"a %" G_SIZE_FORMAT " (b"'),
        (3, '"c %s)"'),
    ]


def is_whole_text(node):
    """Whether `node` is `_("...")`, perhaps with `.format (...)` behind it."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value if node.func.attr == "format" else None
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "_"
        and isinstance(node.args[0], ast.Constant)
    )


@pytest.mark.parametrize("path", ELEMENTS, ids=name_of)
def test_errors_of_elements_in_python_are_translated(path):
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_fail"
    ]

    assert calls
    assert [
        f"{name_of(path)}:{call.lineno}: the text for the person is no _(...)"
        for call in calls
        if not is_whole_text(call.args[2])
    ] == []
