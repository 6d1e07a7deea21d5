# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A few of the random plugins of the soak, in either isolation."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import PATIENCE

SOAK = Path(__file__).parents[1] / "soak"
N_RUNS = {"thread": 40, "process": 4}


@pytest.mark.parametrize("isolation", N_RUNS)
def test_random_plugins_crash_and_hang_nothing(isolation):
    done = subprocess.run(
        [
            sys.executable,
            SOAK / "random_plugins.py",
            isolation,
            str(N_RUNS[isolation]),
        ],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
    )

    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert "NOT OK" not in done.stdout
