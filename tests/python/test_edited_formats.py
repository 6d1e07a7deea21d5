# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A processor that is edited while sound runs, and comes back with another
rate, other frames, channels or latency: no frame is lost, or moves."""

import numpy as np
import pytest

from delays import BLOCK, SECOND, any_bits, delaying, held_by, latency_of

# rate, frames, channels and latency, of a plugin that delays by that
FORMATS = {
    "delays": (48000, 480, None, 700),
    "as it comes": (48000, 512, None, 0),
    "long": (48000, 960, None, 0),
    "each": (48000, 441, "EACH", 72),
}


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        path = tmp_path / "plugin.py"
        path.write_text(text)
        return path

    return write_file


def reload(bridge, write, text):
    write(text)
    assert bridge.element.emit("reload")


def assert_stamped(gst, buffers):
    """Each begins where the one before ended."""
    at = 0
    for buffer, block in buffers:
        assert buffer.pts == at * SECOND // 48000
        at += len(block)
        assert buffer.pts + buffer.duration == at * SECOND // 48000
        is_discont = buffer.has_flags(gst.BufferFlags.DISCONT)
        assert not is_discont or buffer.pts == 0


def play_edited(bridge, sound, edit):
    """What comes out of 60 blocks, in the middle of which `edit` is called."""
    bridge.play()
    pulled = []
    for n, block in enumerate(np.split(sound, 60)):
        if n == 30:
            pulled.append(bridge.pull())  # it runs
            edit()
        bridge.push(block)
    bridge.src.emit("end-of-stream")
    while (one := bridge.pull()) is not None:
        pulled.append(one)
    return pulled


@pytest.mark.parametrize("edited", FORMATS)
@pytest.mark.parametrize("first", FORMATS)
def test_plugin_edited_while_sound_runs_loses_no_bit(
    gst, make_bridge, write, first, edited
):
    bridge = make_bridge(write(delaying(*FORMATS[first])))
    sound = any_bits(60 * BLOCK)

    pulled = play_edited(
        bridge,
        sound,
        lambda: reload(bridge, write, delaying(*FORMATS[edited])),
    )

    frames = np.concatenate([block for _, block in pulled])
    assert frames.tobytes() == sound.tobytes()
    assert_stamped(gst, pulled)
    assert bridge.get_stat("num-reloads") == 1
    assert bridge.get_stat("num-failures") == 0
    _, n_frames, _, latency = FORMATS[edited]
    held = held_by(n_frames, latency)
    assert latency_of(gst, bridge) == held * SECOND // 48000


@pytest.mark.parametrize("rate, channels", [(16000, 1), (44100, None)])
def test_plugin_edited_for_another_rate_goes_on_with_the_tone(
    make_bridge, write, rate, channels
):
    bridge = make_bridge(write(delaying(48000, 480, None, 0)))
    time = np.arange(90 * BLOCK) / 48000
    sound = np.stack([np.sin(2 * np.pi * 997 * time)] * 2, axis=1)
    sound = 0.5 * sound.astype(np.float32)
    bridge.play()
    pulled = []

    for n, block in enumerate(np.split(sound, 90)):
        if n == 30:
            pulled.append(bridge.pull()[1])
            reload(bridge, write, delaying(rate, 320, channels, 40))
        if n == 60:
            # the first edit has taken its place
            while bridge.get_stat("num-reloads") < 1:
                pulled.append(bridge.pull()[1])
            reload(bridge, write, delaying(48000, 512, None, 72))
        bridge.push(block)
    bridge.src.emit("end-of-stream")

    frames = np.concatenate([*pulled, bridge.pull_all()])
    assert frames.shape == sound.shape
    # the first frames behind the start have a filter before them too
    assert np.abs(frames - sound)[:-1000].max() < 1e-6


ANALYSES = """
from nda import Analyser

class Looks(Analyser):
    frames = 480

    def analyse(self, block):
        block[:] = 7
"""


@pytest.mark.parametrize("is_first", [False, True])
def test_sound_goes_on_when_a_processor_becomes_an_analyser(
    gst, make_bridge, write, is_first
):
    texts = [delaying(*FORMATS["delays"]), ANALYSES]
    first, edited = texts[::-1] if is_first else texts
    bridge = make_bridge(write(first))
    sound = any_bits(60 * BLOCK)

    pulled = play_edited(
        bridge, sound, lambda: reload(bridge, write, edited)
    )

    frames = np.concatenate([block for _, block in pulled])
    assert frames.tobytes() == sound.tobytes()
    assert_stamped(gst, pulled)
    held = held_by(480, 700) if is_first else 0
    assert latency_of(gst, bridge) == held * SECOND // 48000


@pytest.mark.parametrize(
    "values, why",
    [
        ((48000, 512, 3, 0), "takes 3 channels (line 6), but the stream"),
        ((900, 512, 1, 0), "its rate is 900, not a whole number from 1001"),
    ],
)
def test_edit_that_cannot_take_the_sound_keeps_the_one_before(
    gst, make_bridge, write, values, why
):
    bridge = make_bridge(write(delaying(*FORMATS["delays"])))
    sound = any_bits(40 * BLOCK)
    bridge.play()

    for n, block in enumerate(np.split(sound, 40)):
        if n == 20:
            first = bridge.pull()[1]
            write(delaying(*values))
            bridge.element.emit("reload")
        bridge.push(block)
    bridge.src.emit("end-of-stream")

    frames = np.concatenate([first, bridge.pull_all()])
    assert frames.tobytes() == sound.tobytes()
    warning = bridge.wait(gst.MessageType.WARNING).parse_warning()[0]
    assert "the one before goes on" in warning.message
    assert why in warning.message
    assert bridge.get_stat("num-reloads") == 0


API_1 = """
import numpy as np

def process_audio(self, buffer):
    self.line = np.hstack([self.line, buffer.data])
    end = self.line.shape[1] - {latency}
    buffer.data[:] = self.line[:, end - 512 : end]
    return True
Plugin.line = np.zeros((2, 20000), np.float32)
Plugin.process_audio = process_audio
Plugin.get_processing_latency = lambda self: {latency} / 48000
"""


@pytest.mark.parametrize("first, edited", [(72, 72), (72, 4800), (4800, 0)])
def test_plugin_of_api_1_that_is_edited_loses_no_bit(
    gst, make_bridge, write_plugin, first, edited
):
    bridge = make_bridge(write_plugin(API_1.format(latency=first)))
    sound = any_bits(60 * BLOCK)

    pulled = play_edited(
        bridge,
        sound,
        lambda: reload(bridge, write_plugin, API_1.format(latency=edited)),
    )

    frames = np.concatenate([block for _, block in pulled])
    assert frames.tobytes() == sound.tobytes()
    assert_stamped(gst, pulled)
    assert latency_of(gst, bridge) == edited * SECOND // 48000
