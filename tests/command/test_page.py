# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/command.md says what the command says."""

from pathlib import Path

import pytest

from nda.command import page, verbs

TOP = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_verbs_say():
    written = (TOP / "docs" / "command.md").read_text(encoding="utf-8")

    assert page.page() == written, "run ./nda help --page > docs/command.md"


@pytest.mark.parametrize("verb", verbs.present(), ids=lambda verb: verb.name)
def test_each_argument_is_described(verb):
    actions = page.actions_of(page.make_verb_parser(verb))

    assert [action.dest for action in actions if not action.help] == []


def test_each_module_of_a_verb_is_in_the_list():
    folder = Path(verbs.__file__).parent
    modules = {
        path.stem.replace("_", "-")
        for path in folder.glob("*.py")
        if not path.stem.startswith("_")
    }

    assert modules == {verb.name for verb in verbs.present()}
