# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sources whose pads come and go, and branches that do."""

import threading

import numpy as np
import pytest
from ndaio import BLOCK, play, read_float_wav, stats  # noqa: F401

# Gaps between the samples of two files: Vorbis' first block is half a one
CHAIN = "audiotestsrc num-buffers={n} samplesperbuffer=480 wave={wave} ! " \
    "audio/x-raw,rate={rate},channels={channels} ! " \
    "{encoder} ! oggmux ! filesink location={path}"


@pytest.fixture
def chained(play, tmp_path):
    """An Ogg file of several chains, as a radio sends them."""

    def write(*chains, encoder="vorbisenc"):
        path = tmp_path / "radio.ogg"
        with open(path, "wb") as radio:
            for n, (rate, channels, wave) in enumerate(chains):
                part = tmp_path / f"{n}.ogg"
                assert play(CHAIN.format(
                    n=rate // 480, rate=rate, channels=channels, wave=wave,
                    encoder=encoder, path=part,
                )) is None
                radio.write(part.read_bytes())
        return path

    return write


LINES = {
    "uri": 'ndasrc name=src uri=file://{path} ! ',
    "decodebin": 'ndasrc name=src source="filesrc location={path} ! '
    'decodebin" ! ',
}


@pytest.mark.parametrize("line", ["uri", "decodebin"])
@pytest.mark.parametrize("chains", [
    [(48000, 2, "sine"), (48000, 2, "saw")],
    [(48000, 2, "sine"), (44100, 1, "saw"), (48000, 2, "sine")],
])
def test_a_new_chain_is_linked(play, chained, tmp_path, line, chains):
    path = chained(*chains)

    error = play(LINES[line].format(path=path) + "fakesink name=out")

    assert error is None
    counted = stats(play.pipeline, "src")
    # one second each; an encoder may add or cut a little
    assert abs(counted.get_value("num-frames") - 48000 * len(chains)) < 2048


def test_the_sound_of_all_chains_is_heard(play, chained, tmp_path):
    path = chained((48000, 1, "sine"), (48000, 1, "silence"),
                   (48000, 1, "sine"))
    out = tmp_path / "out.wav"

    error = play(LINES["uri"].format(path=path) + f"ndasink location={out}")

    heard = read_float_wav(out)[:, 0]
    assert error is None
    for second, level in enumerate((0.5, 0, 0.5)):
        middle = heard[second * 48000 + 12000:][:24000]
        assert abs(np.sqrt(np.mean(middle**2)) - level * 1.13) < 0.05


def test_no_pad_is_left_of_old_chains(gst, play, chained):
    path = chained(*[(48000, 2, "sine")] * 4)

    assert play(LINES["decodebin"].format(path=path) + "fakesink") is None

    source = play.pipeline.get_by_name("src").get_by_name("convert")
    assert len(source.get_static_pad("sink").get_peer().get_parent().pads) == 1


# --- branches ---


def wait_for_blocks(gst, branch, n):
    """Until so many buffers have gone into a branch."""
    seen, enough = [], threading.Event()

    def note(_pad, _info):
        seen.append(1)
        if len(seen) == n:
            enough.set()
        return gst.PadProbeReturn.OK

    pad = branch.pads[0]
    probe = pad.add_probe(gst.PadProbeType.BUFFER, note)
    assert enough.wait(60), "nothing comes"
    pad.remove_probe(probe)


def take_out(gst, pipeline, pad, branch):
    """Ends a branch: its pad is blocked and unlinked, and EOS sent into it."""
    free = threading.Event()

    def unlink(_pad, _info):
        pad.unlink(branch.pads[0])
        free.set()
        return gst.PadProbeReturn.REMOVE

    pad.add_probe(gst.PadProbeType.IDLE, unlink)
    assert free.wait(60), "the tee does not let go of it"
    pad.get_parent().release_request_pad(pad)
    branch.send_event(gst.Event.new_eos())
    while True:
        message = pipeline.get_bus().timed_pop_filtered(
            60 * gst.SECOND, gst.MessageType.ELEMENT | gst.MessageType.ERROR
        )
        assert message and message.type == gst.MessageType.ELEMENT
        told = message.get_structure()
        if told.get_name() == "GstBinForwarded" and (
            told.get_value("message").type == gst.MessageType.EOS
            and told.get_value("message").src == branch
        ):
            break
    branch.set_state(gst.State.NULL)
    pipeline.remove(branch)


def test_a_recording_branch_comes_and_goes(gst, tmp_path):
    """As gst-plugins' documentation of blocked pads teaches it."""
    pipeline = gst.parse_launch(
        "ndasrc source=\"audiotestsrc is-live=true\" ! tee name=tee "
        "allow-not-linked=true ! queue ! fakesink sync=false"
    )
    pipeline.set_property("message-forward", True)
    pipeline.set_state(gst.State.PLAYING)
    bus = pipeline.get_bus()
    tee = pipeline.get_by_name("tee")

    for n in range(20):
        path = tmp_path / f"{n}.wav"
        branch = gst.parse_bin_from_description(
            f"queue ! ndasink name=out location={path}", True
        )
        pipeline.add(branch)
        branch.sync_state_with_parent()
        pad = tee.request_pad_simple("src_%u")
        assert pad.link(branch.pads[0]) == gst.PadLinkReturn.OK
        wait_for_blocks(gst, branch, 3)
        take_out(gst, pipeline, pad, branch)
        assert len(read_float_wav(path)) >= 3 * BLOCK

    error = bus.pop_filtered(gst.MessageType.ERROR)
    pipeline.set_state(gst.State.NULL)
    assert error is None
