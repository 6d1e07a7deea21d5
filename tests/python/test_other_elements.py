# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Caps beside the elements of base, good and bad that take raw audio.

Where `queue` can stand, the elements that make blocks can stand as well: what
they give never breaks a negotiation.
"""

import gi
import pytest

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)

MODULES = ("gst-plugins-base", "gst-plugins-good", "gst-plugins-bad")
RAW = Gst.Caps.from_string(
    "audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved,"
    "channel-mask=(bitmask)3"
)
SOURCE = "audiotestsrc num-buffers=4 ! audio/x-raw,format=F32LE,rate=48000"
# What each stands for: a source of blocks in front, blocks behind
BLOCKS = ("ndapybridge plugin=passthrough", "ndaresample")
# They wait for a second stream, or have a source of their own
NOT_ALONE = ("audiolatency", "avwait", "videoframe-audiolevel")
HANG = 60


def has_raw_pad(factory, direction):
    return any(
        template.direction == direction
        and template.presence != Gst.PadPresence.SOMETIMES
        and not template.get_caps().is_any()
        and template.get_caps().can_intersect(RAW)
        for template in factory.get_static_pad_templates()
    )


def list_filters():
    """Elements with a pad on either side, raw audio on the one that faces."""
    found = []
    for plugin in Gst.Registry.get().get_plugin_list():
        if plugin.get_source() not in MODULES:
            continue
        for feature in Gst.Registry.get().get_feature_list_by_plugin(
            plugin.get_name()
        ):
            name = feature.get_name()
            if isinstance(feature, Gst.ElementFactory) and (
                name not in NOT_ALONE
                and "Sink" not in feature.get_metadata("klass")
                and "Source" not in feature.get_metadata("klass")
                and has_raw_pad(feature, Gst.PadDirection.SINK)
                and any(
                    template.direction == Gst.PadDirection.SRC
                    for template in feature.get_static_pad_templates()
                )
            ):
                found.append(name)
    return sorted(found)


def play(text):
    """None when it played to its end, else why it did not."""
    try:
        pipeline = Gst.parse_launch(text)
    except gi.repository.GLib.Error as error:
        return str(error)
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    message = bus.timed_pop_filtered(
        HANG * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    pipeline.set_state(Gst.State.NULL)
    if not message:
        return "nothing came"
    if message.type == Gst.MessageType.EOS:
        return None
    return str(message.parse_error())


def check(shape, names):
    """Those of `names` which stand beside queue and not beside blocks."""
    broken = []
    for name in names:
        if play(shape.format(other=name, blocks="queue")) is not None:
            continue
        for blocks in BLOCKS:
            reason = play(shape.format(other=name, blocks=blocks))
            if reason:
                broken.append((name, blocks, reason))
    return broken


def test_blocks_feed_whatever_queue_feeds():
    names = list_filters()
    shape = SOURCE + " ! {blocks} ! {other} ! fakesink"

    assert len(names) > 30
    assert check(shape, names) == []


def test_whatever_feeds_queue_feeds_blocks():
    shape = (
        SOURCE + " ! {other} ! audio/x-raw,format=F32LE,rate=48000 ! {blocks}"
        " ! fakesink"
    )
    assert check(shape, list_filters()) == []


INTERLEAVES = ("audiointerleave", "interleave", "audiomixer", "adder")


@pytest.mark.parametrize("mixer", INTERLEAVES)
@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("first", ["blocks", "plain"])
def test_one_of_two_inputs_may_be_blocks(mixer, blocks, first):
    """Its first pad, or a later one: which has caps first is a race."""
    mono = SOURCE + ",channels=1 ! "
    branches = [mono + blocks + " ! m. ", mono + "queue ! m. "]
    if first == "plain":
        branches.reverse()

    for _ in range(5):
        reason = play(f"{mixer} name=m ! fakesink " + " ".join(branches))
        assert reason is None
