# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the ready-made noise gate and limiter do to sound."""

import numpy as np
import pytest

from sound import (
    BLOCK,
    MS,
    RATE,
    constant,
    noise,
    process,
    running,
    same_bits,
    tone,
)

GATE = {"threshold": -40, "hysteresis": 6, "attack": 1, "hold": 20}


@pytest.mark.parametrize("level, passes", [(-40.1, False), (-39.9, True)])
def test_gate_opens_at_its_threshold(level, passes):
    result = process(running("gate", **GATE), constant(level, 4 * BLOCK))

    assert result.any() == passes


def test_gate_passes_every_bit_when_open():
    signal = noise(20)

    result = process(running("gate", **GATE), signal)

    n_attack = 1 * MS
    opened = int(np.argmax(np.abs(signal).max(axis=0) >= 10 ** (-40 / 20)))
    begin = opened + n_attack - 1
    assert same_bits(result[:, begin:], signal[:, begin:])


def test_gate_fades_in_over_its_attack():
    result = process(
        running("gate", **{**GATE, "attack": 10}), constant(0, 2 * BLOCK)
    )

    line = np.minimum(np.arange(1, 2 * BLOCK + 1) / (10 * MS), 1)
    np.testing.assert_allclose(result[0], line, atol=2e-6)


@pytest.mark.parametrize("hold, release", [(10, 0), (20, 5), (100, 50)])
def test_gate_closes_after_hold_and_release(hold, release):
    loud, quiet = constant(-10, 3 * BLOCK - 7), constant(-60, 40 * BLOCK + 7)
    signal = np.concatenate([loud, quiet], axis=1)

    result = process(
        running("gate", **{**GATE, "hold": hold, "release": release}), signal
    )

    gain = (result / signal)[0]
    end = loud.shape[1] + hold * MS  # of all that is fully open
    n_release = max(release * MS, 1)
    assert (gain[MS:end] == 1).all()
    line = 1 - np.arange(n_release + 1) / n_release
    np.testing.assert_allclose(
        gain[end - 1 : end + n_release], line, atol=1e-5
    )
    assert not result[:, end + n_release :].any()


@pytest.mark.parametrize(
    "level, stays", [(-39.9, True), (-45.9, True), (-46.1, False)]
)
def test_gate_stays_open_within_the_hysteresis(level, stays):
    signal = np.concatenate(
        [constant(-10, 2 * BLOCK), constant(level, 60 * BLOCK)], axis=1
    )

    result = process(running("gate", **GATE), signal)

    assert same_bits(result[:, -BLOCK:], signal[:, -BLOCK:]) == stays
    assert result[:, -BLOCK:].any() == stays


def test_gate_does_not_open_within_the_hysteresis():
    signal = np.concatenate(
        [
            constant(-10, BLOCK),  # open
            constant(-90, 60 * BLOCK),  # closed
            constant(-43, 10 * BLOCK),  # enough to stay, not to open
            constant(-30, 10 * BLOCK),
        ],
        axis=1,
    )

    result = process(running("gate", **GATE), signal)

    assert not result[:, 61 * BLOCK : 71 * BLOCK].any()
    assert result[:, -BLOCK:].all()


def test_gate_does_not_chatter_on_a_low_tone():
    signal = tone(50, level=-20)

    result = process(running("gate", **GATE), signal)

    assert same_bits(result[:, BLOCK:], signal[:, BLOCK:])


def test_gate_opens_all_channels_for_one():
    signal = constant(-60, 4 * BLOCK)
    signal[1] *= 100

    result = process(running("gate", **GATE), signal)

    assert same_bits(result[:, BLOCK:], signal[:, BLOCK:])


def open_frames(signal, threshold, hysteresis, hold):
    """Where the gate is open, frame by frame, as its documentation says."""
    is_open, since, result = False, hold + 1, []
    for peak in np.abs(signal).max(axis=0):
        if peak >= np.float32(10 ** ((threshold - hysteresis) / 20)):
            since = 0
        else:
            since += 1
        if since > hold:
            is_open = False
        if peak >= np.float32(10 ** (threshold / 20)):
            is_open = True
        result.append(is_open)
    return np.array(result)


def test_gate_decides_as_one_that_goes_frame_by_frame():
    random = np.random.default_rng(3)
    levels = random.uniform(-70, -25, 200).repeat(random.integers(1, 900, 200))
    levels = levels[: len(levels) // BLOCK * BLOCK]
    signal = np.tile((10 ** (levels / 20)).astype(np.float32), (2, 1))

    result = process(
        running("gate", **{**GATE, "attack": 0, "hold": 10, "release": 0}),
        signal,
    )

    expected = open_frames(signal, -40, 6, 10 * MS)
    assert 0.1 < expected.mean() < 0.9
    assert ((result != 0).all(axis=0) == expected).all()
    assert ((result == 0).all(axis=0) == ~expected).all()


# --- limiter -----------------------------------------------------------------


@pytest.mark.parametrize("ceiling", [0, -0.1, -1, -6.5, -60])
@pytest.mark.parametrize("lookahead", [0.1, 1.5, 10])
@pytest.mark.parametrize("peak", [1, 1.0001, 4, 1e30])
def test_limiter_lets_nothing_beyond_the_ceiling(ceiling, lookahead, peak):
    plugin = running("limiter", ceiling=ceiling, lookahead=lookahead)

    result = process(plugin, noise(peak=peak))

    assert float(np.abs(result).max()) <= 10 ** (ceiling / 20)


def test_limiter_gets_to_the_ceiling():
    result = process(running("limiter", ceiling=-6), tone(1000, level=6))

    highest = np.abs(result[:, 10 * BLOCK :]).max()
    assert 20 * np.log10(highest) == pytest.approx(-6, abs=0.01)


def test_limiter_is_late_by_its_latency_and_else_passes_every_bit():
    plugin = running("limiter", ceiling=0, lookahead=2)
    signal = noise()

    result = process(plugin, signal)

    n_late = round(plugin.get_processing_latency() * RATE)
    assert n_late == 2 * MS
    assert not result[:, :n_late].any()
    assert same_bits(result[:, n_late:], signal[:, :-n_late])


def test_limiter_does_not_clip_but_turn_down():
    # a peak turned down without clipping has kept its shape
    signal = tone(1000, level=-20)
    signal[:, 5000:5048] = tone(1000, 48, level=6)

    result = process(running("limiter", ceiling=0, release=5000), signal)

    # from the highest sample to the end of its wave
    gain = result[0, 5012 + 72 : 5047 + 72] / signal[0, 5012:5047]
    gain = gain[np.abs(signal[0, 5012:5047]) > 0.01]
    assert gain.min() == pytest.approx(10 ** (-6 / 20), rel=0.001)
    assert gain.max() < 1.001 * gain.min()


def test_limiter_goes_down_in_a_line_and_comes_back_by_its_release():
    signal = np.full((1, 200 * BLOCK), 0.1, np.float32)
    signal[0, 5000] = 2.0  # 6.02 dB above

    result = process(
        running("limiter", 1, ceiling=0, release=100, lookahead=5), signal
    )

    n_late = 5 * MS
    gain = 10 * result[0, n_late:].astype(float)  # of input frames
    begin = 5000 - n_late
    assert same_bits(result[0, n_late:5000], signal[0, :begin])
    assert result[0].max() == result[0, 5000 + n_late]
    line = np.linspace(1, 0.5, n_late + 2)[1:-1]
    np.testing.assert_allclose(
        gain[begin:5000], line, rtol=0, atol=1e-3
    )
    # 100 ms later the reduction in dB is down to 1/e
    after = -20 * np.log10(gain[5000 + n_late + 100 * MS])
    assert after == pytest.approx(6.02 / np.e, rel=0.03)
    # and in the end there is none at all
    assert same_bits(result[0, -BLOCK:], signal[0, -BLOCK:])


def test_limiter_keeps_the_stereo_image():
    signal = noise(peak=2)
    signal[1] = signal[0] / 2

    result = process(running("limiter", ceiling=-6), signal)

    np.testing.assert_allclose(result[1], result[0] / 2, rtol=1e-6)


def test_limiter_with_a_new_ceiling_lets_nothing_beyond_it():
    plugin = running("limiter", ceiling=0)
    process(plugin, noise(10))

    plugin.set_parameter("ceiling", "-12")
    result = process(plugin, noise(10))

    assert float(np.abs(result).max()) <= 10 ** (-12 / 20)


def test_limiter_lookahead_counts_from_the_next_start():
    plugin = running("limiter")
    plugin.set_parameter("lookahead", "10")
    process(plugin, noise(2))
    assert plugin.get_processing_latency() == 0.0015

    plugin.stop()
    plugin.set_parameter("lookahead", "10")
    plugin.start()

    assert plugin.get_processing_latency() == 0.01
