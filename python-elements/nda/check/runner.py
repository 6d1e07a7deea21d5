# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the rules in one isolation, in a program that a plugin may crash.

    python3 -m nda.check.runner FILE PARAMETERS ISOLATION DESCRIPTOR

Each rule writes two lines of JSON to DESCRIPTOR: its beginning, and its
result.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

from .declarations import is_second
from .trial import Broken, Gst, Skip, Trial


def begin(path: str, parameters: str, isolation: str) -> tuple[Trial, list]:
    """Return a trial of a plugin of either API, and the rules for it."""
    if is_second(path):
        from .second import RULES, SecondTrial

        return SecondTrial(path, parameters, isolation), RULES
    from .rules import RULES

    return Trial(path, parameters, isolation), RULES


def look_at(rule, trial: Trial) -> tuple[str, str]:
    """Return "ok", "broken" or "skipped", and a text."""
    if trial.role not in rule.roles:
        return "skipped", ""
    try:
        return "ok", rule.check(trial) or ""
    except Broken as broken:
        return "broken", str(broken)
    except Skip as skip:
        return "skipped", str(skip)
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
        return "broken", f"check-plugin itself failed, please report: {reason}"


def main() -> None:
    path, parameters, isolation, descriptor = sys.argv[1:]
    report = open(int(descriptor), "w", encoding="utf-8")
    Gst.init(None)
    trial, rules = begin(path, parameters, isolation)
    is_usable = True
    for n, rule in enumerate(rules):
        print(json.dumps({"rule": n}), file=report, flush=True)
        result, text = "skipped", "one above does not hold"
        if is_usable:
            result, text = look_at(rule, trial)
        is_usable &= not (rule.is_needed and result == "broken")
        is_usable &= not trial.is_stuck
        print(
            json.dumps({"result": result, "text": text}),
            file=report,
            flush=True,
        )
    # A stuck plugin would keep the interpreter from ending.
    report.close()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
