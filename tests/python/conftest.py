# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins written to files, and blocks pushed through them."""

import json
import os
import subprocess
import textwrap
from dataclasses import dataclass, field

import numpy as np
import pytest
from lines import Line, read_sample, where_of

BLOCK = 512

# Where plugins run. Whatever uses `make_line`, `make_bridge`, `run` or
# `launch_bridge` is tested in each of them.
ISOLATIONS = ["thread", "process"]

# A process that ends hangs no longer than this, in seconds, if it hangs
PATIENCE = 120

# A whole processor; a test's own text replaces methods of it or adds to it.
PROCESSOR = '''
import numpy as np
from base_plugin import AudioProcessorPlugin, PluginInfo, PluginType


class Plugin(AudioProcessorPlugin):
    def __init__(self):
        super().__init__()
        self.channels = 2
        self.n_blocks = 0

    def initialize(self): return True
    def start(self): return True
    def stop(self): pass
    def shutdown(self): pass
    def get_info(self):
        return PluginInfo("Test", "1.0", "nda", "A test", PluginType.PROCESSOR)
    def set_parameter(self, key, value): pass
    def get_parameter(self, key): return ""
    def get_sample_rate(self): return 48000
    def set_sample_rate(self, sample_rate): pass
    def get_channel_count(self): return self.channels
    def set_channel_count(self, channels): self.channels = channels
    def process_audio(self, buffer): return True


def create_plugin():
    return Plugin()

'''

# Behind a processor: it notes its calls in the journal of the test.
NOTE = """
import json, os, threading

def note(*what):
    with open(os.environ["NDA_TEST_JOURNAL"], "a") as journal:
        journal.write(json.dumps(what) + "\\n")

def noting(name, result):
    def method(self, *args):
        note(name, *args)
        return result
    return method

for name, result in (("initialize", True), ("start", True), ("stop", None),
                     ("shutdown", None), ("set_sample_rate", None),
                     ("set_channels", None), ("set_parameter", None)):
    setattr(Plugin, name, noting(name, result))
"""


@dataclass
class Outcome:
    """What came of a run: the buffers, and what the bus said."""

    blocks: list = field(default_factory=list)  # (frames, channels)
    buffers: list = field(default_factory=list)
    error: object = None  # GLib.Error
    debug: str = ""
    warnings: list = field(default_factory=list)
    stats: object = None

    @property
    def frames(self):
        return np.concatenate(self.blocks) if self.blocks else np.zeros((0,))


@pytest.fixture
def crashes(monkeypatch):
    """Under AddressSanitizer too a process crashes, and does not exit."""
    options = os.environ.get("ASAN_OPTIONS", "")
    monkeypatch.setenv("ASAN_OPTIONS", f"{options}:handle_segv=0")


@pytest.fixture
def write_plugin(tmp_path):
    """Writes a plugin file of the processor above and `text` behind it."""

    def write(text="", name="plugin_under_test", base=PROCESSOR):
        path = tmp_path / f"{name}.py"
        path.write_text(base + textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """Reads what plugins have noted: a list of calls, each a list."""
    path = tmp_path / "journal"
    path.touch()
    monkeypatch.setenv("NDA_TEST_JOURNAL", str(path))

    def read():
        # a line that is being written is not there yet
        text = path.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in text.splitlines()]

    return read


@pytest.fixture
def write_noting_plugin(write_plugin, journal):
    """Writes a plugin that notes its calls, and `text` behind it."""

    def write(text="", **options):
        return write_plugin(NOTE + textwrap.dedent(text), **options)

    return write


@pytest.fixture
def isolation(request):
    """Where the plugins of a test run: a value of that property; or “group”,
    in a process that they share."""
    return request.param


def pytest_generate_tests(metafunc):
    """In each isolation, unless the test or its file says in which; and the
    rules of the plugin contract in a group as well."""
    marks = metafunc.definition.iter_markers("parametrize")
    if (
        "isolation" not in metafunc.fixturenames
        or hasattr(metafunc.module, "isolation")
        or any("isolation" in mark.args[0] for mark in marks)
    ):
        return
    is_of_rules = metafunc.module.__name__.startswith("test_rules")
    where = [*ISOLATIONS, "group"] if is_of_rules else ISOLATIONS
    metafunc.parametrize("isolation", where, indirect=True)


@pytest.fixture
def launch_bridge(isolation):
    """Runs a plugin in a gst-launch-1.0 of its own, to its end."""

    def launch(plugin, sink="fakesink", env=None, **options):
        options.setdefault("stdout", subprocess.PIPE)
        where = " ".join("=".join(p) for p in where_of(isolation).items())
        description = (
            "audiotestsrc num-buffers=20 samplesperbuffer=512 ! "
            "audio/x-raw,format=F32LE,rate=48000,channels=2 ! "
            f"ndapybridge {where} ! {sink}"
        ).split()
        description.insert(
            description.index("ndapybridge") + 1, f"plugin={plugin}"
        )
        return subprocess.run(
            ["gst-launch-1.0", "-q", *description],
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "GST_DEBUG": "ndapython:4",
                "GST_DEBUG_NO_COLOR": "1",
                **(env or {}),
            },
            timeout=PATIENCE,
            **options,
        )

    return launch


@pytest.fixture(scope="session")
def gst():
    gi = pytest.importorskip("gi")
    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    from gi.repository import Gst, GstApp  # noqa: F401

    Gst.init(None)
    return Gst


@pytest.fixture
def make_line(gst, isolation):
    """Lines that are stopped when the test is over."""
    made = []

    def make(description, plugin, clock=None, **props):
        if isolation != "thread":
            props.update(where_of(isolation))
            props.setdefault("deadline", 0)
        made.append(Line(gst, description, plugin, clock, **props))
        return made[-1]

    yield make
    for line in made:
        line.stop()


@pytest.fixture
def make_bridge(make_line):
    """Lines with an ndapybridge: frames in, frames out."""

    def make(plugin, channels=2, layout="interleaved", **props):
        bridge = make_line(
            "appsrc name=src format=time ! ndapybridge name=py ! "
            "appsink name=sink sync=false wait-on-eos=false",
            plugin,
            **props,
        )
        bridge.set_format(channels, layout)
        return bridge

    return make


@pytest.fixture
def run(gst, make_bridge):
    """Pushes buffers through a plugin until EOS or error."""
    message_types = gst.MessageType

    def run_buffers(plugin, buffers, channels=2, **props):
        bridge = make_bridge(plugin, channels=channels, **props)
        outcome = Outcome()
        bridge.play()
        bridge.push_to_end(buffers)
        while True:
            message = bridge.wait(
                message_types.EOS
                | message_types.ERROR
                | message_types.WARNING
            )
            assert message is not None, "the pipeline hangs"
            if message.type == message_types.WARNING:
                outcome.warnings.append(message.parse_warning())
                continue
            if message.type == message_types.ERROR:
                outcome.error, outcome.debug = message.parse_error()
            break
        while (pulled := bridge.sink.emit("try-pull-sample", 0)) is not None:
            buffer, frames = read_sample(pulled)
            outcome.buffers.append(buffer)
            outcome.blocks.append(frames)
        outcome.stats = bridge.element.get_property("stats")
        return outcome

    return run_buffers


@pytest.fixture
def noise():
    """Frames of noise, the same each time: noise (n_frames, channels)."""

    def make(n_frames, channels=2):
        generator = np.random.default_rng(12345)
        return generator.uniform(-1, 1, (n_frames, channels)).astype(
            np.float32
        )

    return make
