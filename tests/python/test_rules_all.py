# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every numbered rule of the plugin contract has a test that bears its number.

How a plugin is hosted is tested in each isolation; what the interpreter of
the program does, and what modules it offers, is not a question of isolation.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WHERE = {"thread", "process", "group"}
OF_THE_PROGRAM = {"1.1", "1.2", "1.3", "1.4", "1.5"}
OF_THE_MODULES = {"2.1", "2.2", "2.4", "2.5", "2.6"}
RULES = """
1.1 1.2 1.3 1.4 1.5 2.1 2.2 2.3 2.4 2.5 2.6 2.7 3.1 3.2 3.3 3.4 3.5 3.6 3.7
3.8 3.9 4.1 4.2 4.3 4.4 4.5 4.6 5.1 5.2 5.3 5.4 5.5 5.6 5.7 6.1.1 6.1.2 6.1.3
6.1.4 6.1.5 6.1.6 6.1.7 6.2 6.2.1 6.2.2 6.2.3 6.2.4 6.3 7.1 7.2 7.3 7.4 7.5
7.6 8.1 8.2 9.1 9.2 9.3 9.4 9.5 10.1 10.2 10.3 11.1 11.2 12.1 12.2
""".split()


def rules_of(numbers):
    """4_2 is one rule, 6_1_3 another, 7_5_8_1 two."""
    if len(numbers) < 4:
        return [".".join(numbers)]
    return [".".join(numbers[:2]), ".".join(numbers[2:])]


@pytest.fixture(scope="module")
def tested():
    """Of each rule: in which isolations it is tested, "" for neither."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "--collect-only", *HERE.glob("test_*.py")],
        # `nda test` has options in it that change what is printed
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    found = {}
    for line in listed.splitlines():
        test = re.search(r"::test_((?:\d+_)+)[^\[]*(?:\[(.*)\])?$", line)
        if not test:
            continue
        where = set((test[2] or "").split("-")) & WHERE
        for rule in rules_of(test[1].strip("_").split("_")):
            found.setdefault(rule, set()).update(where or {""})
    return found


@pytest.mark.parametrize("rule", RULES)
def test_rule_is_tested(tested, rule):
    if rule in OF_THE_PROGRAM | OF_THE_MODULES:
        assert rule in tested
    else:
        assert WHERE <= tested[rule]
