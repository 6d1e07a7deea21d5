# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndasrc: any source in blocks, and what is wrong with one is named."""

import os
import subprocess
from pathlib import Path

import pytest
from lines import get_int
from ndaio import (  # noqa: F401
    BLOCK,
    play,
    read_float_wav,
    recording,
    stats,
)


def test_other_rates_are_converted(play, recording, tmp_path):
    path, samples = recording(rate=44100, n_frames=44107)
    out = tmp_path / "out.wav"

    assert play(f"ndasrc uri={path.as_uri()} ! ndasink location={out}") is None
    assert len(read_float_wav(out)) == round(44107 * 48000 / 44100)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_without_ndaresample_there_is_an_error(gst, rate, tmp_path):
    """Even where no rate has to be converted: a device might be followed."""
    plugin = gst.ElementFactory.find("ndaresample").get_plugin()
    folders = os.environ["GST_PLUGIN_PATH_1_0"].split(":")
    without = [
        name
        for name in folders
        if Path(name) != Path(plugin.get_filename()).parent
    ]

    said = subprocess.run(
        ["gst-launch-1.0", "ndasrc"]
        + ["source=audiotestsrc num-buffers=9 ! "
           f"capsfilter caps=audio/x-raw,rate={rate}"]
        + ["!", "fakesink"],
        env={
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "GST_PLUGIN_PATH_1_0": ":".join(without),
            "GST_REGISTRY": str(tmp_path / "registry"),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "Got EOS" not in said.stdout
    assert "There is no element “ndaresample”" in said.stderr
    assert "plugin libgstndaresample" in said.stderr
    code = int(gst.CoreError.MISSING_PLUGIN)
    assert f"gst-core-error-quark, code {code}" in said.stderr


def test_blocks_come_out_of_ndasrc(gst):
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
    assert "block-frames" not in caps.to_string()


# --- sources as elements and as descriptions ---

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


def test_t27_ndasrc_handles_no_uris(gst):
    factory = gst.ElementFactory.find("ndasrc")

    assert factory.get_uri_type() == gst.URIType.UNKNOWN


def test_overrun_of_a_source_is_counted_and_told(gst):
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


def test_caps_at_the_end_of_a_description_are_told_from_an_element(play):
    error = play('ndasrc source="audiotestsrc ! audio/x-raw" ! fakesink')

    assert "caps (“audio/…”) stand between two elements" in error.message


def test_wrong_property_in_a_description_is_named(play):
    error = play('ndasrc source="audiotestsrc foo=1" ! fakesink')

    assert 'no property "foo" in element "audiotestsrc"' in error.message


@pytest.mark.parametrize("text", ["fakesink", "videotestsrc"])
def test_source_without_audio_is_named(play, text):
    error = play(f'ndasrc source="{text}" ! fakesink')

    assert "gives no audio" in error.message


def test_two_sources_are_one_too_many(play):
    error = play('ndasrc source=audiotestsrc uri=file:///a.wav ! fakesink')

    assert "More than one source is named" in error.message


def test_element_in_use_elsewhere_is_named(gst, play):
    other = gst.Bin()
    source = gst.ElementFactory.make("audiotestsrc", "taken")
    other.add(source)

    error = play("ndasrc name=src ! fakesink", src__source=source)

    assert "“taken” cannot be put into “src”" in error.message


def test_a_device_that_gives_everything_at_once_has_no_rate(gst, play):
    """As ALSA's null does, which the pipeline then has its clock from."""
    if not gst.ElementFactory.find("alsasrc"):
        pytest.skip("there is no alsasrc")

    error = play(
        "ndasrc name=src source=\"alsasrc device=null num-buffers=2000\" ! "
        "ndasink sink=fakesink"
    )

    found = stats(play.pipeline, "src")
    assert error is None
    assert found.get_value("num-frames") > 0
    assert found.get_value("rate") == 0
    assert found.get_value("drift") == 0
