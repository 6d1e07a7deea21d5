# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndasrc and ndasink: what goes in comes out, and what both do alike."""

import os
import subprocess
import sys

import numpy as np
import pytest
from ndaio import (  # noqa: F401
    BLOCK,
    play,
    read_float_wav,
    recording,
    stats,
)

NO_SOUND = {"PULSE_SERVER": "unix:/nonexistent", "XDG_RUNTIME_DIR": "/none"}


def test_file_to_file_is_bit_exact(play, recording, tmp_path):
    path, samples = recording()
    out = tmp_path / "out.wav"

    error = play(
        "ndasrc name=src ! ndasink name=sink",
        src__uri=path.as_uri(),
        sink__location=str(out),
    )

    assert error is None
    assert np.array_equal(
        read_float_wav(out), samples.astype(np.float32) / 32768
    )
    for name in ("src", "sink"):
        counted = stats(play.pipeline, name)
        assert counted.get_value("num-frames") == len(samples)
        assert counted.get_value("num-blocks") == -(-len(samples) // BLOCK)
        assert counted.get_value("num-discontinuities") == 0


def test_flac_keeps_every_bit_of_16(play, recording, tmp_path):
    path, samples = recording()
    flac, back = tmp_path / "out.flac", tmp_path / "back.wav"

    assert play(f"ndasrc uri={path.as_uri()} ! ndasink location={flac}") is (
        None
    )
    assert play(f"ndasrc uri={flac.as_uri()} ! ndasink location={back}") is (
        None
    )

    assert np.array_equal(
        read_float_wav(back), samples.astype(np.float32) / 32768
    )


def test_it_plays_again_and_again(gst, play, recording):
    path, samples = recording()
    text = f"filesrc location={path} ! decodebin"
    line = f'ndasrc name=src source="{text}" ! ndasink sink=fakesink'
    assert play(line) is None
    pipeline = play.pipeline

    for _ in range(3):
        pipeline.set_state(gst.State.NULL)
        pipeline.set_state(gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(
            60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
        )
        assert message.type == gst.MessageType.EOS
        assert stats(pipeline, "src").get_value("num-frames") == len(samples)


def test_children_can_be_reached(gst):
    pipeline = gst.parse_launch('ndasrc name=src ! ndasink name=sink')
    for name, child in (("src", "convert"), ("sink", "resample")):
        element = pipeline.get_by_name(name)
        assert element.get_child_by_name(child) is not None


@pytest.mark.parametrize(
    "text, inner",
    [
        ('ndasrc source="audiotestsrc num-buffers=2" ! fakesink',
         "audiotestsrc"),
        ('audiotestsrc num-buffers=2 ! ndasink sink="fakesink"', "fakesink"),
    ],
)
def test_the_application_sees_elements_come_and_go_inside(gst, text, inner):
    """As in any bin: deep-element-added is how a key reaches ndadecrypt."""
    pipeline = gst.parse_launch(text)
    seen = []
    for signal in ("deep-element-added", "deep-element-removed"):
        pipeline.connect(
            signal,
            lambda _bin, _parent, element, signal: seen.append(
                (signal, element.get_factory().get_name())
            ),
            signal,
        )

    pipeline.set_state(gst.State.PAUSED)
    pipeline.get_state(gst.CLOCK_TIME_NONE)
    pipeline.set_state(gst.State.NULL)

    assert ("deep-element-added", inner) in seen
    assert ("deep-element-removed", inner) in seen


FIELDS = ["num-blocks", "num-frames", "rate", "drift", "num-underruns",
          "num-overruns", "num-discontinuities", "num-device-losses"]
FOLLOWING = ["drift-ppm", "drift-state", "delay-error"]
REALTIME = ["realtime", "num-realtime-threads", "num-realtime-revoked"]


@pytest.mark.parametrize("element, fields", [
    ("ndasrc", FIELDS + FOLLOWING + REALTIME),
    ("ndasink", FIELDS + ["num-frames-skipped", "num-frames-silent",
                          "min-latency",
                          "avg-latency", "max-latency"]
     + FOLLOWING + REALTIME),
])
def test_stats_have_their_fields(gst, element, fields):
    counted = gst.ElementFactory.make(element).get_property("stats")

    assert counted.get_name() == f"application/x-{element}-stats"
    assert [
        counted.nth_field_name(n) for n in range(counted.n_fields())
    ] == fields


# --- devices ---


@pytest.mark.parametrize(
    "name, bin, kept",
    [("alsasrc", "ndasrc", "re-timestamp"), ("alsasink", "ndasink", "none")],
)
def test_devices_keep_every_sample_where_drift_is_made_up_for(
    gst, name, bin, kept
):
    if not gst.ElementFactory.find(name):
        pytest.skip(f"there is no {name}")

    def method_in(compensation, **settings):
        parent = gst.ElementFactory.make(bin)
        element = gst.ElementFactory.make(name)
        gst.util_set_object_arg(parent, "drift-compensation", compensation)
        for setting, value in settings.items():
            gst.util_set_object_arg(element, setting, value)
        gst.Bin.add(parent, element)
        return element.get_property("slave-method").value_nick

    assert method_in("auto") == kept
    assert method_in("off") == "skew"
    # what the user chose stays; then nothing is followed
    assert method_in("auto", **{"slave-method": "resample"}) == "resample"


def test_devices_are_asked_for_blocks(gst):
    made = {}
    for name in ("pulsesink", "alsasink", "pulsesrc", "alsasrc"):
        if gst.ElementFactory.find(name):
            made[name] = gst.ElementFactory.make(name)
    if not made:
        pytest.skip("there are neither PulseAudio's nor ALSA's elements")
    for name, element in made.items():
        is_sink = name.endswith("sink")
        parent = gst.ElementFactory.make("ndasink" if is_sink else "ndasrc")
        gst.Bin.add(parent, element)

        assert element.get_property("latency-time") == 10667
        if is_sink:
            # of a server's, half a period is the device's, and half no one's
            n_periods = 3 if name == "pulsesink" else 2
            assert element.get_property("buffer-time") == n_periods * 10667
            deadline = element.get_property("processing-deadline")
            assert deadline == 5 * gst.MSECOND
        else:
            assert element.get_property("buffer-time") >= 100000


# --- what is wrong is named ---


@pytest.mark.parametrize("bin, prop", [("ndasrc", "source"),
                                       ("ndasink", "sink")])
def test_t26_missing_element_of_a_description_is_named(gst, play, bin, prop):
    ends = ("", " ! fakesink") if bin == "ndasrc" else ("audiotestsrc ! ", "")

    error = play(f'{ends[0]}{bin} {prop}="nosuch foo=1"{ends[1]}')

    assert "“nosuch foo=1” cannot be made" in error.message
    assert "there is no element “nosuch”" in error.message
    assert error.matches(
        gst.CoreError.quark(), gst.CoreError.MISSING_PLUGIN
    )


@pytest.fixture
def remove_element(gst):
    """Makes an element unknown for as long as a test runs."""
    registry = gst.Registry.get()
    removed = []

    def remove(name):
        removed.append(registry.find_feature(name, gst.ElementFactory))
        registry.remove_feature(removed[-1])

    yield remove
    for feature in removed:
        registry.add_feature(feature)


@pytest.mark.parametrize("missing", ["audioconvert", "ndaresample"])
@pytest.mark.parametrize("bin, ends", [("ndasrc", ("", " ! fakesink")),
                                       ("ndasink", ("audiotestsrc ! ", ""))])
def test_missing_element_of_ours_is_named(
    gst, play, remove_element, bin, ends, missing
):
    prop = "source=audiotestsrc" if bin == "ndasrc" else "sink=fakesink"
    remove_element(missing)

    error = play(f"{ends[0]}{bin} name=bin {prop}{ends[1]}")

    assert f"There is no element “{missing}”" in error.message
    assert error.matches(gst.CoreError.quark(), gst.CoreError.MISSING_PLUGIN)
    # and again, since it changes nothing
    element = play.pipeline.get_by_name("bin")
    assert element.set_state(gst.State.NULL) == gst.StateChangeReturn.SUCCESS
    assert element.set_state(gst.State.READY) == gst.StateChangeReturn.FAILURE
    assert stats(play.pipeline, "bin").get_value("num-frames") == 0


LEAKING = """
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst

Gst.init(None)
registry = Gst.Registry.get()
feature = registry.find_feature(sys.argv[1], Gst.ElementFactory)
registry.remove_feature(feature)
for element in ("ndasrc", "ndasink"):
    made = Gst.ElementFactory.make(element)
    assert made.set_state(Gst.State.READY) == Gst.StateChangeReturn.FAILURE
    del made
del feature, registry
Gst.deinit()
"""


@pytest.mark.parametrize("missing", ["audioconvert", "ndaresample"])
def test_nothing_leaks_where_an_element_of_ours_is_missing(missing):
    run = subprocess.run(
        [sys.executable, "-c", LEAKING, missing],
        env={
            **os.environ,
            "GST_TRACERS": "leaks(filters=GstElement)",
            "GST_DEBUG": "GST_TRACER:7",
        },
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )

    assert "object-alive, type-name=" in run.stderr  # the record's format
    assert "object-alive, type-name=(string)Gst" not in run.stderr
    assert "object-alive, type-name=(string)Nda" not in run.stderr


def test_other_elements_descriptions_are_read_as_before(gst):
    # ours is the only reader of its own two properties
    playbin = gst.parse_launch('playbin audio-sink="audioconvert ! fakesink"')

    assert playbin.get_property("audio-sink").get_static_pad("sink")


@pytest.mark.parametrize("bin, ends", [("ndasrc", ("", " ! fakesink")),
                                       ("ndasink", ("audiotestsrc ! ", ""))])
def test_missing_device_is_named(play, monkeypatch, bin, ends):
    for name, value in NO_SOUND.items():
        monkeypatch.setenv(name, value)

    error = play(f"{ends[0]}{bin} device=nosuch{ends[1]}")

    assert "There is no audio device “nosuch”" in error.message


@pytest.mark.parametrize(
    "bin, ends, text",
    [
        ("ndasrc", ("", " ! fakesink"), "There is no microphone"),
        ("ndasink", ("audiotestsrc ! ", ""), "There is no speaker"),
    ],
)
def test_t25_no_device_at_all_is_an_error(
    play, monkeypatch, bin, ends, text
):
    if os.path.exists("/proc/asound/cards"):
        pytest.skip("this machine has a sound card")
    for name, value in NO_SOUND.items():
        monkeypatch.setenv(name, value)

    error = play(f"{ends[0]}{bin}{ends[1]}")

    assert text in error.message
