# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda demo: its lines are its own."""

import os
import sys

from nda.command.verbs import demo

PROGRAM = """
import sys
sys.stderr.write('''ALSA lib pcm.c:2664: Unknown PCM default
AL lib: (EE) Failed to connect
jack server is not running or cannot be started
Cannot connect to server socket err = No such file or directory
There are no voices: install alsa-utils
''')
sys.exit(3)
"""


def test_lines_of_libraries_are_left_out(capfdbinary):
    status = demo.run_quietly(
        [sys.executable, "-c", PROGRAM], dict(os.environ)
    )

    assert status == 3
    assert capfdbinary.readouterr().err == (
        b"There are no voices: install alsa-utils\n"
    )
