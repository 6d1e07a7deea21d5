# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-validate's scenarios, through our elements and upstream's beside them.

Debian has no gst-validate. Each scenario here does what the one of the same
name does there, and notes where the pipeline is after each step. Our line and
upstream's have to note the same.
"""

import threading
from dataclasses import dataclass, field

import pytest
from ndaio import recording  # noqa: F401

N_SECONDS = 10
# Where a seek ends: upstream's buffers and ours are of other lengths
TOLERANCE = 0.05

# No uridecodebin: a link that the parser makes later is made but once, and
# upstream's line would hang in its second start
FILE = "filesrc location={path} ! wavparse ! audioconvert ! audioresample ! " \
    "audio/x-raw,format=F32LE,rate=48000,channels=2 ! "
SINK = "fakesink name=out sync={sync}"
# What stands in the place of what; the second is upstream's
LINES = {
    "ndasrc": ("ndasrc uri={uri} ! " + SINK, FILE + SINK),
    "ndasink": (FILE + 'ndasink sink="' + SINK + '"', FILE + SINK),
    "both": ('ndasrc uri={uri} ! ndasink sink="' + SINK + '"', FILE + SINK),
    "source": ('ndasrc source="uridecodebin uri={uri}" ! '
               'ndasink sink="identity ! ' + SINK + '"', FILE + SINK),
    "ndaresample": (FILE + "ndaresample rate=44100 ! " + SINK,
                    FILE + "audioresample ! audio/x-raw,rate=44100 ! " + SINK),
    "ndapybridge": (FILE + "ndapybridge plugin=passthrough ! " + SINK,
                    FILE + "queue ! " + SINK),
}


@dataclass
class Run:
    """A pipeline, and what a scenario notes of it."""

    gst: object
    pipeline: object
    notes: list = field(default_factory=list)
    n_buffers: int = 0
    changed: object = field(default_factory=threading.Condition)

    def __post_init__(self):
        pad = self.pipeline.get_by_name("out").get_static_pad("sink")
        pad.add_probe(self.gst.PadProbeType.BUFFER, self._count)

    def _count(self, _pad, _info):
        with self.changed:
            self.n_buffers += 1
            self.changed.notify_all()
        return self.gst.PadProbeReturn.OK

    def wait_for_buffers(self, n):
        """Until so many have come since the last step."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.n_buffers >= n, 60)

    def begin_step(self):
        with self.changed:
            self.n_buffers = 0

    def wait_for(self, kind):
        message = self.pipeline.get_bus().timed_pop_filtered(
            60 * self.gst.SECOND, kind | self.gst.MessageType.ERROR
        )
        assert message is not None, f"no {kind}"
        assert message.type != self.gst.MessageType.ERROR, (
            message.parse_error()
        )

    def set_state(self, name):
        self.begin_step()
        state = getattr(self.gst.State, name)
        result = self.pipeline.set_state(state)
        assert result != self.gst.StateChangeReturn.FAILURE
        reached = self.pipeline.get_state(60 * self.gst.SECOND)
        self.notes.append((reached[0].value_nick, reached[1].value_nick))

    def seek(self, seconds):
        self.begin_step()
        flags = self.gst.SeekFlags
        assert self.pipeline.seek_simple(
            self.gst.Format.TIME, flags.FLUSH | flags.ACCURATE,
            int(seconds * self.gst.SECOND),
        )
        self.wait_for(self.gst.MessageType.ASYNC_DONE)

    def note_position(self):
        known, position = self.pipeline.query_position(self.gst.Format.TIME)
        assert known
        self.notes.append(position / self.gst.SECOND)


def simple_seeks(run):
    run.set_state("PAUSED")
    run.wait_for(run.gst.MessageType.ASYNC_DONE)
    for seconds in (1, 5, 0, 9.5, 2.25):
        run.seek(seconds)
        run.note_position()
    run.set_state("PLAYING")
    run.wait_for(run.gst.MessageType.EOS)


def seek_forward(run):
    run.set_state("PLAYING")
    run.wait_for(run.gst.MessageType.ASYNC_DONE)
    for seconds in (2, 4, 6, 8):
        run.wait_for_buffers(5)
        run.seek(seconds)
        run.notes.append(seconds)
    run.wait_for(run.gst.MessageType.EOS)


def seek_backward(run):
    """As a listener goes back, also from the end."""
    run.set_state("PLAYING")
    run.wait_for(run.gst.MessageType.EOS)
    for seconds in (8, 4, 0):
        run.seek(seconds)
        run.wait_for_buffers(5)
    run.wait_for(run.gst.MessageType.EOS)


def scrub_forward(run):
    run.set_state("PAUSED")
    run.wait_for(run.gst.MessageType.ASYNC_DONE)
    for step in range(1, 40):
        run.seek(step * N_SECONDS / 40)
        run.note_position()
    run.set_state("PLAYING")
    run.wait_for(run.gst.MessageType.EOS)


def pause_resume(run):
    run.set_state("PAUSED")
    for _ in range(10):
        run.set_state("PLAYING")
        run.wait_for_buffers(3)
        run.set_state("PAUSED")
    run.seek(9.5)
    run.set_state("PLAYING")
    run.wait_for(run.gst.MessageType.EOS)


def change_state_intensive(run):
    for _ in range(8):
        for name in ("PLAYING", "NULL", "PAUSED", "NULL", "READY", "PAUSED",
                     "READY", "PLAYING", "PAUSED", "PLAYING", "READY", "NULL"):
            run.set_state(name)


# Those that have to take time go by the clock
SCENARIOS = {
    simple_seeks: False,
    seek_forward: False,
    seek_backward: False,
    scrub_forward: False,
    pause_resume: True,
    change_state_intensive: True,
}


def note(gst, scenario, description, path):
    pipeline = gst.parse_launch(
        description.format(
            path=path, uri=path.as_uri(),
            sync=str(SCENARIOS[scenario]).lower(),
        )
    )
    run = Run(gst, pipeline)
    try:
        scenario(run)
    finally:
        pipeline.set_state(gst.State.NULL)
    error = pipeline.get_bus().pop_filtered(gst.MessageType.ERROR)
    assert error is None, error.parse_error()
    return run.notes


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda f: f.__name__)
def test_scenario(gst, recording, scenario, line):
    if line.startswith("ndapy") and not gst.ElementFactory.find(line):
        pytest.skip(f"there is no {line}")
    path, _ = recording(n_frames=N_SECONDS * 48000)
    ours, upstreams = (
        note(gst, scenario, description, path)
        for description in LINES[line]
    )

    assert len(ours) == len(upstreams)
    for one, other in zip(ours, upstreams):
        if isinstance(one, float):
            assert abs(one - other) < TOLERANCE
        else:
            assert one == other


@pytest.mark.parametrize("line", ["both", "source"])
def test_stops_while_it_starts_post_no_error(gst, recording, line):
    """As many as upstream's: none. Stopped at each of the first buffers."""
    path, _ = recording(n_frames=2048)
    pipeline = gst.parse_launch(
        LINES[line][0].format(uri=path.as_uri(), path=path, sync="true")
    )
    bus = pipeline.get_bus()
    for n in range(200):
        pipeline.set_state(gst.State.PAUSED)
        for _ in range(n % 20):  # a little later each time
            pipeline.query_position(gst.Format.TIME)
        if n % 2:
            pipeline.set_state(gst.State.PLAYING)
        pipeline.set_state(gst.State.READY if n % 3 else gst.State.NULL)

    error = bus.pop_filtered(gst.MessageType.ERROR)
    pipeline.set_state(gst.State.NULL)
    assert error is None, error.parse_error()
