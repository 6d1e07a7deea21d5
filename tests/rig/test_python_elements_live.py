# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests ndamicsrc and ndaspeakersink over the rig's virtual cables: played
sound comes back bit by bit.

    with-rig one python3 -m pytest test_python_elements_live.py
"""

import sys
from pathlib import Path

import pytest
from python_path import ENDS, RATE, Gst, run_path, wait_for_blocks

sys.path.append(str(Path(__file__).parents[1] / "python"))
from elements import complaints, launch  # noqa: E402

SECONDS = 5
PATIENCE = 60 * Gst.SECOND

if not Gst.ElementFactory.find("ndamicsrc"):
    pytest.skip("there is no gst-python", allow_module_level=True)


@pytest.fixture
def make():
    """Pipelines that are stopped when the test is over."""
    made = []

    def make_pipeline(description):
        made.append(Gst.parse_launch(description))
        return made[-1]

    yield make_pipeline
    for pipeline in made:
        pipeline.set_state(Gst.State.NULL)


def test_microphone_to_speaker_loses_nothing():
    found = run_path(SECONDS)

    assert (found.n_lost, found.n_altered, found.n_overruns) == (0, 0, 0)


def test_latency_is_answered(make):
    path = make("ndamicsrc device=mic ! ndaspeakersink name=speaker")
    path.set_state(Gst.State.PLAYING)
    wait_for_blocks(path, "speaker", 20)
    query = Gst.Query.new_latency()

    assert path.query(query)

    _, least, most = query.parse_latency()
    # a block, and four of cushion, at least; the microphone's queue at most
    assert 5 * 512 * Gst.SECOND // RATE < least < 200 * Gst.MSECOND
    assert most > least


def test_time_stamps_count_frames(make):
    pipeline = make(
        "ndamicsrc device=mic num-buffers=60 ! appsink name=sink sync=false"
    )
    pipeline.set_state(Gst.State.PLAYING)
    sink, buffers = pipeline.get_by_name("sink"), []
    while (sample := sink.emit("pull-sample")) is not None:
        buffers.append(sample.get_buffer())

    assert len(buffers) == 60
    assert buffers[0].has_flags(Gst.BufferFlags.DISCONT)
    for before, after in zip(buffers, buffers[1:]):
        assert after.get_size() == 512 * 8
        if not after.has_flags(Gst.BufferFlags.DISCONT):
            assert after.pts == before.pts + before.duration
            assert after.offset == before.offset_end == before.offset + 512


def test_pause_and_seek_and_play_again(make):
    path = make(
        "ndatonesrc num-buffers=2000 ! ndaspeakersink name=speaker"
    )
    for _ in range(2):
        path.set_state(Gst.State.PLAYING)
        wait_for_blocks(path, "speaker", 20)
        path.set_state(Gst.State.PAUSED)
        assert path.get_state(PATIENCE)[0] == Gst.StateChangeReturn.SUCCESS
        assert path.seek_simple(
            Gst.Format.TIME, Gst.SeekFlags.FLUSH, 20 * Gst.SECOND
        )
        assert path.get_state(PATIENCE)[0] == Gst.StateChangeReturn.SUCCESS
        path.set_state(Gst.State.PLAYING)
        message = path.get_bus().timed_pop_filtered(PATIENCE, ENDS)
        assert message.type == Gst.MessageType.EOS
        path.set_state(Gst.State.NULL)


@pytest.mark.parametrize("pipeline", [
    "ndamicsrc device=nosuch ! fakesink",
    "ndatonesrc ! ndaspeakersink device=nosuch",
])
def test_device_that_is_not_there_is_an_error_that_lists_those_that_are(
    pipeline,
):
    result = launch(pipeline)

    assert result.returncode != 0
    assert "“nosuch”" in result.stderr and "“mic” (" in result.stderr
    assert complaints(result.stderr) == []
