# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reference at the end of each element's page is that of the element."""

import importlib.util
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location(
    "reference", TOP / "docs" / "reference.py"
)
reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(reference)
reference.Gst.init(None)


@pytest.mark.parametrize("name", reference.SOURCES)
def test_the_reference_is_the_elements(name):
    if reference.Gst.ElementFactory.find(name) is None:
        pytest.skip(f"{name} is not built here")
    text = reference.page(name).read_text()
    assert text == reference.whole(name), (
        f"docs/{name}.md is old: run “./nda shell docs/reference.py”"
    )


def test_every_element_has_a_reference():
    plugins = [
        Path(path).stem for path in (TOP / "docs").glob("nda*.md")
    ]
    assert sorted(plugins) == sorted(reference.SOURCES)


def test_a_statistic_without_a_word_is_found(monkeypatch):
    whole = reference.section("ndasrc", "Statistics")
    monkeypatch.setattr(
        reference, "section", lambda *_: whole.replace("`rate`", "`pace`")
    )
    with pytest.raises(reference.Wrong, match="“rate” is not documented"):
        reference.reference("ndasrc")


def test_names_with_a_common_end_are_expanded():
    assert reference.expand(["avg-", "max-gil-wait"]) == [
        "avg-gil-wait",
        "max-gil-wait",
    ]


def names_in(blurb):
    """The fields that a blurb names; “avg- and max-latency” are two."""
    words = re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*-?", blurb)
    found, begins = set(), []
    for word in words:
        if word.endswith("-"):
            begins.append(word)
            continue
        found.add(word)
        if begins and "-" in word:
            found.update(reference.expand([*begins, word]))
            begins = []
    return found


@pytest.mark.parametrize("name", reference.SOURCES)
def test_the_blurb_of_stats_names_every_field(name):
    element = reference.Gst.ElementFactory.make(name)
    if element is None:
        pytest.skip(f"{name} is not built here")
    stats = element.get_property("stats")
    fields = map(stats.nth_field_name, range(stats.n_fields()))
    blurb = element.find_property("stats").blurb

    assert set(fields) - names_in(blurb) == set()


def test_a_field_that_a_blurb_lacks_is_found():
    named = names_in("num-blocks; avg-, p50- and max-call-time (ns)")

    assert {"num-blocks", "avg-call-time", "p50-call-time"} <= named
    assert "p99-call-time" not in named
