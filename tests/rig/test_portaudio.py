# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests speaker and microphone over PortAudio and the rig's virtual cables:
played sound comes back bit by bit.

    with-rig one python3 -m pytest test_portaudio.py
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nda

sys.path.append(str(Path(__file__).parents[1] / "python"))
import plugin_driver as driver  # noqa: E402

PACKAGES = ["pyaudio", "sounddevice"]
# Five seconds
N_BLOCKS = 469
# What may be on its way in the end, in blocks: a third of a second
N_ON_THE_WAY = 32
# PortAudio's own error (paBadIODeviceCombination). The plugins open a device
# for one direction, so there is no combination: ALSA's plugin for PulseAudio
# was not ready on a busy machine.
NOT_READY = "Illegal combination of I/O devices"
MAX_TRIES = 5


@pytest.fixture(params=PACKAGES)
def package(request, monkeypatch):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"there is no Python package {request.param}")
    for other in PACKAGES:
        if other != request.param:
            monkeypatch.setitem(sys.modules, other, None)
    return request.param


def noise(n_blocks):
    random = np.random.default_rng(5)
    signal = random.uniform(0.1, 1, (2, n_blocks * 512))
    return signal.astype(np.float32)


def play_and_hear(speaker, microphone, signal):
    """Return all that is heard until what was played must have arrived."""
    heard = []
    block = nda.AudioBuffer(2, 512)
    n_played = n_after = 0
    while n_after < N_ON_THE_WAY:
        if n_played < signal.shape[1]:
            if speaker.get_available_space() >= 512:
                block.data[:] = signal[:, n_played : n_played + 512]
                assert speaker.write_audio(block) is True
                n_played += 512
        elif speaker.get_state() is nda.PluginState.RUNNING:
            speaker.stop()
        if microphone.read_audio(block):
            heard.append(block.data.copy())
            n_after += speaker.get_state() is not nda.PluginState.RUNNING
    return np.concatenate(heard, axis=1)


def assert_heard(signal, heard):
    """All of the signal was heard, in its order, and nothing but silence
    besides. Silence in between is what a busy machine may cause, here or in
    the server; how often is for the soak to judge."""
    found = heard[:, heard.any(axis=0)]
    assert found.shape == signal.shape
    assert (driver.bits_of(found) == driver.bits_of(signal)).all()


def check_when_ready(path):
    """Check the plugin, again if PortAudio was not ready."""
    for _ in range(MAX_TRIES):
        done = subprocess.run(
            [sys.executable, "-m", "nda", "check-plugin", path],
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode == 0 or NOT_READY not in done.stdout:
            break
    return done


@pytest.mark.parametrize("mode", ["normal", "high"])
def test_all_that_is_played_is_heard_bit_by_bit(mode, package):
    microphone = driver.initialized(
        "microphone", device="mic", latencyMode=mode, bufferSize="96000"
    )
    speaker = driver.initialized("speaker", device="cable", latencyMode=mode)
    signal = noise(N_BLOCKS)

    driver.start(speaker)
    driver.start(microphone)
    heard = play_and_hear(speaker, microphone, signal)
    microphone.stop()

    assert_heard(signal, heard)
    assert microphone.get_parameter("overruns") == "0"
    speaker.shutdown()
    microphone.shutdown()


def test_both_start_again(package):
    microphone = driver.initialized(
        "microphone", device="ear_tap", bufferSize="96000"
    )
    speaker = driver.initialized("speaker", device="ear")
    signal = noise(10)

    for _ in range(2):
        driver.start(speaker)
        driver.start(microphone)
        heard = play_and_hear(speaker, microphone, signal)
        microphone.stop()

        assert_heard(signal, heard)
    speaker.shutdown()
    microphone.shutdown()


def test_the_system_chooses_the_device(package):
    # By default: the speaker is `ear`, and the microphone does not hear it.
    speaker = driver.running("speaker")
    microphone = driver.running("microphone")
    ear_tap = driver.running(
        "microphone", device="ear_tap", bufferSize="96000"
    )
    signal = noise(10)

    heard = play_and_hear(speaker, ear_tap, signal)

    assert_heard(signal, heard)
    buffer = nda.AudioBuffer(2, 512)
    while not microphone.read_audio(buffer):
        pass
    assert not buffer.data.any()
    for plugin in (speaker, microphone, ear_tap):
        plugin.shutdown()


def test_a_name_that_is_no_device_lists_those_that_are(package):
    speaker = driver.initialized("speaker", device="none")

    with pytest.raises(OSError) as failure:
        speaker.start()

    said = str(failure.value)
    assert "there is no device called “none”" in said
    assert "“cable” (" in said and "“ear” (" in said
    speaker.shutdown()


@pytest.mark.parametrize("name", ["microphone", "speaker"])
def test_it_keeps_the_rules_of_the_contract_in_both_isolations(name):
    path = Path(nda.plugins_path(), name + ".py")

    done = check_when_ready(path)

    assert done.returncode == 0, done.stdout


def test_a_check_is_made_again_only_if_portaudio_was_not_ready(monkeypatch):
    said = []

    def run(*_arguments, **_options):
        return subprocess.CompletedProcess([], 1, said.pop(0))

    monkeypatch.setattr(subprocess, "run", run)

    said[:] = [NOT_READY, "rule 4.2", NOT_READY]
    assert check_when_ready("speaker.py").stdout == "rule 4.2"
    said[:] = [NOT_READY] * MAX_TRIES
    assert check_when_ready("speaker.py").stdout == NOT_READY
    assert said == []
