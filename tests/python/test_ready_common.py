# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every ready-made source and sink does alike."""

import re
import wave
from pathlib import Path

import numpy as np
import pytest

import nda
import plugin_driver as driver

SINKS = ["null_sink", "wav_recorder"]
ALL = ["noise", "sine", "wav_player"] + SINKS


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with wave.open("in.wav", "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(bytes(range(256)) * 64)


def needed(name):
    """Return the parameters without which it does not start."""
    return {
        "wav_player": {"filename": "in.wav"},
        "wav_recorder": {"filename": "out.wav"},
    }.get(name, {})


def call(plugin, n_frames=512):
    buffer = nda.AudioBuffer(plugin.get_channels(), n_frames)
    if plugin.get_info().type.value == "AudioSource":
        return plugin.read_audio(buffer)
    return plugin.write_audio(buffer)


@pytest.mark.parametrize("name", ALL)
def test_4_life_cycle_twice(name):
    plugin = driver.initialized(name, **needed(name))

    for _ in range(2):
        driver.start(plugin)
        assert call(plugin) is True
        plugin.stop()

    plugin.shutdown()


@pytest.mark.parametrize("name", ALL)
def test_4_4_shutdown_without_start_or_stop(name):
    driver.initialized(name).shutdown()

    driver.running(name, **needed(name)).shutdown()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("n_frames", [1, 64, 512, 513, 1024])
def test_5_6_any_block_size_is_taken(name, n_frames):
    plugin = driver.running(name, **needed(name))

    assert call(plugin, n_frames) is True


@pytest.mark.parametrize("name", ALL)
def test_7_an_unknown_parameter_is_refused(name):
    plugin = driver.initialized(name)

    with pytest.raises(ValueError, match="there is no such parameter, but"):
        plugin.set_parameter("frequenzy", "1")
    assert plugin.get_parameter("frequenzy") == ""


@pytest.mark.parametrize("name", SINKS)
def test_7_channels_are_fixed_while_running(name):
    plugin = driver.initialized(name, channels="3", **needed(name))
    driver.start(plugin)
    assert plugin.get_channels() == 3

    plugin.set_parameter("channels", "2")
    assert call(plugin) is True
    assert plugin.get_channels() == 3

    plugin.stop()
    plugin.shutdown()
    again = driver.initialized(name, channels="2", **needed(name))
    Path("out.wav").unlink(missing_ok=True)
    assert driver.start(again).get_channels() == 2


@pytest.mark.parametrize(
    "name, key, value, text",
    [
        ("sine", "frequency", "", "'' is no number; its range is 0.01 to 20"),
        ("sine", "frequency", "20001", "20001 is out of its range, 0.01 to "),
        ("sine", "level", "0.1", "0.1 is out of its range, -200 to 0 dBFS"),
        ("sine", "waveform", "Sine", "none of its options, sine, square,"),
        ("noise", "seed", "1.5", "'1.5' is no whole number; its range is -1"),
        ("noise", "colour", "blue", "none of its options, white, pink, br"),
        ("noise", "channels", "65", "65 is out of its range, 1 to 64"),
        ("wav_player", "loop", "maybe", "'maybe' is neither true nor false"),
        ("null_sink", "interval", "0", "out of its range, 0.01 to 60 s"),
        ("wav_recorder", "bits", "8", "none of its options, 16, 24, 32"),
        ("wav_recorder", "overwrite", "2", "'2' is neither true nor false"),
    ],
)
def test_api2_3_3_nonsense_is_refused_and_the_old_kept(name, key, value, text):
    plugin = driver.initialized(name)
    before = plugin.get_parameter(key)

    with pytest.raises(ValueError) as caught:
        plugin.set_parameter(key, value)

    assert text in str(caught.value)
    assert plugin.get_parameter(key) == before


@pytest.mark.parametrize("name", ALL)
def test_api2_it_says_what_it_is(name):
    plugin = driver.initialized(name)
    said, info = plugin.wrapper.declarations(), plugin.get_info()

    role = "sink" if name in SINKS else "source"
    assert (said["name"], said["role"]) == (name, role)
    assert said["description"]
    assert info.type.value == f"Audio{role.title()}"
    assert info.name.lower().replace(" ", "_") == name


def test_two_plugins_are_left_of_api_1():
    files = Path(nda.plugins_path()).glob("*.py")
    texts = {path.stem: path.read_text() for path in files}

    assert sorted(n for n, t in texts.items() if "def create_plugin" in t) == [
        "microphone",
        "speaker",
    ]


@pytest.mark.parametrize("name", ["noise", "sine"])
def test_api2_the_channels_are_a_parameter(name):
    plugin = driver.running(name, channels="3")
    assert plugin.get_channels() == 3

    plugin.set_parameter("channels", "2")
    driver.read(plugin, 512)
    plugin.stop()
    plugin.start()

    assert driver.read(plugin, 512).shape == (2, 512)


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("sine", {}),
        ("sine", {"waveform": "sawtooth"}),
        ("noise", {}),
        ("noise", {"colour": "pink"}),
        ("null_sink", {}),
        ("wav_player", {"filename": "in.wav", "loop": "true"}),
        ("wav_recorder", {"filename": "out.wav"}),
        ("wav_recorder", {"filename": "out.wav", "bits": "16"}),
        ("wav_recorder", {"filename": "out.wav", "bits": "24"}),
    ],
)
def test_a_block_makes_no_array(name, parameters):
    plugin = driver.running(name, **parameters)
    buffer = nda.AudioBuffer(2, 512)
    block_call = (
        plugin.write_audio if name in SINKS else plugin.read_audio
    )

    assert driver.peak_of(lambda: block_call(buffer)) < driver.ONE_CHANNEL


def test_an_array_in_a_block_would_have_been_seen():
    block = np.zeros((1, 512), dtype=np.float32)

    assert driver.peak_of(lambda: block * 0.5) >= driver.ONE_CHANNEL


def test_every_file_is_installed():
    there = sorted(path.name for path in Path(nda.plugins_path()).glob("*.py"))

    list_ = Path(__file__).parents[2] / "python-elements" / "meson.build"
    listed = re.findall(r"'nda/plugins/(.*)'", list_.read_text())
    assert listed == there
