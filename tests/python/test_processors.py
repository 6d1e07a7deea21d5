# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all the ready-made processors have in common, and the delay."""

import numpy as np
import pytest

import nda
import plugin_driver as driver
from sound import BLOCK, MS, RATE, noise, process, running, same_bits, tone

NAMES = ["delay", "gate", "limiter", "radio_voice"]

# A quiet and a signalling NaN with payloads, infinity, a denormal, minus zero
ODD_BITS = np.array(
    [0x7FC54321, 0xFFA12345, 0x7F800000, 1, 0x80000000], np.uint32
).view(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_api2_it_says_what_it_is(name):
    plugin = driver.initialized(name)
    said = plugin.wrapper.declarations()

    assert (said["name"], said["role"]) == (name, "processor")
    assert said["description"]
    assert all(p.help for p in plugin.PARAMETERS.values())


@pytest.mark.parametrize("name", NAMES)
def test_4_2_a_restart_forgets_what_was_before(name):
    plugin = running(name)
    first = process(plugin, noise())

    plugin.stop()
    plugin.set_channels(2)
    assert plugin.start() is True

    assert same_bits(process(plugin, noise()), first)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3, 64])
def test_5_3_channels_are_independent_of_their_number(name, channels):
    pair = noise(4, 2)
    stereo = process(running(name), pair)

    many = np.zeros((channels, pair.shape[1]), np.float32)
    many[:2] = pair[:channels]
    result = process(running(name, channels), many)

    if channels > 1:
        np.testing.assert_allclose(result[:2], stereo, rtol=0, atol=1e-7)
        assert not result[2:].any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["", "loud", "0,5", "1e400", "nan", "-1e9"])
def test_7_3_nonsense_is_refused_and_the_old_kept(name, value):
    plugin = driver.initialized(name)

    for key in plugin.PARAMETERS:
        before = plugin.get_parameter(key)
        with pytest.raises(ValueError, match="range"):
            plugin.set_parameter(key, value)
        assert plugin.get_parameter(key) == before


@pytest.mark.parametrize("name", NAMES)
def test_7_unknown_parameters_are_refused(name):
    plugin = driver.initialized(name)

    with pytest.raises(ValueError, match="there is no such parameter"):
        plugin.set_parameter("tresh", "1")
    assert plugin.get_parameter("tresh") == ""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 3e38, 1e-40])
def test_one_odd_sample_does_not_ruin_what_follows(name, odd):
    parameters = {"limiter": {"release": 1}, "delay": {"time": 20}}
    plugin = running(name, **parameters.get(name, {}))
    signal = noise(100)
    signal[0, 700] = odd

    result = process(plugin, signal)

    assert np.isfinite(result[:, -40 * BLOCK :]).all()
    assert np.abs(result[:, -40 * BLOCK :]).max() > 0.1


def in_its_place(plugin, signal):
    """What `plugin` makes of `signal`, with its own delay taken out."""
    latency = round(plugin.get_processing_latency() * RATE)
    rest = np.zeros((signal.shape[0], -latency % BLOCK + latency), np.float32)
    result = process(plugin, np.hstack([signal, rest]))
    return result[:, latency : latency + signal.shape[1]]


@pytest.mark.parametrize("name", NAMES)
def test_the_bridge_runs_it_by_its_display_name(run, name):
    signal = noise(10)
    plugin = running(name)

    outcome = run(plugin.get_info().name, [signal.T])

    assert outcome.error is None
    assert same_bits(outcome.frames.T, in_its_place(plugin, signal))


def test_8_1_latency_of_the_limiter_is_that_of_the_bridge(gst, make_bridge):
    bridge = make_bridge("limiter", parameters="lookahead=10")
    bridge.play()
    bridge.push(noise(1).T)
    bridge.pull()
    query = gst.Query.new_latency()

    assert bridge.element.get_static_pad("src").query(query)

    assert query.parse_latency()[1] == 10 * gst.MSECOND


def least_peak_of(call):
    """The least of several: a list of free objects may grow in between, but
    an array that each block makes is in all of them."""
    return min(driver.peak_of(call) for _ in range(3))


VARIANTS = [
    ("delay", {}),
    ("delay", {"time": 1}),
    ("delay", {"mix": 1, "feedback": 0}),
    ("gate", {}),
    ("limiter", {}),
    ("limiter", {"ceiling": -20, "lookahead": 10}),
    ("radio_voice", {}),
]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name, parameters", VARIANTS)
def test_a_block_makes_no_array(name, parameters, channels):
    plugin = running(name, channels, **parameters)
    buffer = nda.AudioBuffer(channels, BLOCK)
    blocks = noise(2, channels)[:, :BLOCK], noise(2, channels)[:, BLOCK:]
    index = 0

    def call():
        nonlocal index
        np.copyto(buffer.data, blocks[index % 2])
        buffer.data[0, :100] *= 0.001
        index += 1
        plugin.process_audio(buffer)

    assert least_peak_of(call) < driver.ONE_CHANNEL


@pytest.mark.parametrize(
    "name, key, values",
    [
        ("delay", "time", ("20", "30")),
        ("delay", "mix", ("0.2", "0.8")),
        ("gate", "threshold", ("-10", "-60")),
        ("limiter", "ceiling", ("-3", "-9")),
    ],
)
def test_a_block_with_a_new_parameter_makes_no_array(name, key, values):
    plugin = running(name)
    buffer = nda.AudioBuffer(2, BLOCK)
    block = noise(1)
    index = 0

    def call():
        nonlocal index
        np.copyto(buffer.data, block)
        plugin.set_parameter(key, values[index % 2])
        index += 1
        plugin.process_audio(buffer)

    assert least_peak_of(call) < driver.ONE_CHANNEL


# --- delay -------------------------------------------------------------------


@pytest.mark.parametrize("time", [1, 1.52, 10.6, 10.7, 21.3, 300, 2000])
def test_delay_is_exact_to_the_frame_and_the_bit(time):
    signal = noise(200)
    signal[0, : len(ODD_BITS)] = ODD_BITS
    n_frames = round(time * MS)

    result = process(running("delay", time=time, mix=1, feedback=0), signal)

    assert not result[:, :n_frames].any()
    assert same_bits(result[:, n_frames:], signal[:, :-n_frames])


def test_delay_without_echo_passes_every_bit():
    signal = noise(10)
    signal[0, : len(ODD_BITS)] = ODD_BITS

    assert same_bits(process(running("delay", mix=0), signal), signal)


@pytest.mark.parametrize("time", [1, 7, 30])
def test_delay_repeats_by_its_feedback(time):
    signal = np.zeros((2, 20 * BLOCK), np.float32)
    signal[0, 5] = 1
    n_frames = round(time * MS)

    result = process(
        running("delay", time=time, feedback=0.5, mix=0.25), signal
    )

    expected = np.zeros_like(signal)
    expected[0, 5] = 0.75
    for n, frame in enumerate(range(5 + n_frames, 20 * BLOCK, n_frames)):
        expected[0, frame] = 0.25 * 0.5**n
    # echoes below -300 dB are silence
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-14)


def test_delay_dies_away_to_silence_not_to_denormals():
    signal = np.zeros((1, 400 * BLOCK), np.float32)
    signal[0, 0] = 1

    result = process(running("delay", 1, time=5, feedback=0.9), signal)

    tiny = np.finfo(np.float32).tiny
    assert result[0, 10 * BLOCK : 20 * BLOCK].any()
    assert not ((result != 0) & (np.abs(result) < tiny)).any()
    assert not result[0, -BLOCK:].any()


@pytest.mark.parametrize("key, value", [("time", 90), ("mix", 0.9)])
def test_delay_changes_without_a_click(key, value):
    plugin = running("delay", time=100, feedback=0, mix=0.3)
    signal = tone(200)
    half = signal.shape[1] // 2

    before = process(plugin, signal[:, :half])
    plugin.set_parameter(key, str(value))
    after = process(plugin, signal[:, half:])

    result = np.concatenate([before, after], axis=1)[0].astype(float)
    steepest = 2 * np.pi * 200 / RATE
    assert np.abs(np.diff(result))[6000:].max() < 1.2 * steepest


def test_delay_is_no_latency():
    assert running("delay").get_processing_latency() == 0.0
