# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugins that come with nda, and those printed in
docs/plugins-api1.md."""

import importlib.util
import re
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import nda
import plugin_driver as driver

DOCS = Path(__file__).resolve().parents[2] / "docs" / "plugins-api1.md"
READY_MADE = ["gain", "passthrough"]

# A quiet and a signalling NaN with payloads, infinity, a denormal, minus zero
ODD_BITS = [0x7FC54321, 0xFFA12345, 0x7F800000, 1, 0x80000000]


def load(path):
    """Load a plugin file as a host does: afresh, in sys.modules first."""
    nda.BasePlugin
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def make(name, channels=2, **parameters):
    """Return a running instance of a ready-made plugin."""
    plugin = driver.initialized(name, **parameters)
    plugin.set_channels(channels)
    assert plugin.start()
    return plugin


def noise(channels=2, n_frames=512):
    buffer = nda.AudioBuffer(channels, n_frames)
    random = np.random.default_rng(2)
    buffer.data[:] = random.uniform(-1, 1, buffer.data.shape)
    return buffer


def odd_bits():
    buffer = noise(2, 512)
    buffer.data.view(np.uint32)[:, : len(ODD_BITS)] = ODD_BITS
    return buffer


def process(plugin, buffer):
    """Process one block and return it, with its array still in place."""
    data = buffer.data
    assert plugin.process_audio(buffer) is True
    assert buffer.data is data
    return data


@pytest.mark.parametrize("name", READY_MADE)
def test_api2_it_says_what_it_is(name):
    said = make(name).wrapper.declarations()

    assert (said["name"], said["role"]) == (name, "processor")
    assert said["description"]


@pytest.mark.parametrize("name", READY_MADE)
def test_5_3_the_stream_sets_rate_and_channels(name):
    plugin = make(name, channels=5)

    assert plugin.get_sample_rate() == 48000
    assert plugin.get_channels() == 5
    assert plugin.get_processing_latency() == 0.0


@pytest.mark.parametrize("name", READY_MADE)
def test_7_unknown_parameters_are_refused(name):
    plugin = make(name)

    with pytest.raises(ValueError, match="there is no such parameter"):
        plugin.set_parameter("gian", "0.5")
    assert plugin.get_parameter("gian") == ""


@pytest.mark.parametrize("name", READY_MADE)
def test_6_1_3_the_default_passes_every_bit(name):
    plugin = make(name)
    buffer = odd_bits()
    before = buffer.data.tobytes()

    assert process(plugin, buffer).tobytes() == before


@pytest.mark.parametrize("name", READY_MADE)
@pytest.mark.parametrize("channels", [1, 64])
def test_any_number_of_channels_is_taken(name, channels):
    plugin = make(name, channels=channels)
    buffer = noise(channels)
    before = buffer.data.copy()

    assert (process(plugin, buffer) == before).all()


@pytest.mark.parametrize("value", ["0", "0.1", "0.5", "3.7", "10"])
def test_gain_multiplies_every_sample(value):
    plugin = make("gain", gain=value)
    buffer = noise()
    expected = buffer.data * np.float32(value)

    for _ in range(3):
        block = noise()
        assert process(plugin, block).tobytes() == expected.tobytes()


def test_gain_does_not_clip():
    plugin = make("gain", gain="10")
    buffer = nda.AudioBuffer(1, 512)
    buffer.data[:] = -0.75

    assert (process(plugin, buffer) == -7.5).all()


def test_gain_keeps_channels_apart():
    plugin = make("gain", gain="0.5")
    buffer = nda.AudioBuffer(2, 512)
    buffer.data[1] = 1

    process(plugin, buffer)

    assert not buffer.data[0].any()
    assert (buffer.data[1] == 0.5).all()


@pytest.mark.parametrize("old, new", [("1", "0"), ("0", "10"), ("0.1", "0.7")])
def test_gain_changes_over_one_block_in_a_line(old, new, n_frames=512):
    plugin = make("gain", gain=old)
    ones = nda.AudioBuffer(2, n_frames)
    ones.data[:] = 1
    process(plugin, ones)
    ones.data[:] = 1

    plugin.set_parameter("gain", new)
    block = process(plugin, ones)

    line = np.linspace(float(old), float(new), n_frames + 1)[1:]
    np.testing.assert_allclose(block[0], line, rtol=0, atol=2e-6)
    assert (block[0] == block[1]).all()

    ones.data[:] = 1
    assert (process(plugin, ones) == np.float32(new)).all()


def test_gain_fades_to_silence_exactly():
    plugin = make("gain", gain="0.3")
    buffer = noise()

    plugin.set_parameter("gain", "0")
    process(plugin, buffer)

    assert not buffer.data[:, -1].any()


def test_gain_set_before_start_is_not_faded():
    plugin = make("gain")
    plugin.stop()
    plugin.set_parameter("gain", "0.5")
    plugin.start()
    buffer = noise()
    expected = buffer.data * np.float32(0.5)

    assert (process(plugin, buffer) == expected).all()


def test_gain_back_at_1_passes_every_bit():
    plugin = make("gain", gain="0.5")
    process(plugin, noise())
    plugin.set_parameter("gain", "1.0")
    process(plugin, noise())
    buffer = odd_bits()
    before = buffer.data.tobytes()

    assert process(plugin, buffer).tobytes() == before


@pytest.mark.parametrize(
    "value",
    ["", "loud", "0,5", "-0.1", "10.01", "nan", "inf", "-inf", "1e400", "½"],
)
def test_gain_refuses_nonsense_and_keeps_the_old(value):
    plugin = make("gain", gain="0.25")

    with pytest.raises(ValueError, match="range(,| is) 0 to 10$"):
        plugin.set_parameter("gain", value)

    assert plugin.get_parameter("gain") == "0.25"


def test_gain_reads_back_as_text():
    plugin = make("gain")
    assert plugin.get_parameter("gain") == "1"

    plugin.set_parameter("gain", "2")

    assert plugin.get_parameter("gain") == "2"


def peak_of_blocks(call, n_calls=1000):
    """Return the most bytes that were in use at once beyond the start."""
    for index in range(10):
        call(index)
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        for index in range(n_calls):
            call(index)
        return tracemalloc.get_traced_memory()[1] - start
    finally:
        tracemalloc.stop()


# The smallest array the gain could make by mistake: one channel's worth
ONE_CHANNEL = 512 * 4


def test_gain_makes_no_array_per_block():
    plugin = make("gain", gain="0.5")
    buffer = noise()

    assert (
        peak_of_blocks(lambda index: plugin.process_audio(buffer))
        < ONE_CHANNEL
    )


def test_gain_makes_no_array_while_it_changes():
    plugin = make("gain", gain="0.5")
    buffer = noise()

    def change_and_process(index):
        plugin.set_parameter("gain", "0.5" if index % 2 else "0.75")
        plugin.process_audio(buffer)

    assert peak_of_blocks(change_and_process) < ONE_CHANNEL


def test_an_array_per_block_would_have_been_seen():
    buffer = noise(channels=1)

    assert peak_of_blocks(lambda index: buffer.data * 0.5) >= ONE_CHANNEL


def examples():
    """Return the complete plugins of the page: blocks that make one."""
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```", DOCS.read_text())
    return [block for block in blocks if "def create_plugin" in block]


def test_docs_have_a_plugin_on_the_first_screen():
    head = "\n".join(DOCS.read_text().splitlines()[:45])

    assert "def create_plugin" in head and "gst-launch-1.0" in head


@pytest.mark.parametrize("index", range(len(examples())))
def test_docs_plugins_work(index, tmp_path):
    path = tmp_path / f"example{index}.py"
    path.write_text(examples()[index])
    plugin = load(path).create_plugin()

    assert plugin.initialize() and isinstance(plugin, nda.BasePlugin)
    assert plugin.get_info().type is nda.PluginType.PROCESSOR
    plugin.set_sample_rate(48000)
    plugin.set_channels(3)
    assert (plugin.get_sample_rate(), plugin.get_channels()) == (48000, 3)
    assert plugin.start()
    changed = False
    for _ in range(100):
        buffer = noise(channels=3)
        before = buffer.data.copy()
        changed |= bool((process(plugin, buffer) != before).any())
    assert changed
    plugin.stop()
    plugin.shutdown()
