# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The end of an application's Python while a plugin is in a call.

The plugin waits for a pipe, which ends when Python destroys what the
application has left, after all atexit handlers. The call then goes on in an
interpreter that is gone.
"""

import os
import subprocess
import sys

import pytest

from processes import PATIENCE

# Ends while a thread of its own waits for the plugin's method
PROGRAM = """
import os, sys, threading
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
plugin, pipe, method = sys.argv[1:]
pipeline = Gst.parse_launch(
    "audiotestsrc samplesperbuffer=512 num-buffers=2 ! "
    f"ndapybridge name=py plugin={plugin} ! fakesink"
)
bridge = pipeline.get_by_name("py")
state = Gst.State.PLAYING
if method in ("set_parameter", "stop", "shutdown"):
    pipeline.set_state(state)
    pipeline.get_state(Gst.CLOCK_TIME_NONE)
    state = Gst.State.NULL
def call():
    if method == "set_parameter":
        bridge.emit("set-parameter", "a", "b")
    else:
        pipeline.set_state(state)
caller = threading.Thread(target=call, daemon=True)
caller.start()
sys.modules["left"] = open(pipe, "w")  # waits until the plugin waits
print("ENDS", flush=True)
"""

WAITS = """
def wait(self=None, *args):
    with open(PIPE) as pipe:
        pipe.read()
    return True
if METHOD == "module":
    wait()
else:
    setattr(Plugin, METHOD, wait)
"""


@pytest.mark.parametrize(
    "method",
    [
        "module",
        "initialize",
        "start",
        "process_audio",
        "set_parameter",
        "stop",
        "shutdown",
    ],
)
def test_python_ends_while_a_plugin_is_in_a_call(
    write_plugin, tmp_path, method
):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = write_plugin(f"PIPE, METHOD = {str(pipe)!r}, {method!r}\n" + WAITS)

    # What is used after it was freed is no longer what it was
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, pipe, method],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "MALLOC_PERTURB_": "165"},
    )

    assert done.stdout == "ENDS\n"
    assert done.returncode == 0, done.stderr
