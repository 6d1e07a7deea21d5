# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tests of a build, and counts the results."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from . import meson
from ..place import Failure
from .build import Build, plain_environment

PASSED = {"OK", "EXPECTEDFAIL"}
# One line for each reason, as “pytest -rs” prints it
SKIPPED = re.compile(r"^SKIPPED \[(\d+)\] \S+: (.*)$", re.M)
# A line for each test before it begins, and the reasons of skips
PYTEST = "-rs -vv"
FAILED = {"FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"}


def list_tests(build: Build, *options: str) -> list[str]:
    """Lines “nda:suite / name”, or “name”."""
    listed = subprocess.run(
        meson.command("test", "-C", str(build.folder), "--list", *options),
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout.splitlines()
    return [line for line in listed if not line.startswith("ninja: ")]


def tests_named(names: list[str], tests: list[str]) -> list[str]:
    """Return the full names, as `meson test` takes them."""
    found: dict[str, None] = {}
    for name in names:
        lines = [line for line in tests if name in line]
        if not lines:
            print("\n".join(tests), file=sys.stderr)
            raise Failure(
                f"no test or suite has “{name}” in its name; those above are "
                "all there are."
            )
        found.update((re.sub(".* / ", "", line), None) for line in lines)
    return list(found)


def check_benchmarks(build: Build, names: list[str]) -> None:
    """Fail if there is no benchmark of one of these names."""
    there = [
        re.sub(".* / ", "", line)
        for line in list_tests(build, "--benchmark")
    ]
    for name in names:
        if name not in there:
            raise Failure(
                f"there is no benchmark “{name}”. These are: "
                f"{', '.join(there) or 'none'}."
            )


def entries_of(log: Path) -> list[dict]:
    """What Meson's log says of each test."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def skips_in(entries: list[dict]) -> Counter:
    """How often each reason stands in what pytest printed of its skips."""
    reasons: Counter = Counter()
    for entry in entries:
        for n, reason in SKIPPED.findall(entry.get("stdout", "")):
            reasons[reason] += int(n)
    return reasons


def print_skips(reasons: Counter) -> None:
    if not reasons:
        return
    n_cases = sum(reasons.values())
    cases = "1 case was" if n_cases == 1 else f"{n_cases} cases were"
    print(f"Inside the tests that were run, {cases} skipped:")
    for reason, n in reasons.most_common():
        print(f"{n:6}  {reason}")


def print_late(entries: list[dict]) -> None:
    """What each test was at when its time limit passed."""
    late = [entry for entry in entries if entry["result"] == "TIMEOUT"]
    for entry in late:
        lines = entry.get("stdout", "").split("\n")
        last = next((x.strip() for x in reversed(lines) if x.strip()), "")
        print(f"{entry['name']}: its time limit passed"
              + (f" in “{last}”" if last else ""))
    if late:
        print(f"The load of this machine is {os.getloadavg()[1]:.0f}, of "
              f"{os.cpu_count()} processors. Where it is busy, run these "
              "again when it is not.")


def is_running(name: str) -> bool:
    """Return whether the run with the logs `name` still goes on."""
    return os.path.exists(f"/proc/{name.split('-')[1]}")


def keep_as_last(build: Build, base: str) -> Path | None:
    """Copy the logs of a run to those of the last; return the JSON one.

    The logs of earlier runs go.
    """
    logs = build.folder / "meson-logs"
    for path in logs.glob("testlog-[0-9]*"):
        if not is_running(re.split(r"[.]", path.name)[0]):
            path.unlink(missing_ok=True)
    # Meson adds the name of the wrapper to the name of the log.
    for path in sorted(logs.glob(f"{base}*")):
        shutil.copyfile(path, logs / f"testlog{path.suffix}")
    last = logs / "testlog.json"
    return last if last.is_file() else None


def run(build: Build, names: list[str], wrapper: list[str]) -> int:
    """`meson test`, each program below `wrapper`."""
    chosen = tests_named(names, list_tests(build)) if names else []
    # Two runs at once keep logs of their own.
    base = f"testlog-{os.getpid()}"
    command = meson.command("test", "-C", str(build.folder), "--no-rebuild",
                            "--print-errorlogs", "--logbase", base)
    # More processes than processors, since many tests wait.
    command += ["--num-processes", str((os.cpu_count() or 1) + 1)]
    if wrapper:
        command += ["-t", "4", "--wrapper", " ".join(wrapper)]
    (build.folder / "meson-logs" / "testlog.json").unlink(missing_ok=True)
    sys.stdout.flush()
    env = plain_environment()
    env["PYTEST_ADDOPTS"] = f"{PYTEST} {env.get('PYTEST_ADDOPTS', '')}"
    status = meson.attend(command + chosen, env)
    log = keep_as_last(build, base)
    if not log:
        raise Failure(
            f"no test was run; if this build has none, remove "
            f"{build.folder.name}/ and run this again."
        )
    entries = entries_of(log)
    results = Counter(entry["result"] for entry in entries)
    print_late(entries)
    passed = sum(results[name] for name in PASSED)
    failed = sum(results[name] for name in FAILED)
    skipped = results["SKIP"]
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    print_skips(skips_in(entries))
    sys.stdout.flush()
    return status or (0 if passed + skipped else 1)
