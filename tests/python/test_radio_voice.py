# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the ready-made radio voice does to sound."""

import numpy as np
import pytest

import plugin_driver as driver
from sound import (
    BLOCK,
    RATE,
    constant,
    level_of,
    noise,
    process,
    running,
    tone,
)


@pytest.mark.parametrize(
    "frequency, level, tolerance",
    [
        (300, -3.01, 0.05),  # the corners
        (3400, -3.01, 0.05),
        (600, 0, 0.05),
        (1000, 0, 0.05),
        (2000, 0, 0.1),
        (150, -24.1, 0.2),  # an octave below: 24 dB
        (75, -48.2, 0.3),
    ],
)
def test_radio_voice_has_its_corners(frequency, level, tolerance):
    result = process(running("radio_voice"), tone(frequency))

    measured = level_of(result[:, result.shape[1] // 2 :])
    assert measured == pytest.approx(level, abs=tolerance)


@pytest.mark.parametrize("frequency, most", [(50, -60), (8000, -30)])
def test_radio_voice_cuts_off_what_is_outside(frequency, most):
    result = process(running("radio_voice"), tone(frequency))

    assert level_of(result[:, result.shape[1] // 2 :]) < most


def test_radio_voice_stops_a_constant_and_the_highest_tone():
    signal = constant(0, 60 * BLOCK)
    signal[1, ::2] *= -1

    result = process(running("radio_voice"), signal)

    assert np.abs(result[:, -BLOCK:]).max() < 1e-6


@pytest.mark.parametrize("low, high", [(20, 20000), (500, 5000), (2000, 2000)])
def test_radio_voice_takes_other_corners(low, high):
    plugin = running("radio_voice", low=low, high=high)
    response = np.fft.rfft(process(plugin, impulse(128))[0], RATE)

    for corner in (low, high):
        expected = -6.02 if low == high else -3.01
        measured = 20 * np.log10(abs(response[corner]))
        assert measured == pytest.approx(expected, abs=0.1)


def impulse(n_blocks):
    signal = np.zeros((2, n_blocks * BLOCK), np.float32)
    signal[:, 0] = 1
    return signal


def filtered_frame_by_frame(signal, corners):
    """The same filter as a chain of sections, one sample after another."""
    module = driver.load("radio_voice")
    result = signal.astype(float)
    for corner, is_high_pass in zip(corners, (True, False)):
        for quality in module.QUALITIES:
            b, a = module.design_section(
                corner, quality, is_high_pass, RATE
            )
            x1 = x2 = y1 = y2 = 0.0
            for n, x in enumerate(result):
                y = b[0] * x + b[1] * x1 + b[2] * x2 - a[1] * y1 - a[2] * y2
                x1, x2, y1, y2 = x, x1, y, y1
                result[n] = y
    return result


def test_radio_voice_by_blocks_is_that_by_frames():
    signal = noise(4)

    result = process(running("radio_voice"), signal)

    for channel in range(2):
        expected = filtered_frame_by_frame(signal[channel], (300, 3400))
        np.testing.assert_allclose(result[channel], expected, atol=1e-7)


def test_radio_voice_changes_its_corners_without_a_pause():
    plugin = running("radio_voice")
    signal = tone(1000)
    half = signal.shape[1] // 2
    process(plugin, signal[:, :half])

    plugin.set_parameter("high", "2500")
    result = process(plugin, signal[:, half:])

    assert np.abs(result).max() < 1.5
    assert level_of(result[:, :BLOCK]) > -3
    assert level_of(result[:, -10 * BLOCK :]) == pytest.approx(0, abs=0.1)


def test_radio_voice_goes_silent_after_the_sound():
    plugin = running("radio_voice")
    process(plugin, noise(4))

    result = process(plugin, np.zeros((2, 100 * BLOCK), np.float32))

    assert not result[:, -BLOCK:].any()
