# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A sound server that loses its devices and gets them back, live.

Run below `with-rig one`.
"""

import subprocess

import gi
import pytest

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

PATIENCE = 60 * Gst.SECOND
PATH = "ndasrc name=src ! ndapybridge plugin=passthrough ! ndasink name=sink"
NOTED = (
    Gst.MessageType.ERROR
    | Gst.MessageType.EOS
    | Gst.MessageType.ELEMENT
    | Gst.MessageType.LATENCY
    | Gst.MessageType.CLOCK_LOST
)


def pactl(*words: str) -> str:
    # without a sanitizer, preloaded with which it stands still now and then
    return subprocess.run(
        ["env", "-u", "LD_PRELOAD", "pactl", *words],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def list_devices() -> list[list[str]]:
    """Return number, name and arguments of the modules that are devices."""
    modules = pactl("list", "short", "modules").splitlines()
    return [
        line.split("\t")[:3]
        for line in modules
        if "null-sink" in line or "remap" in line
    ]


def take_message(pipeline: Gst.Pipeline) -> Gst.Message:
    """Wait for the next message, and do what an application should."""
    message = pipeline.get_bus().timed_pop_filtered(PATIENCE, NOTED)
    assert message, "nothing happened"
    if message.type == Gst.MessageType.ERROR:
        pytest.fail(str(message.parse_error()))
    if message.type == Gst.MessageType.LATENCY:
        pipeline.recalculate_latency()
    if message.type == Gst.MessageType.CLOCK_LOST:
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.set_state(Gst.State.PLAYING)
    return message


def wait_for_both(pipeline: Gst.Pipeline, is_lost: bool) -> None:
    told = set()
    while told != {"src", "sink"}:
        message = take_message(pipeline)
        structure = message.get_structure()
        if message.type == Gst.MessageType.ELEMENT and structure.has_field(
            "device-lost"
        ):
            assert structure.get_value("device-lost") == is_lost
            told.add(message.src.get_name())


def count(pipeline: Gst.Pipeline, name: str, field: str) -> int:
    return pipeline.get_by_name(name).get_property("stats").get_value(field)


def wait_for_blocks(pipeline: Gst.Pipeline, n_blocks: int) -> None:
    while count(pipeline, "sink", "num-blocks") < n_blocks:
        pipeline.get_bus().timed_pop_filtered(
            100 * Gst.MSECOND, Gst.MessageType.EOS
        )


def test_both_ends_come_back_with_their_server():
    Gst.init(None)
    devices = list_devices()
    pipeline = Gst.parse_launch(PATH)
    pipeline.set_state(Gst.State.PLAYING)
    wait_for_blocks(pipeline, 100)

    for number, _, _ in reversed(devices):
        pactl("unload-module", number)
    wait_for_both(pipeline, True)
    for _, name, arguments in devices:
        pactl("load-module", name, *arguments.split())
    pactl("set-default-sink", "ear")
    pactl("set-default-source", "mic")
    wait_for_both(pipeline, False)
    wait_for_blocks(pipeline, count(pipeline, "sink", "num-blocks") + 100)
    pipeline.send_event(Gst.Event.new_eos())
    while take_message(pipeline).type != Gst.MessageType.EOS:
        pass

    assert count(pipeline, "src", "num-device-losses") == 1
    assert count(pipeline, "sink", "num-device-losses") == 1
    pipeline.set_state(Gst.State.NULL)
