# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `nda` of an installed nda."""

from __future__ import annotations

import sys

USAGE = """\
nda check-plugin FILE [KEY=VALUE...]   which rules of the contract it keeps
nda plugins                            where the ready-made plugins are
nda help                               this"""


def main() -> int:
    command, *arguments = sys.argv[1:] or ["help"]
    if command == "check-plugin":
        from nda.check.command import main as check_plugin

        return check_plugin(arguments)
    if command == "plugins":
        import nda

        print(nda.plugins_path())
        return 0
    if command in ("help", "--help", "-h"):
        print(USAGE)
        return 0
    print(USAGE, file=sys.stderr)
    print(f"nda: there is no command “{command}”", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
