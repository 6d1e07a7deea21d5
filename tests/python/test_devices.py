# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The microphone and the speaker over a PortAudio that the test drives."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import nda
import plugin_driver as driver
from fake_portaudio import FakePortAudio

PACKAGES = ["pyaudio", "sounddevice"]
PLUGINS = ["microphone", "speaker"]


@pytest.fixture(params=PACKAGES)
def package(request):
    return request.param


@pytest.fixture
def install(monkeypatch, package):
    """Make one of the packages the only one that there is."""

    def install_fake(**options):
        fake = FakePortAudio(**options)
        for name in PACKAGES:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, package, getattr(fake, package)())
        return fake

    return install_fake


@pytest.fixture
def fake(install):
    return install()


def noise(channels, n_frames):
    random = np.random.default_rng(4)
    return random.uniform(-1, 1, (channels, n_frames)).astype(np.float32)


def overruns(plugin):
    return int(plugin.get_parameter("overruns"))


def underruns(plugin):
    return int(plugin.get_parameter("underruns"))


# --- Which device, and how --------------------------------------------------


@pytest.mark.parametrize("name", PLUGINS)
def test_3_8_no_package_is_a_hint_and_no_error_at_import(
    name, monkeypatch
):
    for package in PACKAGES:
        monkeypatch.setitem(sys.modules, package, None)
    plugin = driver.load(name).create_plugin()

    assert plugin.get_info().name.lower() == name
    with pytest.raises(OSError) as caught:
        plugin.initialize()

    assert "“apt-get install python3-pyaudio”" in str(caught.value)
    plugin.shutdown()


def test_sounddevice_comes_first(monkeypatch):
    fakes = {name: FakePortAudio() for name in PACKAGES}
    for name in PACKAGES:
        monkeypatch.setitem(
            sys.modules, name, getattr(fakes[name], name)()
        )

    driver.running("microphone")

    assert len(fakes["sounddevice"].streams) == 1
    assert not fakes["pyaudio"].streams


@pytest.mark.parametrize("name", PLUGINS)
def test_nothing_is_opened_before_start(name, fake):
    plugin = driver.initialized(name, channels="2")
    plugin.get_info()
    plugin.set_sample_rate(48000)
    assert not fake.streams

    plugin.start()
    assert fake.stream.log == ["start"]
    if name == "speaker":
        fake.stream.play_until(plugin.shutdown)
    plugin.shutdown()
    assert fake.stream.log == ["start", "stop", "close"]


@pytest.mark.parametrize("name", PLUGINS)
def test_importing_a_plugin_imports_no_package(name):
    code = (
        "import sys, plugin_driver as driver; "
        f"driver.load('{name}').create_plugin().get_info(); "
        "print([m for m in ('pyaudio', 'sounddevice') if m in sys.modules])"
    )
    said = subprocess.check_output(
        [sys.executable, "-c", code],
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert said == "[]\n"


@pytest.mark.parametrize(
    "name, parameters, index",
    [
        ("microphone", {}, 0),
        ("speaker", {}, 1),
        ("speaker", {"device": "both ears"}, 2),
        ("speaker", {"device": "both"}, 2),
        ("microphone", {"deviceIndex": "2"}, 2),
        ("microphone", {"deviceIndex": "2", "device": "mic"}, 2),
    ],
)
def test_device_is_chosen_by_name_by_index_or_by_the_system(
    name, parameters, index, fake
):
    driver.running(name, **parameters)

    assert fake.stream.device == index


@pytest.mark.parametrize(
    "name, parameters, text",
    [
        (
            "speaker",
            {"device": "mic"},
            "there is no device called “mic”; those there are: “loud” (1), "
            "“both ears” (2)",
        ),
        (
            "microphone",
            {"deviceIndex": "1"},
            "there is no device with the index 1; those there are: “mic” "
            "(0), “both ears” (2)",
        ),
        (
            "speaker",
            {"device": "o"},
            "several devices are called “o”; those there are: “loud” (1), "
            "“both ears” (2)",
        ),
    ],
)
def test_a_device_that_is_not_there_is_an_error_that_lists_those_that_are(
    name, parameters, text, fake
):
    plugin = driver.initialized(name, **parameters)

    with pytest.raises(OSError) as caught:
        plugin.start()

    assert text in str(caught.value)
    assert not fake.streams


def test_no_default_device_is_an_error(install):
    install(default=(-1, -1), devices=[])
    plugin = driver.initialized("microphone")

    with pytest.raises(OSError) as caught:
        plugin.start()

    assert (
        "there is no device that is the default; those there are: none"
        in str(caught.value)
    )


@pytest.mark.parametrize("name", PLUGINS)
def test_5_2_a_rate_that_the_device_has_not_is_not_reported(name, install):
    refuses = [(48000, 1), (48000, 2)]
    fake = install(refuses=refuses, devices=[("old", 2, 2, 44100)],
                   default=(0, 0))
    plugin = driver.initialized(name)

    plugin.set_sample_rate(48000)

    assert plugin.get_sample_rate() == 44100
    assert plugin.start() is True
    assert (fake.stream.rate, fake.stream.period) == (44100, 441)


@pytest.mark.parametrize("name", PLUGINS)
def test_5_4_a_device_may_fall_back_to_mono(name, install):
    fake = install(refuses=[(48000, 2)])
    plugin = driver.initialized(name)
    assert plugin.get_channels() == 2

    driver.start(plugin)

    assert plugin.get_channels() == fake.stream.channels == 1


def test_5_4_a_device_with_one_channel_gives_one(fake):
    plugin = driver.running("microphone", device="both")

    assert plugin.get_channels() == 1


@pytest.mark.parametrize("name", PLUGINS)
def test_a_device_that_cannot_be_opened_is_an_error(name, install):
    install(refuses=[(48000, 1), (48000, 2), (44100, 1), (44100, 2)])
    plugin = driver.initialized(name)

    with pytest.raises(OSError) as caught:
        plugin.start()

    assert (
        "cannot be opened with 2 channels at 48000 Hz: Invalid number of "
        "channels" in str(caught.value)
    )


@pytest.mark.parametrize(
    "mode, period", [("low", 480), ("normal", 480), ("high", 960)]
)
def test_periods_are_whole_milliseconds(mode, period, fake):
    driver.running("microphone", latencyMode=mode)

    assert fake.stream.period == period


def test_pyaudio_is_given_back(monkeypatch):
    fake = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setitem(sys.modules, "pyaudio", fake.pyaudio())
    plugin = driver.running("microphone")

    plugin.shutdown()

    assert fake.n_terminated == 1


# --- The microphone ---------------------------------------------------------


def start_reading(fake, **parameters):
    """Return a microphone that has had its first call."""
    plugin = driver.running("microphone", **parameters)
    buffer = nda.AudioBuffer(plugin.get_channels(), 512)
    assert plugin.read_audio(buffer) is False
    return plugin


def test_microphone_gives_every_bit_in_blocks(fake):
    plugin = start_reading(fake)
    heard = noise(2, 4800)
    heard.view(np.uint32)[:, :2] = [0x7FC54321, 0xFFA12345]

    for at in range(0, 4800, 480):
        fake.stream.hear(heard[:, at : at + 480])
    got = driver.read(plugin, *[512] * 9)

    assert (driver.bits_of(got) == driver.bits_of(heard[:, :4608])).all()
    assert plugin.get_parameter("queued") == "192"
    assert plugin.read_audio(nda.AudioBuffer(2, 512)) is False
    assert overruns(plugin) == 0


def test_microphone_forgets_what_came_before_the_first_call(fake):
    plugin = driver.running("microphone")
    fake.stream.hear(np.zeros((2, 4800)))
    heard = noise(2, 512)

    assert plugin.read_audio(nda.AudioBuffer(2, 512)) is False
    fake.stream.hear(heard)

    assert (driver.read(plugin, 512) == heard).all()
    assert overruns(plugin) == 0


def test_microphone_waits_for_the_block(fake):
    plugin = start_reading(fake)
    heard = noise(2, 960)
    fake.stream.hear(heard[:, :480])
    got = []
    reader = threading.Thread(
        target=lambda: got.append(driver.read(plugin, 512))
    )
    plugin._moved.wait_for = lambda predicate, timeout: (
        fake.stream.hear(heard[:, 480:]),
        predicate(),
    )[1]

    reader.start()
    reader.join()

    assert (got[0] == heard[:, :512]).all()


def test_microphone_counts_what_the_ring_lost_and_goes_on_afresh(fake):
    plugin = start_reading(fake, bufferSize="4096")
    fake.stream.hear(noise(2, 5000))

    assert plugin.read_audio(nda.AudioBuffer(2, 512)) is False
    assert overruns(plugin) == 1
    fake.stream.hear(noise(2, 512))

    assert (driver.read(plugin, 512) == noise(2, 512)).all()
    assert overruns(plugin) == 1


def test_microphone_counts_what_portaudio_lost(fake):
    plugin = start_reading(fake)

    fake.stream.hear(noise(2, 480), overflow=True)
    fake.stream.hear(noise(2, 480))

    assert overruns(plugin) == 1


def test_microphone_loses_nothing_to_a_host_that_is_late(fake):
    plugin = start_reading(fake)
    heard = noise(2, 9600)

    for at in range(0, 9600, 480):
        fake.stream.hear(heard[:, at : at + 480])

    assert (driver.read(plugin, *[480] * 20) == heard).all()
    assert overruns(plugin) == 0


def test_9_2_stop_unblocks_the_microphone(fake):
    plugin = start_reading(fake)
    waits = threading.Event()
    results = []
    wait_for = plugin._moved.wait_for

    def wait_for_ever(predicate, timeout):
        waits.set()
        return wait_for(predicate)

    plugin._moved.wait_for = wait_for_ever
    reader = threading.Thread(
        target=lambda: results.append(
            plugin.read_audio(nda.AudioBuffer(2, 512))
        )
    )
    reader.start()
    waits.wait()
    plugin.stop()
    reader.join()

    assert results == [False]


def test_4_2_microphone_starts_again(fake):
    plugin = start_reading(fake)
    fake.stream.hear(noise(2, 5000))
    plugin.stop()
    driver.start(plugin)
    assert plugin.read_audio(nda.AudioBuffer(2, 512)) is False

    fake.stream.hear(noise(2, 512))

    assert (driver.read(plugin, 512) == noise(2, 512)).all()
    assert len(fake.streams) == 2 and overruns(plugin) == 0


# --- The speaker ------------------------------------------------------------


def start_speaker(**parameters):
    """Return a speaker whose callback never waits for the host."""
    plugin = driver.running("speaker", **parameters)
    plugin._patience = 0
    return plugin


def test_speaker_plays_every_bit_and_all_of_it(fake):
    plugin = start_speaker()
    signal = noise(2, 5120)
    signal.view(np.uint32)[:, :2] = [0x7FC54321, 0xFFA12345]

    driver.write(plugin, signal)
    played = fake.stream.play_until(plugin.stop)

    assert (
        driver.bits_of(played[:, :5120]) == driver.bits_of(signal)
    ).all()
    # The device throws away what it has when it is closed: 20 ms here.
    assert played.shape[1] - 5120 >= 960 and not played[:, 5120:].any()
    assert underruns(plugin) == 0


@pytest.mark.parametrize(
    "mode, n_frames", [("low", 1024), ("normal", 1536), ("high", 4096)]
)
def test_speaker_starts_to_play_with_enough(mode, n_frames, fake):
    plugin = start_speaker(latencyMode=mode)
    signal = noise(2, n_frames)

    driver.write(plugin, signal[:, : n_frames - 1])
    assert not fake.stream.play().any()
    driver.write(plugin, signal[:, n_frames - 1 :])

    assert (fake.stream.play(480) == signal[:, :480]).all()
    assert underruns(plugin) == 0


def test_speaker_plays_even_what_is_not_enough_to_start(fake):
    plugin = start_speaker()
    signal = noise(2, 100)

    driver.write(plugin, signal)
    played = fake.stream.play_until(plugin.stop)

    assert (played[:, :100] == signal).all() and not played[:, 100:].any()


def test_speaker_refuses_what_has_no_room_and_loses_nothing(fake):
    plugin = start_speaker(bufferSize="4096")
    signal = noise(2, 4096)
    driver.write(plugin, signal)
    buffer = nda.AudioBuffer(2, 512)

    assert plugin.get_available_space() == 0
    assert plugin.write_audio(buffer) is False

    played = fake.stream.play_until(plugin.stop)
    assert (played[:, :4096] == signal).all()
    assert not played[:, 4096:].any()


def test_speaker_counts_an_underrun_once_and_starts_again_with_enough(fake):
    plugin = start_speaker()
    signal = noise(2, 1536)
    driver.write(plugin, signal)

    played = [fake.stream.play() for _ in range(6)]

    played = np.concatenate(played, axis=1)
    assert (played[:, :1536] == signal).all()
    assert not played[:, 1536:].any()
    assert underruns(plugin) == 1
    driver.write(plugin, signal)
    assert (fake.stream.play() == signal[:, :480]).all()
    assert underruns(plugin) == 1


def test_speaker_counts_when_the_device_ran_dry(fake):
    plugin = start_speaker()
    # Before there is anything to play, that is no loss.
    fake.stream.play(underflow=True)
    driver.write(plugin, noise(2, 1536))

    fake.stream.play(underflow=True)
    fake.stream.play()

    assert underruns(plugin) == 1


def test_speaker_waits_for_a_host_that_is_a_little_late(fake):
    plugin = driver.running("speaker")
    signal = noise(2, 2048)
    driver.write(plugin, signal[:, :1536])
    fake.stream.play(1440)

    def be_late(predicate, timeout):
        assert 0 < timeout < 0.01
        assert not predicate()
        plugin._ring.write(signal[:, 1536:])
        return predicate()

    plugin._moved.wait_for = be_late
    assert (fake.stream.play() == signal[:, 1440:1920]).all()
    assert underruns(plugin) == 0


def test_9_2_stop_unblocks_the_speaker(fake):
    plugin = start_speaker(bufferSize="4096")
    driver.write(plugin, noise(2, 4096))
    waits = threading.Event()
    results = []
    wait_for = plugin._moved.wait_for

    def wait_for_ever(predicate, timeout):
        waits.set()
        return wait_for(predicate)

    plugin._moved.wait_for = wait_for_ever
    writer = threading.Thread(
        target=lambda: results.append(
            plugin.write_audio(nda.AudioBuffer(2, 512))
        )
    )
    writer.start()
    waits.wait()
    plugin._moved.wait_for = wait_for
    fake.stream.play_until(plugin.stop)
    writer.join()

    assert results == [False]


def test_speaker_stops_without_its_device(fake, monkeypatch):
    # A device that was pulled out calls nobody back.
    plugin = start_speaker()
    monkeypatch.setattr(sys.modules["speaker"], "DRAIN_SECONDS", 0.0)
    driver.write(plugin, noise(2, 512))

    plugin.stop()

    assert fake.stream.log == ["start", "stop", "close"]


def test_a_callback_makes_no_array_but_its_bytes(package, install):
    fake = install()
    plugin = start_speaker()
    buffer = nda.AudioBuffer(2, 480)

    def write_and_play():
        plugin.write_audio(buffer)
        fake.stream.play()

    driver.write(plugin, noise(2, 1536))
    # The bytes that PortAudio copies from, and the fake's own
    assert driver.peak_of(write_and_play) < 3 * 480 * 2 * 4 + 2048
