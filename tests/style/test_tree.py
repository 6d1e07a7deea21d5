# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The map in README.md shows the house as it is."""

import re

from sources import FILES, TOP, name_of

def read_tree():
    """The rows of the README's table of the tree."""
    text = (TOP / "README.md").read_text(encoding="utf-8")
    table = re.search(r"^## The tree\n(.*?)^## ", text, re.M | re.S).group(1)
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.split("\n")
        if line.startswith("| `") or line.startswith("| [")
    ]


def test_what_the_tree_in_the_readme_names_exists():
    rows = read_tree()
    named = [
        name
        for row in rows
        for name in re.findall(r"`([\w./-]+)`", row[0])
        + re.findall(r"\]\(([\w./-]+)\)", " ".join(row))
    ]

    assert len(named) > 20
    assert [name for name in named if not (TOP / name).exists()] == []


def test_the_tree_in_the_readme_names_every_room():
    named = re.findall("`(.*?)`", " ".join(row[0] for row in read_tree()))
    rooms = {
        name_of(path.parent)
        for path in FILES
        if path.suffix == ".c" and name_of(path).startswith(("gst/", "ext/"))
    }

    def is_named(room):
        return any(f"{room}/".startswith(f"{name}/") for name in named)

    assert [room for room in sorted(rooms) if not is_named(room)] == []


def test_the_tree_in_the_readme_names_every_page():
    pages = {
        name_of(path)
        for path in FILES
        if path.suffix == ".md" and path.parent in (TOP, TOP / "docs")
    } - {"README.md"}
    table = " ".join(" ".join(row) for row in read_tree())

    assert sorted(page for page in pages if f"({page})" not in table) == []
