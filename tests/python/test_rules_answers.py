# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers that are true and yet none: of a coroutine or generator nothing has
run (6.2)."""

import numpy as np
import pytest

from roles import SINK, SOURCE

LATER = {
    "coroutine": "async def {name}(self, *args): return True",
    "generator": "def {name}(self, *args): yield True",
    "async generator": "async def {name}(self, *args): yield True",
    "future": """
import asyncio
def {name}(self, *args):
    return asyncio.Future(loop=asyncio.new_event_loop())
""",
}


def later(name, kind="coroutine"):
    return LATER[kind].format(name=name) + f"\nPlugin.{name} = {name}\n"


def says_why(text, name):
    return f"its {name} () is a coroutine or a generator" in text


@pytest.mark.parametrize("kind", LATER)
def test_block_call_that_has_not_run_stops_the_stream(
    run, write_plugin, noise, kind
):
    outcome = run(write_plugin(later("process_audio", kind)), [noise(512)])

    assert says_why(outcome.error.message, "process_audio")
    assert not outcome.buffers


def test_block_call_that_has_not_run_is_silenced(run, write_plugin, noise):
    outcome = run(
        write_plugin(later("process_audio")),
        [noise(512)] * 3,
        on_error="silence",
    )

    assert len(outcome.buffers) == 3 and not outcome.frames.any()
    assert outcome.stats.get_value("num-failures") == 3


@pytest.mark.parametrize(
    "name", ["initialize", "start", "set_sample_rate", "set_channels"]
)
def test_step_of_the_life_that_has_not_run_fails(
    run, write_plugin, noise, name
):
    outcome = run(write_plugin(later(name)), [noise(512)])

    assert says_why(outcome.error.message, name)


def test_factory_that_has_not_run_fails(run, write_plugin, noise):
    text = "async def create_plugin(): return Plugin()"

    outcome = run(write_plugin(text), [noise(512)])

    assert says_why(outcome.error.message, "create_plugin")


def test_parameter_that_was_not_set_is_told(run, write_plugin, noise):
    outcome = run(
        write_plugin(later("set_parameter")),
        [noise(512)],
        parameters="level=1",
    )

    assert any(
        says_why(warning.message, "set_parameter")
        for warning, _ in outcome.warnings
    )


def test_source_that_has_not_read_is_told(
    gst, make_line, write_plugin, journal
):
    line = make_line(
        "ndapysrc name=py num-buffers=1 is-live=false ! fakesink",
        write_plugin(later("read_audio"), base=SOURCE),
    )
    line.play()

    message = line.wait(gst.MessageType.WARNING)

    assert says_why(message.parse_warning()[0].message, "read_audio")


@pytest.mark.parametrize("name", ["write_audio", "get_available_space"])
def test_sink_that_has_not_written_is_told(
    gst, make_line, write_plugin, journal, name
):
    line = make_line(
        "appsrc name=src format=time ! ndapysink name=py sync=false",
        write_plugin(later(name), base=SINK),
    )
    line.set_format(2)
    line.play()
    line.push(np.zeros((512, 2)))

    message = line.wait(gst.MessageType.WARNING)

    assert says_why(message.parse_warning()[0].message, name)
