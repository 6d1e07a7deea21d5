# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A sound server that ends and is started again, as a desktop does, live.

Run below `with-rig one`, with PulseAudio, PipeWire or jackd.
"""

import os
import signal
from pathlib import Path

import pytest
from test_device_loss import PATH, Gst, count, take_message, wait_for_blocks

HOME = Path(os.environ["NDA_RIG_HOME"])
SERVERS = {
    "pulse": ["pulseaudio"],
    "pipewire": ["pipewire-pulse", "pipewire"],
    "jack": ["jackd"],
}[os.environ["NDA_RIG_SERVER"]]
# jackd has no ports in the rig, and keeps the time of all clients.
JACK_PATH = (
    "ndasrc name=src source=\"jackaudiosrc connect=none\" ! "
    "ndapybridge plugin=passthrough ! "
    "ndasink name=sink sink=\"jackaudiosink connect=none\""
)


@pytest.fixture
def pipeline():
    Gst.init(None)
    pipeline = Gst.parse_launch(JACK_PATH if "jackd" in SERVERS else PATH)
    pipeline.set_state(Gst.State.PLAYING)
    wait_for_blocks(pipeline, 100)
    yield pipeline
    pipeline.set_state(Gst.State.NULL)


def end(server: str) -> None:
    """End it; the rig starts it again."""
    os.kill(int(Path(HOME, f"{server}.pid").read_text()), signal.SIGTERM)


def wait_until_lost_and_back(pipeline: Gst.Pipeline) -> None:
    told = set()
    while len(told) < 4:
        message = take_message(pipeline)
        structure = message.get_structure()
        if message.type == Gst.MessageType.ELEMENT and structure.has_field(
            "device-lost"
        ):
            told.add(
                (message.src.get_name(), structure.get_value("device-lost"))
            )


def assert_goes_on(pipeline: Gst.Pipeline, n_losses: int) -> None:
    wait_for_blocks(pipeline, count(pipeline, "sink", "num-blocks") + 100)
    pipeline.send_event(Gst.Event.new_eos())
    while take_message(pipeline).type != Gst.MessageType.EOS:
        pass
    for name in ("src", "sink"):
        assert count(pipeline, name, "num-device-losses") == n_losses


@pytest.mark.parametrize("server", SERVERS)
def test_both_ends_come_back_with_their_server(pipeline, server):
    end(server)

    wait_until_lost_and_back(pipeline)

    assert_goes_on(pipeline, n_losses=1)
