# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin that does not do its part says why in the error.

Plugins of API 1 print the reason and return False, or forget their return.
"""

import numpy as np
import pytest
from roles import SINK, SOURCE

BLOCK = 512
FORGETS = "returned None; end it with “return True”"
PRINTS = """
import sys

def {method}(self, *args):
    print("card 3 is", end=" ")
    print("busy")
    print("close the other program", file=sys.stderr)
    {end}
Plugin.{method} = {method}
"""
PRINTED = "; it printed: card 3 is busy / close the other program"
METHODS = ["initialize", "start", "process_audio"]


def first_line(result, words):
    """Of an error, as gst-launch shows it."""
    lines = result.stderr.decode().splitlines()
    return next(
        line for line in lines if line.startswith("ERROR") and words in line
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_forgotten_return_is_told_with_what_ends_it(
    launch_bridge, write_plugin, method
):
    path = write_plugin(PRINTS.format(method=method, end="pass"))

    said = first_line(launch_bridge(path), str(path))

    assert said.endswith(f"its {method} () {FORGETS}{PRINTED}")


@pytest.mark.parametrize("method", METHODS)
def test_what_was_printed_is_in_the_error(
    launch_bridge, write_plugin, method
):
    path = write_plugin(PRINTS.format(method=method, end="return False"))

    said = first_line(launch_bridge(path), str(path))

    what = "returned False" if "_" in method else "did not return True"
    assert said.endswith(f"its {method} () {what}{PRINTED}")


def test_only_the_last_lines_are_told(launch_bridge, write_plugin):
    path = write_plugin(
        """
        def start(self):
            for n in range(1000):
                print(f"line {n} " + "x" * 100)
            return False
        Plugin.start = start
        """
    )

    said = first_line(launch_bridge(path), str(path))

    assert "line 997 " in said and "line 999 " in said
    assert "line 996 " not in said
    assert len(said) < len(str(path)) + 600


def test_what_start_printed_is_no_reason_of_a_block(
    launch_bridge, write_plugin
):
    path = write_plugin(
        """
        def start(self):
            print("all is well")
            return True
        Plugin.start = start
        Plugin.process_audio = lambda self, buffer: False
        """
    )

    said = first_line(launch_bridge(path), str(path))

    assert said.endswith("its process_audio () returned False")


def test_a_program_in_python_says_where_it_was_printed(
    run, write_plugin, noise, isolation
):
    """What is printed there is the application's."""
    path = write_plugin(PRINTS.format(method="start", end="return False"))

    message = run(path, [noise(BLOCK)]).error.message

    assert message.endswith(
        "; it may have printed why, where this program prints"
        if isolation == "thread"
        else PRINTED
    )


def test_a_refused_parameter_is_told_with_what_was_printed(
    make_bridge, write_plugin, isolation
):
    path = write_plugin(
        PRINTS.format(method="set_parameter", end="return False")
    )
    bridge = make_bridge(path, parameters="gain=7,key=secret")

    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    bridge.src.emit("end-of-stream")
    warnings = []
    while True:
        message = bridge.wait(
            bridge.gst.MessageType.WARNING | bridge.gst.MessageType.EOS
        )
        if message.type == bridge.gst.MessageType.EOS:
            break
        warnings.append(message.parse_warning()[0].message)

    if isolation == "process":
        assert "gain: it returned False" + PRINTED in warnings[0]
    assert "key: it returned False" in warnings[1]
    assert "busy" not in warnings[1]


@pytest.mark.parametrize(
    "base, method, line",
    [
        (SOURCE, "read_audio", "ndapysrc name=py ! fakesink"),
        (SINK, "write_audio", "audiotestsrc ! ndapysink name=py sync=false"),
    ],
)
def test_a_source_or_sink_that_forgets_its_return_is_told(
    gst, make_line, write_plugin, base, method, line
):
    """None is False, which a source or a sink may answer; but not this."""
    path = write_plugin(
        f"Plugin.{method} = lambda self, buffer: print('{method}')", base=base
    )
    made = make_line(line, path)

    made.play()

    message = made.wait(gst.MessageType.WARNING)
    said = message.parse_warning()[0].message
    assert f"its {method} () {FORGETS}" in said


def test_a_source_that_has_nothing_is_not_told(
    gst, make_line, write_plugin
):
    path = write_plugin(
        """
        def read_audio(self, buffer):
            self.n_blocks = getattr(self, "n_blocks", 0) + 1
            return self.n_blocks > 9
        Plugin.read_audio = read_audio
        """,
        base=SOURCE,
    )
    made = make_line("ndapysrc name=py num-buffers=1 ! fakesink", path)

    made.play()

    types = gst.MessageType
    message = made.wait(types.WARNING | types.EOS | types.ERROR)
    assert message.type == types.EOS


DIES = """
import os, sys

def {method}(self, *args):
    print("card 3 is busy")
    sys.stderr.write("giving up")
    sys.stderr.flush()
    os.write(2, b"\\nat once")
    os._exit(3)
Plugin.{method} = {method}
"""


@pytest.mark.parametrize("isolation", ["process"], indirect=True)
@pytest.mark.parametrize("method", METHODS)
def test_what_a_process_printed_before_its_end_is_in_the_error(
    launch_bridge, write_plugin, method
):
    path = write_plugin(DIES.format(method=method))

    said = first_line(launch_bridge(path), str(path))

    # in two pipes: which is read first is not said
    assert "; it printed: " in said
    assert "card 3 is busy" in said and "at once" in said
    assert "exited with status 3" in said
