# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the elements written in Python have in common."""

import os
import re
import subprocess

import pytest
from lines import read_sample

BLOCK = 512
PATIENCE = 120
# GStreamer 1.22 about every element that is written in Python
KNOWN = "The created element should be floating"


def complaints(text):
    """What GLib, Python and the bindings complained of, but for that."""
    lines = [line for line in text.splitlines() if KNOWN not in line]
    return [
        line
        for line in lines
        if re.search(r"CRITICAL|WARNING \*\*|Warning: |Traceback", line)
    ]


def launch(*words, **env):
    return subprocess.run(
        ["gst-launch-1.0", *" ".join(words).split()],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=PATIENCE,
    )


@pytest.fixture(autouse=True)
def no_complaints(capfd):
    """Nothing may be complained of in this process."""
    yield
    assert complaints(capfd.readouterr().err) == []


class Run:
    """A pipeline that ends in an appsink called `sink`."""

    def __init__(self, gst, description):
        self.gst = gst
        if not gst.ElementFactory.find("ndatonesrc"):
            pytest.skip("there is no gst-python to load elements")
        self.pipeline = gst.parse_launch(
            f"{description} ! appsink name=sink sync=false"
        )
        self.sink = self.pipeline.get_by_name("sink")
        self.bus = self.pipeline.get_bus()

    def __getattr__(self, name):
        return self.pipeline.get_by_name(name)

    def play(self):
        self.pipeline.set_state(self.gst.State.PLAYING)
        return self

    def pause(self):
        self.pipeline.set_state(self.gst.State.PAUSED)
        self.pipeline.get_state(self.gst.CLOCK_TIME_NONE)
        return self

    def wait(self, types):
        message = self.bus.timed_pop_filtered(
            PATIENCE * self.gst.SECOND, types
        )
        assert message is not None, "the pipeline hangs"
        return message

    def pull(self):
        """One buffer and its samples, (frames, channels); None at the end."""
        return read_sample(self.sink.emit("pull-sample"))

    def pull_all(self):
        pulled = []
        while (one := self.pull()) is not None:
            pulled.append(one)
        return pulled

    def seek(self, start, stop=None, rate=1.0):
        gst = self.gst
        flags = gst.SeekFlags.FLUSH | gst.SeekFlags.ACCURATE
        return self.pipeline.seek(
            rate,
            gst.Format.TIME,
            flags,
            gst.SeekType.SET,
            start,
            gst.SeekType.NONE if stop is None else gst.SeekType.SET,
            -1 if stop is None else stop,
        )

    def stop(self):
        self.pipeline.set_state(self.gst.State.NULL)


@pytest.fixture
def make_run(gst):
    """Runs that are stopped when the test is over."""
    made = []

    def make(description):
        made.append(Run(gst, description))
        return made[-1]

    yield make
    for run in made:
        run.stop()
