# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda test: which tests are run, and how they are counted."""

import json
import os
import subprocess
import sys

import pytest

from nda.command.checkout import testrun
from nda.command.checkout.build import Build
from nda.command.place import Failure

MESON = """#!/usr/bin/python3 -I
import json, pathlib, sys

words = sys.argv[1:]
folder = pathlib.Path(__file__).parent
if "--list" in words:
    print("nda:check / regroup", "nda:python / test_wav", "nda:style / style",
          "ninja: no work to do.", sep="\\n")
    sys.exit()
with open(folder / "calls", "a") as calls:
    print("meson", *words, file=calls)
base = words[words.index("--logbase") + 1]
if "--wrapper" in words:
    base += "-" + words[words.index("--wrapper") + 1].split()[0]
results = json.loads((folder / "results").read_text())
if results:
    log = pathlib.Path(words[2], "meson-logs", base + ".json")
    said = folder / "said"
    stdout = said.read_text() if said.exists() else ""
    log.write_text("".join(
        json.dumps({"name": "x", "result": result, "stdout": stdout}) + "\\n"
        for result in results))
sys.exit(int("FAIL" in results))
"""


@pytest.fixture
def build(tmp_path, tools):
    tools.add("meson", MESON)
    (tmp_path / "build" / "meson-logs").mkdir(parents=True)
    return Build(tmp_path)


def results(tools, *words):
    (tools.folder / "results").write_text(json.dumps(words))


@pytest.mark.parametrize(
    "words, status, said",
    [
        (["OK", "SKIP", "EXPECTEDFAIL"], 0, "2 passed, 0 failed, 1 skipped"),
        (["OK", "FAIL", "TIMEOUT"], 1, "1 passed, 2 failed, 0 skipped"),
        (["SKIP"], 0, "0 passed, 0 failed, 1 skipped"),
    ],
)
@pytest.mark.parametrize("wrapper", [[], ["env", "A=b"]])
def test_results_are_counted(
    build, tools, capfd, words, status, said, wrapper
):
    results(tools, *words)

    assert testrun.run(build, [], wrapper) == status
    assert said + "\n" in capfd.readouterr().out


@pytest.mark.parametrize(
    "names, chosen",
    [
        (["wav"], "test_wav"),
        (["nda:style", "style"], "style"),
        (["nda:"], "regroup test_wav style"),
    ],
)
def test_tests_are_chosen_by_a_part_of_their_name(
    build, tools, names, chosen
):
    results(tools, "OK")

    testrun.run(build, names, [])

    assert tools.calls()[0].endswith(chosen)


def test_a_name_that_no_test_has_lists_all(build, capfd):
    with pytest.raises(Failure, match="no test or suite has “wave”"):
        testrun.run(build, ["wave"], [])

    assert "nda:python / test_wav" in capfd.readouterr().err


def test_no_test_at_all_is_a_failure(build, tools):
    results(tools)

    with pytest.raises(Failure, match="no test was run"):
        testrun.run(build, [], [])


def test_logs_of_runs_that_ended_go_and_those_of_others_stay(build, tools):
    logs = build.folder / "meson-logs"
    dead, alive = f"testlog-{2**22 + 1}.json", "testlog-1-env.json"
    for name in (dead, alive):
        (logs / name).touch()
    results(tools, "OK")

    testrun.run(build, [], [])

    names = {path.name for path in logs.iterdir()}
    assert "testlog.json" in names
    assert alive in names and dead not in names


def say(tools, text):
    """What each test is to have printed."""
    (tools.folder / "said").write_text(text)


def test_cases_that_were_skipped_inside_a_test_are_counted(
    build, tools, capfd
):
    results(tools, "OK", "OK")
    say(tools, "SKIPPED [3] ../tests/a.py:12: there is no PipeWire: a, b\n"
        "SKIPPED [1] ../tests/b.py: this kernel has no Landlock\n"
        "2 passed, 4 skipped in 0.1s\n")

    assert testrun.run(build, [], []) == 0
    assert capfd.readouterr().out == (
        "2 passed, 0 failed, 0 skipped\n"
        "Inside the tests that were run, 8 cases were skipped:\n"
        "     6  there is no PipeWire: a, b\n"
        "     2  this kernel has no Landlock\n"
    )


def test_a_time_limit_names_what_was_running(build, tools, capfd):
    results(tools, "TIMEOUT")
    say(tools, "tests/a.py::test_one PASSED  [50%]\ntests/a.py::test_two \n")

    testrun.run(build, [], [])

    said = capfd.readouterr().out
    assert "x: its time limit passed in “tests/a.py::test_two”" in said
    assert "The load of this machine is " in said


def test_pytest_says_what_it_runs_and_why_it_skips(build):
    """The real pytest, so that what is read is what it prints."""
    file = build.folder / "test_it.py"
    file.write_text("import pytest\ndef test_a(): pytest.skip('no: card')\n")

    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         file],
        env={**os.environ, "PYTEST_ADDOPTS": testrun.PYTEST},
        capture_output=True,
        text=True,
    ).stdout

    assert "test_it.py::test_a SKIPPED" in said
    assert testrun.skips_in([{"stdout": said}]) == {"no: card": 1}


def test_a_benchmark_that_is_not_there_is_named(build, tools):
    testrun.check_benchmarks(build, ["regroup", "style"])

    with pytest.raises(Failure, match="no benchmark “odd”.*regroup, test_wav"):
        testrun.check_benchmarks(build, ["regroup", "odd"])
