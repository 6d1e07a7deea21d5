# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `nda` of an installed nda."""

from __future__ import annotations

import argparse
import importlib
import sys

USAGE = """\
nda check-plugin FILE [KEY=VALUE...]   which rules of the contract it keeps
nda install FILE...                    plugins become elements of their own
nda uninstall NAME...                  and are none any more
nda plugins                            all plugins, and what they are
nda help                               this"""


def run_verb(verb: str, arguments: list[str]) -> int:
    module = importlib.import_module(f"nda.command.verbs.{verb}")
    parser = argparse.ArgumentParser(
        prog=f"nda {verb}",
        epilog=getattr(module, "EPILOG", None),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


def main() -> int:
    command, *arguments = sys.argv[1:] or ["help"]
    if command == "check-plugin":
        from nda.check.command import main as check_plugin

        return check_plugin(arguments)
    if command in ("install", "uninstall", "plugins"):
        return run_verb(command, arguments)
    if command in ("help", "--help", "-h"):
        print(USAGE)
        return 0
    print(USAGE, file=sys.stderr)
    print(f"nda: there is no command “{command}”", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
