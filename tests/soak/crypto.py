# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""crypto.py PROGRAM [SEQUENCES]: runs random sequences of all events that
ndaencrypt can meet, more than a test has time for. PROGRAM is sequences.c.
"""

import os
import re
import subprocess
import sys

SEQUENCES = 10000


def row(what, asked, found, good):
    print(f"{what:36} {asked:>14} {found:>14}  {'ok' if good else 'NOT OK'}")


def main():
    asked = int(sys.argv[2]) if len(sys.argv) > 2 else SEQUENCES
    run = subprocess.run(
        [sys.argv[1]],
        env={
            **os.environ,
            "NDA_TEST_SEQUENCES": str(asked),
            "CK_DEFAULT_TIMEOUT": "7200",
        },
        capture_output=True,
        text=True,
    )
    found = re.search(r"(\d+) sequences, (\d+) nonces", run.stdout)
    good = run.returncode == 0 and found is not None
    if not good:
        print(run.stdout, run.stderr, file=sys.stderr)
    row("crypto: sequences read back", asked, found[1] if found else "less",
        good)
    row("crypto: nonces, each used once", "all",
        found[2] if found else "less", good)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
