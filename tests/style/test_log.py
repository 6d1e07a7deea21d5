# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is logged has a category of ours, not GStreamer's `default`."""

import re

from sources import FILES, name_of

LEVELS = "ERROR|WARNING|INFO|DEBUG|LOG|TRACE|MEMDUMP"
LOGS = re.compile(
    rf"^\s*(?:if .*)?\bGST_(?:{LEVELS})(?:_OBJECT|_ID)? \(", re.M
)
DEFINES = re.compile(r"^#define GST_CAT_DEFAULT\b", re.M)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def read_plugins():
    """The text of each source and header of the plugins, by its path."""
    return {
        path: path.read_text(encoding="utf-8")
        for path in FILES
        if path.suffix in (".c", ".h")
        and name_of(path).startswith(("gst/", "ext/"))
    }


def has_category(text, headers):
    """Whether `text` or a header that it includes defines the category."""
    todo, done = [text], set()
    while todo:
        text = todo.pop()
        if DEFINES.search(text):
            return True
        names = set(INCLUDE.findall(text)) - done
        done |= names
        todo += [headers[name] for name in names if name in headers]
    return False


def find_without_category(sources):
    """Paths of sources that log in GStreamer's own category."""
    headers = {path.name: text for path, text in sources.items()}
    return [
        path
        for path, text in sources.items()
        if LOGS.search(text) and not has_category(text, headers)
    ]


def test_what_is_logged_has_a_category_of_ours():
    sources = read_plugins()

    assert sum(bool(LOGS.search(text)) for text in sources.values()) > 20
    assert [name_of(path) for path in find_without_category(sources)] == []


def test_a_log_without_a_category_is_found(tmp_path):
    log = '{\n  GST_INFO_OBJECT (self, "here");\n}\n'
    category = "#define GST_CAT_DEFAULT some_debug\n"
    sources = {
        tmp_path / "without.c": log,
        tmp_path / "own.c": category + log,
        tmp_path / "included.c": '#include "outer.h"\n' + log,
        tmp_path / "outer.h": '#include "inner.h"\n',
        tmp_path / "inner.h": category,
        tmp_path / "silent.c": "int n;\n",
    }

    assert find_without_category(sources) == [tmp_path / "without.c"]
