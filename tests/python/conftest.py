# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins written to files, and blocks pushed through them."""

import json
import os
import re
import subprocess
import textwrap
from dataclasses import dataclass, field

import numpy as np
import pytest

BLOCK = 512

# Where plugins run. Whatever uses `make_bridge`, `run` or `launch_bridge` is
# tested in each of them.
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


@pytest.fixture(params=ISOLATIONS)
def isolation(request):
    """Where the plugins of a test run: a value of that property."""
    return request.param


@pytest.fixture
def launch_bridge(isolation):
    """Runs a plugin in a gst-launch-1.0 of its own, to its end."""

    def launch(plugin, sink="fakesink", env=None, **options):
        options.setdefault("stdout", subprocess.PIPE)
        where = "" if isolation == "thread" else f"isolation={isolation}"
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


def get_int(caps, name):
    """A number in caps, in the bindings of any release."""
    return int(re.search(rf"\b{name}=\(int\)(\d+)", caps.to_string())[1])


class Bridge:
    """appsrc ! ndapybridge ! appsink, driven by a test."""

    def __init__(self, gst, plugin, channels=2, layout="interleaved", **props):
        self.gst = gst
        self.channels = channels
        self.pipeline = gst.parse_launch(
            "appsrc name=src format=time ! ndapybridge name=bridge ! "
            "appsink name=sink sync=false wait-on-eos=false"
        )
        self.src = self.pipeline.get_by_name("src")
        self.bridge = self.pipeline.get_by_name("bridge")
        self.sink = self.pipeline.get_by_name("sink")
        self.bus = self.pipeline.get_bus()
        self.bridge.set_property("plugin", str(plugin))
        for name, value in props.items():
            gst.util_set_object_arg(
                self.bridge, name.replace("_", "-"), str(value)
            )
        self.set_format(channels, layout)
        self.n_pushed = 0

    def set_format(self, channels, layout="interleaved", rate=48000):
        self.channels = channels
        self.src.set_property(
            "caps",
            self.gst.Caps.from_string(
                f"audio/x-raw,format=F32LE,rate={rate},layout={layout},"
                f"channels={channels},channel-mask=(bitmask)0x0"
                if channels > 2
                else f"audio/x-raw,format=F32LE,rate={rate},layout={layout},"
                f"channels={channels}"
            ),
        )

    def play(self):
        self.pipeline.set_state(self.gst.State.PLAYING)

    def push(self, frames):
        """Push (frames, channels) of float32 as one buffer."""
        frames = np.ascontiguousarray(frames, dtype=np.float32)
        buffer = self.gst.Buffer.new_wrapped(frames.tobytes())
        buffer.pts = self.n_pushed * self.gst.SECOND // 48000
        self.n_pushed += len(frames)
        buffer.duration = (
            self.n_pushed * self.gst.SECOND // 48000 - buffer.pts
        )
        return self.src.emit("push-buffer", buffer)

    def pull(self):
        """One buffer and its frames, or None at the end."""
        sample = self.sink.emit("pull-sample")
        if sample is None:
            return None
        buffer = sample.get_buffer()
        channels = get_int(sample.get_caps(), "channels")
        data = buffer.extract_dup(0, buffer.get_size())
        return buffer, np.frombuffer(data, np.float32).reshape(-1, channels)

    def wait(self, types, timeout=60):
        return self.bus.timed_pop_filtered(timeout * self.gst.SECOND, types)

    def get_stat(self, name):
        return self.bridge.get_property("stats").get_value(name)

    def stop(self):
        return self.pipeline.set_state(self.gst.State.NULL)


@pytest.fixture
def make_bridge(gst, isolation):
    """Bridges that are stopped when the test is over."""
    made = []

    def make(*args, **kwargs):
        if isolation != "thread":
            kwargs["isolation"] = isolation
            kwargs.setdefault("deadline", 0)
        made.append(Bridge(gst, *args, **kwargs))
        return made[-1]

    yield make
    for bridge in made:
        bridge.stop()


@pytest.fixture
def run(gst, make_bridge):
    """Pushes buffers through a plugin until EOS or error."""
    message_types = gst.MessageType

    def run_buffers(plugin, buffers, channels=2, **props):
        bridge = make_bridge(plugin, channels=channels, **props)
        outcome = Outcome()
        bridge.play()
        for frames in buffers:
            bridge.push(frames)
        bridge.src.emit("end-of-stream")
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
            buffer = pulled.get_buffer()
            data = buffer.extract_dup(0, buffer.get_size())
            outcome.buffers.append(buffer)
            outcome.blocks.append(
                np.frombuffer(data, np.float32).reshape(-1, channels)
            )
        outcome.stats = bridge.bridge.get_property("stats")
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
