# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Python's garbage collector, in an interpreter that is ours."""

import subprocess
import sys
from pathlib import Path

from conftest import PATIENCE

HOST = Path(__file__).parents[2] / "ext" / "python" / "host"
SOURCE = "\n".join(
    (HOST / f"{name}.py").read_text()
    for name in ("ndapyembed", "ndapyload", "ndapytexts")
)

# One plugin plays all the time; others come and go beside it.
PROGRAM = """
import gc, os, weakref
os.environ["NDA_PYTHON_STDIO"] = "inherit"
log = calling = print
exec(compile(open("source.py").read(), "source.py", "exec"))

class Table:
    def __init__(self): self.itself = self

def come_and_go():
    table = Table()
    gone = weakref.ref(table)
    settle()
    assert gc.get_freeze_count() and not gc.isenabled()
    del table
    unsettle()
    return gone() is None

start(True, "/", "")
settle()
assert come_and_go()
n_frozen = gc.get_freeze_count()
assert all([come_and_go() for _ in range(50)])
assert abs(gc.get_freeze_count() - n_frozen) < 100, gc.get_freeze_count()
unsettle()
assert gc.isenabled() and not gc.get_freeze_count()

# Many come, and all go at once: not one look through everything for each.
n_looks = 0
unfreeze = gc.unfreeze
def look():
    global n_looks
    n_looks += 1
    unfreeze()
gc.unfreeze = look
for _ in range(64): settle()
assert n_looks == 0 and gc.get_freeze_count()
for _ in range(64): unsettle()
assert n_looks <= 16, n_looks
assert gc.isenabled() and not gc.get_freeze_count()
"""


def test_what_comes_and_goes_beside_a_plugin_is_freed(tmp_path):
    (tmp_path / "source.py").write_text(SOURCE)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert done.returncode == 0, done.stderr
