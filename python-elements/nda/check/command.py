# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda check-plugin FILE [KEY=VALUE...]: check all rules."""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import nda
from nda.command.place import Failure, Misuse

from .declarations import is_second

ISOLATIONS = ("thread", "process")
PATIENCE = 120  # seconds for one rule
# Not -m, which looks for modules in the current directory first
RUNNER = """import sys
if sys.path[:1] == [""]: del sys.path[0]
from nda.check.runner import main
main()"""
# A traceback that nda prints where the plugin prints
TOLD = re.compile(
    r"^.*\nTraceback .*:\n  File \"<ndapyembed>\"(?:.*\n)+?\n", re.M
)
MARKS = {"ok": "ok", "broken": "NO", "skipped": "-", "": "-"}
# What the process of a plugin has printed, in the GStreamer log
PRINTED = re.compile(r" ndapyoutput\.c:\d+:log_printed_line: ?(.*)$", re.M)


def parameters_text(words: list[str]) -> str:
    """Return KEY=VALUE words as the text of the elements' property."""
    quoted = []
    for word in words:
        key, _, value = word.partition("=")
        if "," in value or '"' in value:
            value = value.replace("\\", "\\\\").replace('"', '\\"')
            value = f'"{value}"'
        quoted.append(f"{key}={value}")
    return ",".join(quoted)


def environment(path: str, folder: Path) -> dict[str, str]:
    here = str(Path(nda.__file__).resolve().parents[1])
    paths = [here, os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "NDA_CHECK_PLUGIN": path,
        "NDA_CHECK_JOURNAL": str(folder / "journal"),
        "GST_DEBUG": "ndapython:4",
        "GST_DEBUG_FILE": str(folder / "log"),
        "GST_DEBUG_NO_COLOR": "1",
    }


class Run:
    """The rules in one isolation: their results, and the plugin's output."""

    def __init__(self, path: str, parameters: str, isolation: str) -> None:
        self.path = path
        self.parameters = parameters
        self.isolation = isolation
        self.results: list[tuple[str, str]] = []
        self.printed = ""

    def run(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.run_in(Path(folder))

    def run_in(self, folder: Path) -> None:
        output, log = folder / "output", folder / "log"
        for file in (folder / "journal", log):
            file.touch()
        read_end, write_end = os.pipe()
        arguments = [self.path, self.parameters, self.isolation]
        with open(output, "wb") as out, open(read_end, "rb") as report:
            process = subprocess.Popen(
                [sys.executable, "-c", RUNNER, *arguments]
                + [str(write_end)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=[write_end],
                env=environment(self.path, folder),
                start_new_session=True,
            )
            os.close(write_end)
            reason = self.read(report, process)
        texts = [
            file.read_text(encoding="utf-8", errors="replace")
            for file in (output, log)
        ]
        lines = PRINTED.findall(texts[1])
        self.printed = TOLD.sub("", texts[0]) + "\n".join(lines)
        if reason:
            self.results.append(("broken", reason))

    def read(self, report, process: subprocess.Popen) -> str:
        """Read the report of a run; return why the run did not reach its end.
        """
        is_begun, rest = False, b""
        while select.select([report], [], [], PATIENCE)[0]:
            data = os.read(report.fileno(), 65536)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in map(json.loads, lines):
                is_begun = "rule" in line
                if not is_begun:
                    self.results.append((line["result"], line["text"]))
        else:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"nothing happened for {PATIENCE} s"
        status = process.wait()
        if status < 0:
            name = signal.Signals(-status).name
            return f"it took the program down: {name}"
        if status or is_begun:
            return f"it ended the program, with status {status}"
        return ""


def print_table(rules: list, runs: list[Run]) -> None:
    print(f"{'rule':7}{'':52}" + "".join(f"{r.isolation:>9}" for r in runs))
    for n, rule in enumerate(rules):
        marks = [MARKS[result_of(run, n)[0]] for run in runs]
        if any(result_of(run, n) != ("skipped", "") for run in runs):
            print(f"{rule.number:7}{rule.text:52}"
                  + "".join(f"{mark:>9}" for mark in marks))


def result_of(run: Run, n: int) -> tuple[str, str]:
    if n < len(run.results):
        return run.results[n]
    return ("skipped", "the program had ended")


def print_texts(rules: list, runs: list[Run]) -> None:
    """Print the texts of each rule, once if both isolations have the same."""
    for n, rule in enumerate(rules):
        said: dict[tuple[str, str], list[str]] = {}
        for run in runs:
            result, text = result_of(run, n)
            if text and result != "skipped":
                said.setdefault((result, text), []).append(run.isolation)
        for (result, text), where in said.items():
            mark = "NO" if result == "broken" else "ok"
            number = f"{rule.number}, " if rule.number else ""
            print(f"\n{mark}  {number}{rule.text} ({', '.join(where)}):")
            print("    " + "\n    ".join(text.strip().splitlines()))


def print_summary(rules: list, runs: list[Run]) -> int:
    results = [
        {result_of(run, n)[0] for run in runs} for n in range(len(rules))
    ]
    n_broken = sum("broken" in result for result in results)
    n_good = sum("ok" in r and "broken" not in r for r in results)
    print()
    if not n_broken:
        print(f"All {n_good} rules that were looked at hold.")
        return 0
    is_needed = any(
        rule.is_needed and "broken" in result
        for rule, result in zip(rules, results)
    )
    if is_needed:
        printed = runs[0].printed.strip() or runs[-1].printed.strip()
        if printed:
            print("It printed:\n")
            print("    " + "\n    ".join(printed.splitlines()[-20:]) + "\n")
        print("More can be looked at when that is mended. If it needs "
              "parameters, name them:\n"
              "nda check-plugin FILE KEY=VALUE...\n")
    verb = "does" if n_broken == 1 else "do"
    good = "1 rule holds" if n_good == 1 else f"{n_good} rules hold"
    print(f"{good}, {n_broken} {verb} not. What they ask for: "
          + ("docs/plugins.md." if is_second(runs[0].path)
             else "docs/plugins-api1.md."))
    return 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the plugin, a .py file")
    parser.add_argument(
        "parameters",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="parameters that the plugin needs",
    )
    parser.add_argument(
        "--isolation",
        choices=ISOLATIONS,
        action="append",
        help="check only this isolation, instead of both",
    )


def run(args: argparse.Namespace) -> int:
    path = os.path.abspath(args.file)
    if os.path.isdir(path):
        raise Misuse(
            f"“{args.file}” is a folder: name a plugin's file in it."
        )
    if not os.path.isfile(path):
        raise Misuse(f"there is no file “{args.file}”.")
    for word in args.parameters:
        if "=" not in word:
            raise Misuse(f"“{word}” is not of the form KEY=VALUE.")

    try:
        if is_second(path):
            from .second import RULES
        else:
            from .rules import RULES
    except (ImportError, ValueError) as error:
        raise Failure(
            f"check-plugin needs GStreamer's Python bindings (on Debian "
            f"python3-gi and gir1.2-gst-plugins-base-1.0): {error}"
        ) from error
    parameters = parameters_text(args.parameters)
    isolations = args.isolation or ISOLATIONS
    runs = [Run(path, parameters, isolation) for isolation in isolations]
    for one in runs:  # not at once: there may be only one of its device
        one.run()
    print_table(RULES, runs)
    print_texts(RULES, runs)
    return print_summary(RULES, runs)
