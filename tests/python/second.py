# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of API 2 have in common: plugins as short as they may be."""

import textwrap

import pytest

BLOCK = 512

# Notes what it is called with in the journal of the test.
NOTE = """
import json, os
def note(*what):
    with open(os.environ["NDA_TEST_JOURNAL"], "a") as journal:
        journal.write(json.dumps(what) + "\\n")
"""


@pytest.fixture
def write(tmp_path):
    """Writes a plugin file."""

    def write_text(text, name="second"):
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write_text


@pytest.fixture
def write_noting(write, journal):
    """Writes a plugin file that can note() what it is called with."""
    return lambda text, **names: write(NOTE + textwrap.dedent(text), **names)


@pytest.fixture
def make_source(make_line):
    """Lines that begin with a plugin and are read as fast as they go."""

    def make(plugin, caps="", **props):
        props.setdefault("is_live", False)
        return make_line(
            f"ndapysrc name=py ! {caps} appsink name=sink sync=false",
            plugin,
            **props,
        )

    return make
