# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndasrc and ndasink: what goes in comes out, and what is wrong is named."""

import os
import struct
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from conftest import get_int

BLOCK = 512
NO_SOUND = {"PULSE_SERVER": "unix:/nonexistent", "XDG_RUNTIME_DIR": "/none"}


@pytest.fixture
def recording(tmp_path):
    """A WAV file of 16-bit noise at 48 kHz, and its samples."""

    def write(name="in.wav", n_frames=24001, channels=2, rate=48000):
        path = tmp_path / name
        samples = (
            np.random.default_rng(7)
            .integers(-(2**15), 2**15, (n_frames, channels))
            .astype("<i2")
        )
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(samples.tobytes())
        return path, samples

    return write


@pytest.fixture
def play(gst):
    """Runs a description until EOS; returns the error there was, or None."""
    made = []

    def run(description, **properties):
        pipeline = gst.parse_launch(description)
        made.append(pipeline)
        for name, value in properties.items():
            element, _, prop = name.partition("__")
            pipeline.get_by_name(element).set_property(
                prop.replace("_", "-"), value
            )
        pipeline.set_state(gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(
            60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
        )
        assert message is not None, "the pipeline hangs"
        run.pipeline = pipeline
        if message.type == gst.MessageType.EOS:
            return None
        return message.parse_error()[0]

    yield run
    for pipeline in made:
        pipeline.set_state(gst.State.NULL)


def read_float_wav(path):
    """Frames of a WAV file of 32-bit floats, by its header's own sizes."""
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    at = 12
    while data[at:at + 4] != b"data":
        if data[at:at + 4] == b"fmt ":
            kind, channels = struct.unpack("<HH", data[at + 8:at + 12])
            assert kind == 3
        at += 8 + struct.unpack("<I", data[at + 4:at + 8])[0]
    n_bytes = struct.unpack("<I", data[at + 4:at + 8])[0]
    assert 0 < n_bytes <= len(data) - at - 8  # tags may stand behind it
    samples = np.frombuffer(data[at + 8:at + 8 + n_bytes], "<f4")
    return samples.reshape(-1, channels)


def stats(pipeline, name):
    return pipeline.get_by_name(name).get_property("stats")


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


def test_ogg_is_written(play, recording, tmp_path):
    path, samples = recording()
    out = tmp_path / "out.ogg"

    assert play(f"ndasrc uri={path.as_uri()} ! ndasink location={out}") is None
    assert out.read_bytes()[:4] == b"OggS"


def test_other_rates_are_converted(gst, play, recording, tmp_path):
    path, samples = recording(rate=44100, n_frames=44107)
    out = tmp_path / "out.wav"

    assert play(f"ndasrc uri={path.as_uri()} ! ndasink location={out}") is None
    is_exact = gst.ElementFactory.find("ndaresample") is not None
    error = len(read_float_wav(out)) - round(44107 * 48000 / 44100)
    assert error == 0 if is_exact else abs(error) <= 64


def test_ndasink_converts_to_the_rate_that_the_sink_takes(
    gst, play, recording, tmp_path
):
    path, samples = recording(n_frames=48000)
    out = tmp_path / "out.wav"

    error = play(
        f"ndasrc uri={path.as_uri()} ! ndasink sink=\"capsfilter "
        "caps=audio/x-raw,rate=22050,format=S16LE ! wavenc ! "
        f'filesink location={out}"'
    )

    assert error is None
    with wave.open(str(out)) as file:
        assert file.getframerate() == 22050
        assert abs(file.getnframes() - 22050) <= 64


@pytest.mark.parametrize("rate", [44100, 48000])
def test_without_ndaresample_another_rate_warns(rate, tmp_path):
    folders = os.environ["GST_PLUGIN_PATH_1_0"].split(":")
    without = [name for name in folders if Path(name).name != "soxr"]

    said = subprocess.run(
        ["gst-launch-1.0", "ndasrc"]
        + [f"source=audiotestsrc num-buffers=9 ! capsfilter caps=audio/x-raw,rate={rate}"]
        + ["!", "fakesink"],
        env={
            **os.environ,
            "LC_ALL": "C",
            "GST_PLUGIN_PATH_1_0": ":".join(without),
            "GST_REGISTRY": str(tmp_path / "registry"),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "Got EOS" in said.stdout
    assert ("44100 Hz to 48000 Hz" in said.stdout) == (
        rate == 44100
    )


def test_blocks_come_out_of_ndasrc(gst, play):
    sizes = []
    pipeline = gst.parse_launch(
        "ndasrc source=\"audiotestsrc num-buffers=3 samplesperbuffer=700\" "
        "! fakesink name=sink signal-handoffs=true"
    )
    sink = pipeline.get_by_name("sink")
    sink.connect(
        "handoff", lambda sink, buffer, pad: sizes.append(buffer.get_size())
    )
    pad = sink.get_static_pad("sink")
    pipeline.set_state(gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(
        60 * gst.SECOND, gst.MessageType.EOS
    )
    caps = pad.get_current_caps()
    bpf = 4 * get_int(caps, "channels")
    pipeline.set_state(gst.State.NULL)

    assert sizes == [BLOCK * bpf] * 4 + [(2100 - 4 * BLOCK) * bpf]
    assert get_int(caps, "block-frames") == BLOCK


# --- sources and sinks as elements and as descriptions ---

SOURCES = {
    "one element": "audiotestsrc num-buffers=5",
    "a chain": "audiotestsrc num-buffers=5 ! audioconvert",
    "T24, ends in decodebin": "filesrc location={} ! decodebin",
    "T24, no pad yet": "uridecodebin uri=file://{}",
    "a demuxer": "filesrc location={} ! wavparse",
}


@pytest.mark.parametrize("kind", SOURCES)
def test_source_may_be_a_description(play, recording, kind):
    path, samples = recording()
    text = SOURCES[kind].format(path)

    assert play(f'ndasrc source="{text}" name=src ! fakesink') is None
    assert stats(play.pipeline, "src").get_value("num-frames") > 0


def test_t24_source_with_a_stray_ghost_pad_is_linked_rightly(
    gst, play, recording
):
    path, samples = recording()
    source = gst.parse_bin_from_description(
        f"filesrc location={path} ! decodebin", True
    )

    assert play("ndasrc name=src ! fakesink", src__source=source) is None
    assert stats(play.pipeline, "src").get_value("num-frames") == len(samples)


def test_source_may_be_an_element(gst, play):
    source = gst.ElementFactory.make("audiotestsrc")
    source.set_property("num-buffers", 4)

    assert play("ndasrc name=src ! fakesink", src__source=source) is None
    assert play.pipeline.get_by_name("src").get_property("source") == source


def test_it_plays_again_and_again(gst, play, recording):
    path, samples = recording()
    text = f"filesrc location={path} ! decodebin"
    assert play(f'ndasrc name=src source="{text}" ! ndasink sink=fakesink') is (
        None
    )
    pipeline = play.pipeline

    for _ in range(3):
        pipeline.set_state(gst.State.NULL)
        pipeline.set_state(gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(
            60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
        )
        assert message.type == gst.MessageType.EOS
        assert stats(pipeline, "src").get_value("num-frames") == len(samples)


def test_children_can_be_reached(gst, play):
    pipeline = gst.parse_launch('ndasrc name=src ! ndasink name=sink')
    for name, child in (("src", "convert"), ("sink", "resample")):
        element = pipeline.get_by_name(name)
        assert element.get_child_by_name(child) is not None


@pytest.mark.parametrize(
    "name, bin, kept",
    [("alsasrc", "ndasrc", "re-timestamp"), ("alsasink", "ndasink", "none")],
)
def test_devices_keep_every_sample_where_drift_is_made_up_for(
    gst, name, bin, kept
):
    if not gst.ElementFactory.find(name):
        pytest.skip(f"there is no {name}")
    if not gst.ElementFactory.find("ndaresample"):
        pytest.skip("nda was built without libsoxr")

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


def test_t27_ndasrc_handles_no_uris(gst):
    factory = gst.ElementFactory.find("ndasrc")

    assert factory.get_uri_type() == gst.URIType.UNKNOWN


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
            assert element.get_property("buffer-time") == 21334
            deadline = element.get_property("processing-deadline")
            assert deadline == 5 * gst.MSECOND
        else:
            assert element.get_property("buffer-time") >= 100000


def test_what_the_user_asked_of_a_device_stays(gst):
    if not gst.ElementFactory.find("pulsesink"):
        pytest.skip("there are no elements of PulseAudio")
    element = gst.ElementFactory.make("pulsesink")
    element.set_property("buffer-time", 50000)

    gst.Bin.add(gst.ElementFactory.make("ndasink"), element)

    assert element.get_property("buffer-time") == 50000


# --- what is wrong is named ---


def test_missing_file_is_named(play, tmp_path):
    error = play(f"ndasrc uri=file://{tmp_path}/none.wav ! fakesink")

    assert error.message == (
        f"There is no file “{tmp_path}/none.wav”. Check the property “uri”."
    )


def test_path_in_the_place_of_a_uri_is_corrected(play):
    error = play("ndasrc uri=a.wav ! fakesink")

    assert "“a.wav” is not a URI" in error.message
    assert f"“file://{os.getcwd()}/a.wav”" in error.message


def test_folder_is_no_file(play, tmp_path):
    error = play(f"ndasrc uri={tmp_path.as_uri()} ! fakesink")

    assert f"“{tmp_path}” cannot be read" in error.message


def test_file_without_sound_is_named(play, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("no sound at all\n" * 100)

    error = play(f"ndasrc uri={path.as_uri()} ! fakesink")

    assert f"“{path.as_uri()}” cannot be played" in error.message


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


def test_caps_at_the_end_of_a_description_are_told_from_an_element(play):
    error = play('ndasrc source="audiotestsrc ! audio/x-raw" ! fakesink')

    assert "caps (“audio/…”) stand between two elements" in error.message


def test_wrong_property_in_a_description_is_named(play):
    error = play('ndasrc source="audiotestsrc foo=1" ! fakesink')

    assert 'no property "foo" in element "audiotestsrc"' in error.message


def test_other_elements_descriptions_are_read_as_before(gst):
    # ours is the only reader of its own two properties
    playbin = gst.parse_launch('playbin audio-sink="audioconvert ! fakesink"')

    assert playbin.get_property("audio-sink").get_static_pad("sink")


@pytest.mark.parametrize("name", ["out", "out.mp4", "wav"])
def test_unknown_suffix_is_named(play, name):
    error = play(f"audiotestsrc ! ndasink location={name}")

    assert f"The file “{name}” has none of the suffixes" in error.message


def test_existing_file_is_refused_and_kept(play, tmp_path):
    out = tmp_path / "out.wav"
    out.write_text("precious")

    error = play(f"audiotestsrc num-buffers=3 ! ndasink location={out}")

    assert f"The file “{out}” is there already" in error.message
    assert "overwrite=true" in error.message
    assert out.read_text() == "precious"


def test_overwrite_replaces_the_file(play, tmp_path):
    out = tmp_path / "out.wav"
    out.write_text("not precious")

    assert play(
        f"audiotestsrc num-buffers=3 ! ndasink location={out} overwrite=true"
    ) is None
    assert len(read_float_wav(out)) == 3 * 1024


def test_missing_folder_is_named(play, tmp_path):
    error = play(f"audiotestsrc ! ndasink location={tmp_path}/none/out.wav")

    assert f"“{tmp_path}/none/out.wav” cannot be written" in error.message
    assert "No such file or directory" in error.message


def test_failed_start_leaves_no_empty_file(play, gst, tmp_path):
    out = tmp_path / "out.wav"
    play(f"ndasrc uri=file:///none.wav ! ndasink location={out}")

    play.pipeline.set_state(gst.State.NULL)

    assert not out.exists()


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


@pytest.mark.parametrize("text", ["fakesink", "videotestsrc"])
def test_source_without_audio_is_named(play, text):
    error = play(f'ndasrc source="{text}" ! fakesink')

    assert "gives no audio" in error.message


def test_two_sources_are_one_too_many(play):
    error = play('ndasrc source=audiotestsrc uri=file:///a.wav ! fakesink')

    assert "More than one source is named" in error.message


def test_two_sinks_are_one_too_many(play):
    error = play("audiotestsrc ! ndasink sink=fakesink location=a.wav")

    assert "More than one sink is named" in error.message


def test_element_in_use_elsewhere_is_named(gst, play):
    other = gst.Bin()
    source = gst.ElementFactory.make("audiotestsrc", "taken")
    other.add(source)

    error = play("ndasrc name=src ! fakesink", src__source=source)

    assert "“taken” cannot be put into “src”" in error.message


FIELDS = ["num-blocks", "num-frames", "rate", "drift", "num-underruns",
          "num-overruns", "num-discontinuities", "num-device-losses"]


@pytest.mark.parametrize("element, fields", [
    ("ndasrc", FIELDS),
    ("ndasink", FIELDS + ["num-frames-skipped", "min-latency",
                          "avg-latency", "max-latency"]),
])
def test_stats_have_their_fields(gst, element, fields):
    counted = gst.ElementFactory.make(element).get_property("stats")

    assert counted.get_name() == f"application/x-{element}-stats"
    if gst.ElementFactory.find("ndaresample"):
        fields = fields + ["drift-ppm", "drift-state", "delay-error"]
    assert [
        counted.nth_field_name(n) for n in range(counted.n_fields())
    ] == fields


def test_overrun_of_a_source_is_counted_and_told(gst, play):
    pipeline = gst.parse_launch("ndasrc name=src ! fakesink")
    source = gst.parse_launch("appsrc name=app format=time")
    source.set_property("caps", gst.Caps.from_string(
        "audio/x-raw,format=F32LE,rate=48000,channels=1,layout=interleaved"))
    pipeline.get_by_name("src").set_property("source", source)
    pipeline.set_state(gst.State.PLAYING)
    for n in range(4):
        buffer = gst.Buffer.new_wrapped(bytes(BLOCK * 4))
        buffer.pts = n * gst.SECOND // 4
        if n != 1:
            buffer.set_flags(gst.BufferFlags.DISCONT)
        else:
            buffer.pts = BLOCK * gst.SECOND // 48000
        source.emit("push-buffer", buffer)
    source.emit("end-of-stream")
    bus = pipeline.get_bus()
    warning = bus.timed_pop_filtered(
        60 * gst.SECOND, gst.MessageType.WARNING | gst.MessageType.EOS
    )
    bus.timed_pop_filtered(60 * gst.SECOND, gst.MessageType.EOS)
    counted = stats(pipeline, "src")
    pipeline.set_state(gst.State.NULL)

    assert "has lost some sound" in warning.parse_warning()[0].message
    assert counted.get_value("num-overruns") == 2
    assert counted.get_value("num-discontinuities") == 2
    assert counted.get_value("num-frames") == 4 * BLOCK


def test_reaches_null_though_the_source_fails_on_the_way_down(gst):
    class Stubborn(gst.Bin):
        """Fails once on its way to READY, as a decodebin can."""

        def __init__(self):
            super().__init__()
            source = gst.ElementFactory.make("audiotestsrc")
            self.add(source)
            self.add_pad(
                gst.GhostPad.new("src", source.get_static_pad("src"))
            )
            self.failures = 0

        def do_change_state(self, transition):
            result = gst.Bin.do_change_state(self, transition)
            if transition == gst.StateChange.PAUSED_TO_READY:
                self.failures += 1
                if self.failures == 1:
                    return gst.StateChangeReturn.FAILURE
            return result

    stubborn = Stubborn()
    pipeline = gst.parse_launch("ndasrc name=src ! fakesink")
    pipeline.get_by_name("src").set_property("source", stubborn)
    pipeline.set_state(gst.State.PAUSED)
    pipeline.get_state(gst.CLOCK_TIME_NONE)

    result = pipeline.set_state(gst.State.NULL)

    assert stubborn.failures == 2
    assert result == gst.StateChangeReturn.SUCCESS
