# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The denoiser by what it does to noise and to speech, and its transform."""

import sys

import numpy as np
import pytest

import nda
import plugin_driver as driver
from sound import BLOCK, RATE, noise, process, running

SECONDS = 6


def hiss(level, n_seconds=SECONDS, channels=1, colour="white"):
    """Return noise of so many dBFS, in whole blocks."""
    source = driver.running(
        "noise",
        seed="11",
        colour=colour,
        level=str(level),
        channels=str(channels),
    )
    n_blocks = int(n_seconds * RATE) // BLOCK
    return driver.read(source, *[BLOCK] * n_blocks)


def syllables(n_frames):
    """Return what is like speech: a voice of gliding pitch that comes in
    bursts, at -20 dBFS while it is there, and where it is."""
    t = np.arange(n_frames) / RATE
    phase = 2 * np.pi * np.cumsum(140 * (1 + 0.1 * np.sin(5.6 * t))) / RATE
    voice = sum(
        np.sin(n * phase) / n * np.exp(-(((n * 140 - 700) / 900) ** 2))
        for n in range(1, 25)
    )
    envelope = np.sin(2 * np.pi * 0.7 * t) > 0
    envelope = envelope * np.clip(np.sin(2 * np.pi * 4 * t), 0, 1)
    voice *= envelope
    voice *= 0.1 / np.sqrt(np.mean(voice[envelope > 0.3] ** 2))
    return voice.astype(np.float32), envelope


def decibels(signal):
    return 10 * np.log10(np.mean(np.square(signal, dtype=np.float64)) + 1e-30)


def delay_of(plugin):
    return round(plugin.get_processing_latency() * RATE)


def learnt(signal):
    """Return the part of a signal after two seconds."""
    return signal[..., 2 * RATE :]


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_without_strength_it_is_a_delay(channels):
    plugin = running("denoise", channels, strength=0)
    signal = noise(20, channels)

    result = process(plugin, signal)

    assert delay_of(plugin) == BLOCK
    np.testing.assert_allclose(result[:, :BLOCK], 0, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        result[:, BLOCK:], signal[:, :-BLOCK], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("colour", ["white", "pink", "brown"])
@pytest.mark.parametrize("floor, strength", [(-6, 1), (-18, 1), (-30, 2)])
def test_noise_is_lowered_to_the_floor(floor, strength, colour):
    signal = hiss(-40, colour=colour)

    result = process(
        running("denoise", 1, floor=floor, strength=strength), signal
    )

    lowered = decibels(learnt(result)) - decibels(learnt(signal))
    assert floor - 0.5 <= lowered <= floor * 0.75


@pytest.mark.parametrize(
    "noise_level, least_gain", [(-40, 6), (-30, 7), (-25, 8)]
)
def test_speech_comes_out_cleaner_than_it_went_in(noise_level, least_gain):
    signal = hiss(noise_level)
    voice, envelope = syllables(signal.shape[1])

    result = process(running("denoise", 1), signal + voice)[0, BLOCK:]

    voice, envelope = learnt(voice[:-BLOCK]), learnt(envelope[:-BLOCK])
    result, before = learnt(result), learnt(signal[0, :-BLOCK])
    there = envelope > 0.3
    gain = decibels(before[there]) - decibels((result - voice)[there])
    assert gain >= least_gain
    assert decibels(result[there]) == pytest.approx(
        decibels(voice[there]), abs=0.5
    )


def test_more_strength_takes_more_away():
    signal = hiss(-40)

    levels = [
        decibels(
            learnt(process(running("denoise", 1, strength=s, floor=-60),
                           signal))
        )
        for s in (0, 0.5, 1, 2, 4)
    ]

    assert levels[0] == pytest.approx(-40, abs=0.1)
    assert all(np.diff(levels) < -1)


def test_estimate_is_the_level_of_the_noise():
    plugin = running("denoise", 2)

    process(plugin, hiss(-40, channels=2))

    # It is known to be a little low.
    assert float(plugin.get_parameter("noise")) == pytest.approx(-40.9, abs=1)


def test_estimate_does_not_follow_speech():
    signal = hiss(-40)
    voice, _ = syllables(signal.shape[1])
    plugin = running("denoise", 1)

    process(plugin, signal + voice)

    assert float(plugin.get_parameter("noise")) < -37


@pytest.mark.parametrize("before", [0.0, 0.1])
def test_louder_noise_is_learnt_within_two_seconds(before):
    signal = hiss(-30)
    signal[:, : 2 * RATE] *= before

    result = process(running("denoise", 1), signal)

    after = slice(4 * RATE, None)
    assert decibels(result[:, after]) - decibels(signal[:, after]) < -14


def test_an_estimate_that_is_not_to_adapt_stays():
    plugin = running("denoise", 1)
    process(plugin, hiss(-40))
    known = plugin.get_parameter("noise")
    plugin.set_parameter("adapt", "false")

    process(plugin, hiss(-20))

    assert plugin.get_parameter("noise") == known


def test_channels_share_their_gains():
    signal = hiss(-40)[0]
    voice, _ = syllables(len(signal))
    signal += voice

    left, right = process(
        running("denoise", 2), np.stack((signal, 0.25 * signal))
    )

    np.testing.assert_allclose(right, 0.25 * left, rtol=0, atol=1e-6)


def test_silence_stays_silence():
    assert not process(running("denoise"), 0 * noise(10)).any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_broken_sample_is_soon_forgotten(value):
    plugin = running("denoise", 1)
    signal = hiss(-40)
    broken = signal.copy()
    at = 4 * RATE // BLOCK * BLOCK
    broken[0, at + 100] = value
    with np.errstate(all="ignore"):
        result = process(plugin, broken)

    assert np.isfinite(result[:, :at]).all()
    assert np.isfinite(result[:, at + 3 * BLOCK :]).all()
    lowered = decibels(result[:, at + RATE :]) - decibels(signal)
    assert lowered < -14


def test_4_2_a_restart_forgets_what_was_before():
    plugin = running("denoise")
    first = process(plugin, noise())
    plugin.stop()
    assert plugin.start() is True

    assert (process(plugin, noise()) == first).all()
    assert delay_of(plugin) == BLOCK


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_a_block_makes_no_array(channels):
    plugin = running("denoise", channels)
    buffer = nda.AudioBuffer(channels, BLOCK)
    buffer.data[:] = noise(1, channels)

    peak = driver.peak_of(lambda: plugin.process_audio(buffer))

    assert peak < driver.ONE_CHANNEL


@pytest.mark.parametrize(
    "key, value, text",
    [
        ("strength", "5", "5 is out of its range, 0 to 4"),
        ("floor", "1", "1 is out of its range, -60 to 0 dB"),
        ("smoothing", "1", "1 is out of its range, 0.5 to 0.99"),
        ("adapt", "much", "'much' is neither true nor false"),
    ],
)
def test_7_3_nonsense_is_refused(key, value, text):
    plugin = driver.initialized("denoise")

    with pytest.raises(ValueError) as caught:
        plugin.set_parameter(key, value)

    assert str(caught.value) == text


def test_api2_it_says_what_it_is():
    said = driver.initialized("denoise").wrapper.declarations()

    assert (said["name"], said["role"]) == ("denoise", "processor")
    assert (said["frames"], said["latency"]) == (BLOCK, BLOCK)


# --- The transform ----------------------------------------------------------


@pytest.fixture
def fft():
    driver.load("denoise")
    return sys.modules["_nda_fft"].Fft


def complex_noise(size):
    random = np.random.default_rng(8)
    return (random.normal(size=size) + 1j * random.normal(size=size)).astype(
        np.complex64
    )


@pytest.mark.parametrize("size", [1, 4, 16, 64, 256, 1024, 4096])
def test_transform_is_that_of_numpy(size, fft):
    signal = complex_noise(size)
    expected = np.fft.fft(signal.astype(np.complex128))
    data = signal.copy()
    transform = fft(data)

    transform.forward()
    loudest = np.abs(expected).max()
    np.testing.assert_allclose(data, expected, rtol=0, atol=5e-7 * loudest)

    transform.backward()
    np.testing.assert_allclose(data / size, signal, rtol=0, atol=3e-6)


def test_transform_puts_each_frequency_in_its_place(fft):
    for frequency in (0, 1, 5, 512, 1023):
        data = np.exp(
            2j * np.pi * frequency * np.arange(1024) / 1024
        ).astype(np.complex64)
        fft(data).forward()

        assert np.argmax(np.abs(data)) == frequency
        assert abs(data[frequency]) == pytest.approx(1024, rel=1e-6)


@pytest.mark.parametrize("size", [2, 8, 512, 1000])
def test_transform_refuses_what_is_no_power_of_4(size, fft):
    with pytest.raises(ValueError, match="is not a power of 4"):
        fft(np.zeros(size, dtype=np.complex64))
