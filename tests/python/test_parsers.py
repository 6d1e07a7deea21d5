# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ndasrc and ndasink in bins that GStreamer's parser makes, and in playbin."""

import pytest
from ndaio import play, recording  # noqa: F401

SOURCES = [
    "ndasrc",
    "ndasrc source=audiotestsrc",
    'ndasrc source="audiotestsrc num-buffers=3 ! identity"',
    'ndasrc source="filesrc location=a.wav ! decodebin"',
    "ndasrc uri=file:///none.wav",
    "ndasrc device=nosuch",
]
SINKS = [
    "ndasink",
    "ndasink sink=fakesink",
    'ndasink sink="identity ! fakesink"',
    "ndasink location=none.wav",
    "ndasink device=nosuch",
]


def unlinked(gst, bin):
    """How many pads the parser would see in a bin, for each direction."""
    return [
        bin.find_unlinked_pad(direction) is not None
        for direction in (gst.PadDirection.SRC, gst.PadDirection.SINK)
    ]


def pads_of(bin):
    return [pad.get_name() for pad in bin.pads]


@pytest.mark.parametrize("description", SOURCES)
def test_a_parsed_source_has_one_pad(gst, description):
    made = gst.parse_bin_from_description(f"{description} ! queue", True)

    assert pads_of(made) == ["src"]


@pytest.mark.parametrize("description", SINKS)
def test_a_parsed_sink_has_one_pad(gst, description):
    made = gst.parse_bin_from_description(f"queue ! {description}", True)

    assert pads_of(made) == ["sink"]


@pytest.mark.parametrize(
    "description",
    [
        "ndaresample",
        "ndapybridge plugin=gain",
        "ndaencrypt",
        "ndadecrypt",
    ],
)
def test_a_parsed_filter_has_two_pads(gst, description):
    made = gst.parse_bin_from_description(f"queue ! {description}", True)

    assert sorted(pads_of(made)) == ["sink", "src"]


def test_a_parsed_bin_plays_again_and_again(gst, recording):
    path, samples = recording()
    source = gst.parse_bin_from_description(
        f'ndasrc name=in source="filesrc location={path} ! decodebin" ! '
        "queue", True
    )
    sink = gst.parse_bin_from_description(
        "queue ! ndasink name=out sink=fakesink", True
    )
    pipeline = gst.Pipeline()
    for element in (source, sink):
        pipeline.add(element)
    assert source.link(sink)

    for _ in range(3):
        pipeline.set_state(gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(
            60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
        )
        assert message.type == gst.MessageType.EOS
        counted = sink.get_by_name("out").get_property("stats")
        assert counted.get_value("num-frames") == len(samples)
        pipeline.set_state(gst.State.NULL)
        # what is seen is what was seen before
        assert pads_of(source) == ["src"] and pads_of(sink) == ["sink"]
        assert not any(unlinked(gst, pipeline))


@pytest.mark.parametrize("element, inner", [
    ("ndasrc", "source=audiotestsrc"),
    ("ndasink", "sink=fakesink"),
])
@pytest.mark.parametrize("state", ["NULL", "READY", "PAUSED", "PLAYING"])
def test_a_bin_shows_its_own_pads_alone(gst, element, inner, state):
    made = gst.parse_bin_from_description(f"{element} {inner}", False)
    made.set_state(getattr(gst.State, state))

    nda = made.children[0]
    seen = unlinked(gst, made)
    nda.set_locked_state(True)
    made.set_state(gst.State.NULL)
    made.remove(nda)
    inside = [unlinked(gst, nda), pads_of(nda)]
    nda.set_locked_state(False)
    nda.set_state(gst.State.NULL)

    is_source = element == "ndasrc"
    assert seen == [is_source, not is_source]
    assert inside == [[False, False], ["src" if is_source else "sink"]]


def test_a_source_that_waits_for_its_pad_shows_its_own_alone(gst, recording):
    path, _ = recording()
    bin = gst.ElementFactory.make("ndasrc")
    bin.set_property("uri", path.as_uri())
    bin.set_state(gst.State.READY)

    seen = [
        pad.is_linked()
        for name in ("convert", "resample", "blocks")
        for pad in bin.get_by_name(name).pads
    ]
    bin.set_state(gst.State.NULL)

    assert all(seen)


def test_pipelines_with_plugs_can_be_drawn(gst):
    pipeline = gst.parse_launch("ndasrc ! ndasink")

    assert "NdaSink" in gst.debug_bin_to_dot_data(
        pipeline, gst.DebugGraphDetails.ALL
    )


def play_until_it_starts(gst, description):
    """The first message of a player. GStreamer 1.22's playbin3 stays in READY
    now and then, whatever its sink: it is then started anew."""
    for _ in range(20):
        pipeline = gst.parse_launch(description)
        pipeline.set_state(gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(
            5 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
        )
        has_started = pipeline.get_state(0)[1] > gst.State.READY
        pipeline.set_state(gst.State.NULL)
        if message or has_started:
            return message


@pytest.mark.parametrize("player", ["playbin", "playbin3"])
@pytest.mark.parametrize("sink", [
    "ndasink sink=fakesink",
    "queue ! ndasink sink=fakesink",
    "ndasink overwrite=true location=",
])
def test_players_take_ndasink(gst, recording, tmp_path, player, sink):
    path, _ = recording()
    if sink.endswith("="):
        sink += str(tmp_path / "out.wav")

    message = play_until_it_starts(
        gst, f'{player} uri={path.as_uri()} audio-sink="{sink}"'
    )

    assert message.type == gst.MessageType.EOS


def test_players_take_an_ndasink_that_is_made(gst, recording):
    path, samples = recording()
    sink = gst.ElementFactory.make("ndasink")
    sink.set_property("sink", gst.ElementFactory.make("fakesink"))

    player = gst.ElementFactory.make("playbin")
    player.set_property("uri", path.as_uri())
    player.set_property("audio-sink", sink)
    player.set_state(gst.State.PLAYING)
    message = player.get_bus().timed_pop_filtered(
        60 * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
    )
    player.set_state(gst.State.NULL)

    assert message.type == gst.MessageType.EOS
    assert sink.get_property("stats").get_value("num-frames") == len(samples)


# --- what is inside is found ---


@pytest.mark.parametrize(
    "text",
    [
        'ndasrc source="audiotestsrc name=inner ! volume" ! fakesink',
        'audiotestsrc ! ndasink sink="volume ! fakesink name=inner"',
        'ndasrc source="filesrc name=inner ! decodebin" ! fakesink',
    ],
)
def test_what_is_inside_is_found_by_name_before_ready(gst, text):
    pipeline = gst.parse_launch(text)
    inner = pipeline.get_by_name("inner")

    assert inner is not None
    pipeline.set_state(gst.State.READY)
    pipeline.set_state(gst.State.NULL)
    assert pipeline.get_by_name("inner") == inner


def test_what_is_set_inside_before_ready_plays(gst, play, recording):
    path, samples = recording()

    error = play(
        'ndasrc name=src source="filesrc name=file ! decodebin" ! fakesink',
        file__location=str(path),
    )

    assert error is None
    counted = play.pipeline.get_by_name("src").get_property("stats")
    assert counted.get_value("num-frames") == len(samples)


def test_an_element_is_exchanged_for_another(gst):
    bin = gst.ElementFactory.make("ndasrc")
    first, second = (
        gst.ElementFactory.make("audiotestsrc", name)
        for name in ("first", "second")
    )

    for element, name in ((first, "first"), (second, "second")):
        bin.set_property("source", element)
        assert bin.get_by_name(name) == element
    assert first.get_parent() is None and not first.pads[0].is_linked()
    bin.set_state(gst.State.READY)
    bin.set_property("source", None)
    assert bin.get_by_name("second") == second
    bin.set_state(gst.State.NULL)

    assert bin.get_by_name("second") is None
    assert second.get_parent() is None and not second.pads[0].is_linked()


def test_deadline_reaches_a_sink_that_was_set_before_it(gst):
    bin = gst.ElementFactory.make("ndasink")
    inner = gst.ElementFactory.make("fakesink")
    bin.set_property("sink", inner)
    bin.set_property("processing-deadline", 7 * gst.MSECOND)

    bin.set_state(gst.State.READY)
    deadline = inner.get_property("processing-deadline")
    bin.set_state(gst.State.NULL)

    assert deadline == 7 * gst.MSECOND
