# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the sources sine and noise sound like, to the bit and to the dB."""

import math

import numpy as np
import pytest

import nda
import plugin_driver as driver

RATE = 48000
PERIOD = 1 << 64
SIZES = [512, 512, 1, 511, 513, 1024, 64, 480]


def phases(frequency, n_frames, start=0):
    """Return the phase of each frame in 2^-64, by whole numbers alone."""
    numerator, denominator = float(frequency).as_integer_ratio()
    divisor = denominator * RATE
    step = (2 * numerator * PERIOD + divisor) // (2 * divisor)
    return [(start + n * step) % PERIOD for n in range(n_frames)]


def sine(frequency, n_frames, level=-12.0):
    at = np.array([p >> 11 for p in phases(frequency, n_frames)], np.float64)
    wave = np.sin(at * (2 * np.pi / 2**53)) * math.pow(10, level / 20)
    return wave.astype(np.float32)


@pytest.mark.parametrize("frequency", ["0.01", "440", "997.3", "20000"])
def test_sine_is_the_reference_bit_by_bit(frequency):
    plugin = driver.running("sine", frequency=frequency)

    heard = driver.read(plugin, *SIZES)

    expected = sine(frequency, sum(SIZES))
    assert (driver.bits_of(heard) == driver.bits_of(expected)).all()


def test_sine_is_exact_after_a_month_and_a_day():
    n_frames = 31 * 86400 * RATE
    plugin = driver.running("sine", frequency="997.3")
    step = phases("997.3", 2)[1]
    plugin.instance._phase = n_frames * step % PERIOD

    heard = driver.read(plugin, 512)

    # A phase in radians that has been added up is off by 1e-3 by then.
    cycles = (997.3 % 1 * n_frames / RATE) % 1
    first = math.sin(2 * math.pi * cycles) * math.pow(10, -12 / 20)
    assert heard[0, 0] == pytest.approx(first, abs=1e-6)


def test_sine_sounds_the_same_in_blocks_of_any_size():
    whole = driver.read(driver.running("sine", waveform="square"), 4096)
    parts = driver.read(
        driver.running("sine", waveform="square"), *[1, 511] * 8
    )

    assert (driver.bits_of(whole) == driver.bits_of(parts)).all()


def test_sine_starts_again_at_phase_0():
    plugin = driver.running("sine")
    first = driver.read(plugin, 512, 100)
    plugin.stop()
    driver.start(plugin)

    assert (driver.read(plugin, 512, 100) == first).all()


def test_sine_goes_on_from_the_phase_when_the_frequency_changes():
    plugin = driver.running("sine", frequency="440", level="0")
    heard = driver.read(plugin, 512)
    plugin.set_parameter("frequency", "880")
    heard = np.concatenate((heard, driver.read(plugin, 512)), axis=1)[0]

    steepest = 2 * np.pi * 880 / RATE
    assert np.abs(np.diff(heard)).max() <= steepest


def test_sine_reaches_a_new_level_over_one_block():
    plugin = driver.running("sine", frequency="440", level="0")
    driver.read(plugin, 512)
    plugin.set_parameter("level", "-200")
    faded = driver.read(plugin, 512)

    steepest = 2 * np.pi * 440 / RATE + 1 / 512
    assert np.abs(np.diff(faded[0])).max() <= steepest
    assert faded[0, -1] == 0
    assert not driver.read(plugin, 512).any()


def test_sine_channels_are_alike():
    heard = driver.read(driver.running("sine", channels="3"), 512)

    assert heard.shape == (3, 512)
    assert (heard[0] == heard[1]).all() and (heard[0] == heard[2]).all()


def spectrum(signal):
    """Return the amplitudes at each Hz of a second of sound."""
    assert len(signal) == RATE
    return np.abs(np.fft.rfft(signal.astype(np.float64))) * 2 / RATE


@pytest.mark.parametrize(
    "waveform, amplitude",
    [
        ("square", lambda n: n % 2 * 4 / np.pi / n),
        ("triangle", lambda n: n % 2 * 8 / (np.pi * n) ** 2),
        ("sawtooth", lambda n: 2 / np.pi / n),
    ],
)
@pytest.mark.parametrize("frequency", [110, 997, 7000])
def test_waves_with_corners_have_their_harmonics_and_no_alias(
    waveform, amplitude, frequency
):
    plugin = driver.running(
        "sine", waveform=waveform, frequency=str(frequency), level="0"
    )

    found = spectrum(driver.read(plugin, RATE)[0])

    expected = np.zeros(RATE // 2 + 1)
    n = np.arange(1, (RATE // 2 - 1) // frequency + 1)
    expected[n * frequency] = amplitude(n)
    # -90 dB: an alias of a plain sawtooth at 997 Hz has -35 dB
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-5)


@pytest.mark.parametrize("waveform", ["sine", "square", "triangle"])
def test_waves_have_their_level(waveform):
    plugin = driver.running("sine", waveform=waveform, level="-6")

    heard = driver.read(plugin, RATE)[0]

    middle = np.sort(np.abs(heard))[RATE // 2]
    shape = {"sine": math.sqrt(0.5), "square": 1, "triangle": 0.5}[waveform]
    assert middle == pytest.approx(10 ** (-6 / 20) * shape, rel=0.01)


def white(seed, channels, n_frames, level=-20.0):
    """Return the noise of a seed, made in one go."""
    seeds = np.random.SeedSequence(seed).spawn(channels)
    signal = np.stack(
        [
            np.random.Generator(np.random.PCG64(s)).standard_normal(n_frames)
            for s in seeds
        ]
    )
    return (signal * math.pow(10, level / 20)).astype(np.float32)


def test_white_noise_is_the_reference_bit_by_bit():
    plugin = driver.running("noise", seed="7", channels="3")

    heard = driver.read(plugin, *SIZES)

    expected = white(7, 3, sum(SIZES))
    assert (driver.bits_of(heard) == driver.bits_of(expected)).all()


@pytest.mark.parametrize("colour", ["white", "pink", "brown"])
def test_noise_is_the_same_for_the_same_seed_whatever_the_blocks(colour):
    parameters = {"seed": "123", "colour": colour}
    whole = driver.read(driver.running("noise", **parameters), 2048)
    parts = driver.read(driver.running("noise", **parameters), *[1, 511] * 4)
    other = driver.read(driver.running("noise", seed="124"), 2048)

    assert (driver.bits_of(whole) == driver.bits_of(parts)).all()
    assert not (whole == other).any()


def test_noise_without_a_seed_is_another_each_time():
    first, second = driver.running("noise"), driver.running("noise")

    assert first.get_parameter("seed") != second.get_parameter("seed")
    assert not (driver.read(first, 512) == driver.read(second, 512)).any()


def test_noise_can_be_made_again_by_the_seed_it_had():
    plugin = driver.running("noise")
    heard = driver.read(plugin, 512)

    again = driver.running("noise", seed=plugin.get_parameter("seed"))

    assert (driver.read(again, 512) == heard).all()


def filtered(corners, direct, white_noise):
    """Colour as the definition says, one sample after the other."""
    corner = np.array(corners)
    pole = np.exp(-2 * np.pi * corner / RATE)
    gain = (1 - pole) / np.sqrt(corner)
    held = np.zeros(len(pole))
    coloured = []
    for sample in white_noise:
        held = pole * held + gain * sample
        coloured.append(held.sum() + direct * sample)
    return np.array(coloured)


@pytest.mark.parametrize(
    "colour, corners, direct",
    [("pink", [2.0 * 4**n for n in range(7)], 0.0035), ("brown", [20.0], 0)],
)
def test_coloured_noise_is_what_the_filter_makes(colour, corners, direct):
    plugin = driver.running("noise", seed="3", colour=colour)

    heard = driver.read(plugin, 4096)

    expected = filtered(corners, direct, white(3, 2, 4096, 0)[1])
    expected *= heard[1] @ expected / (expected @ expected)
    np.testing.assert_allclose(heard[1], expected, rtol=0, atol=1e-6)


def power_by_octave(signal):
    """Return the power around 31.25, 62.5, ... 16000 Hz, in dB per Hz."""
    pieces = signal[: len(signal) // 16384 * 16384].reshape(-1, 16384)
    power = np.abs(np.fft.rfft(pieces * np.hanning(16384))) ** 2
    power = power.mean(axis=0)
    hertz = np.fft.rfftfreq(16384, 1 / RATE)
    centres = 31.25 * 2.0 ** np.arange(10)
    return np.array(
        [
            10 * np.log10(power[(hertz > c / 1.4) & (hertz < c * 1.4)].mean())
            for c in centres
        ]
    )


@pytest.mark.parametrize(
    "colour, slope, tolerance",
    [("white", 0, 0.6), ("pink", -3.01, 0.9), ("brown", -6.02, 1.0)],
)
def test_noise_falls_by_its_colour(colour, slope, tolerance):
    plugin = driver.running("noise", seed="1", colour=colour, channels="1")

    power = power_by_octave(driver.read(plugin, *[512] * 3000)[0])

    if colour == "brown":
        # Below, it levels off; above 10 kHz a sampled pole does.
        power = power[2:9]
    line = slope * np.arange(len(power))
    error = power - line
    assert np.abs(error - error.mean()).max() < tolerance


@pytest.mark.parametrize(
    "colour, tolerance", [("white", 0.1), ("pink", 0.5), ("brown", 1.5)]
)
def test_noise_has_its_level(colour, tolerance):
    plugin = driver.running("noise", seed="1", colour=colour, level="-30")

    heard = driver.read(plugin, *[512] * 3000).astype(np.float64)

    level = 10 * np.log10(np.mean(heard**2))
    assert level == pytest.approx(-30, abs=tolerance)


def test_noise_channels_are_independent():
    heard = driver.read(driver.running("noise", seed="5"), *[512] * 100)

    assert abs(np.corrcoef(heard)[0, 1]) < 0.02


def levels(text):
    return [float(level) for level in text.split(",")]


def test_null_sink_measures_each_channel():
    source = driver.running("sine", frequency="1000", level="-6")
    plugin = driver.running("null_sink", interval="1")
    signal = driver.read(source, 48128)
    signal[1] *= 0.1

    driver.write(plugin, signal)

    assert levels(plugin.get_parameter("rms")) == pytest.approx(
        [-9.01, -29.01], abs=0.011
    )
    assert plugin.get_parameter("peak") == "-6.00,-26.00"
    assert plugin.get_parameter("frames") == "48128"


def test_null_sink_knows_no_level_before_the_first_interval():
    plugin = driver.running("null_sink", channels="3", interval="0.1")
    loud = np.ones((3, 512), dtype=np.float32)

    driver.write(plugin, np.repeat(loud, 9, axis=1))
    assert plugin.get_parameter("rms") == "-inf,-inf,-inf"
    driver.write(plugin, loud)

    assert plugin.get_parameter("rms") == "0.00,0.00,0.00"


def test_null_sink_forgets_the_peak_and_keeps_the_largest():
    plugin = driver.running("null_sink", channels="1", interval="0.01")
    click = np.zeros((1, 512), dtype=np.float32)
    click[0, 100] = -0.5

    driver.write(plugin, click)
    assert plugin.get_parameter("peak") == "-6.02"
    driver.write(plugin, 0 * click)

    assert plugin.get_parameter("peak") == "-inf"
    assert plugin.get_parameter("maxPeak") == "-6.02"


def test_null_sink_starts_again_with_nothing():
    plugin = driver.running("null_sink", interval="0.01")
    driver.write(plugin, np.ones((2, 512), dtype=np.float32))
    plugin.stop()
    driver.start(plugin)

    assert plugin.get_parameter("rms") == "-inf,-inf"
    assert plugin.get_parameter("maxPeak") == "-inf,-inf"
    assert plugin.get_parameter("frames") == "0"


def test_null_sink_hides_no_nan():
    plugin = driver.running("null_sink", channels="1", interval="0.01")
    buffer = nda.AudioBuffer(1, 512)
    buffer.data[0, 7] = np.nan

    assert plugin.write_audio(buffer) is True

    assert plugin.get_parameter("rms") == "nan"
