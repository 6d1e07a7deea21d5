# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole sources and sinks, for tests to change, and pipelines of them."""

import os

import numpy as np

from conftest import get_int

# Counts: frame n of the stream is n in every channel.
SOURCE = '''
import json, os, threading
import numpy as np
from base_plugin import AudioSourcePlugin, PluginInfo, PluginType


def note(*what):
    with open(os.environ["NDA_TEST_JOURNAL"], "a") as journal:
        journal.write(json.dumps(what) + "\\n")


class Plugin(AudioSourcePlugin):
    def __init__(self):
        super().__init__()
        self.rate, self.channels, self.frames = 48000, 2, 512
        self.position = 0
        self.mood = "true"

    def initialize(self): return True
    def start(self): return True
    def stop(self): pass
    def shutdown(self): pass
    def get_info(self):
        return PluginInfo("Test", "1.0", "nda", "", PluginType.AUDIO_SOURCE)
    def set_parameter(self, key, value): self.mood = value
    def get_parameter(self, key): return self.mood
    def set_audio_callback(self, callback): raise AssertionError
    def get_sample_rate(self): return self.rate
    def set_sample_rate(self, rate): self.rate = rate
    def get_channel_count(self): return self.channels
    def set_channel_count(self, channels): self.channels = channels
    def get_buffer_size(self): return self.frames
    def read_audio(self, buffer):
        frames = buffer.get_frame_count()
        buffer.data[:] = np.arange(self.position, self.position + frames)
        self.position += frames
        return True


def create_plugin():
    return Plugin()

'''

# Keeps what it gets in a file, as (frames, channels) of float32.
SINK = SOURCE[: SOURCE.index("class Plugin")].replace(
    "AudioSourcePlugin", "AudioSinkPlugin"
) + '''
class Plugin(AudioSinkPlugin):
    def __init__(self):
        super().__init__()
        self.rate, self.channels, self.frames = 48000, 2, 512
        self.mood = "true"
        self.room = 512

    def initialize(self): return True
    def start(self): return True
    def stop(self): pass
    def shutdown(self): pass
    def get_info(self):
        return PluginInfo("Test", "1.0", "nda", "", PluginType.AUDIO_SINK)
    def set_parameter(self, key, value): self.mood = value
    def get_parameter(self, key): return self.mood
    def get_sample_rate(self): return self.rate
    def set_sample_rate(self, rate): self.rate = rate
    def get_channel_count(self): return self.channels
    def set_channel_count(self, channels): self.channels = channels
    def get_buffer_size(self): return self.frames
    def set_buffer_size(self, frames): pass
    def get_available_space(self): return self.room
    def keep(self, buffer):
        with open(os.environ["NDA_TEST_JOURNAL"] + ".f32", "ab") as kept:
            kept.write(buffer.data.T.tobytes())
    def write_audio(self, buffer):
        self.keep(buffer)
        return True


def create_plugin():
    return Plugin()

'''


class Line:
    """A pipeline with a Python source or sink in it, driven by a test."""

    def __init__(self, gst, description, plugin, clock=None, **props):
        self.gst = gst
        self.pipeline = gst.parse_launch(description)
        self.element = self.pipeline.get_by_name("py")
        self.sink = self.pipeline.get_by_name("sink")
        self.src = self.pipeline.get_by_name("src")
        self.bus = self.pipeline.get_bus()
        self.element.set_property("plugin", str(plugin))
        for name, value in props.items():
            gst.util_set_object_arg(
                self.element, name.replace("_", "-"), str(value)
            )
        if clock is not None:
            self.pipeline.use_clock(clock)
        self.n_pushed = 0

    def play(self):
        return self.pipeline.set_state(self.gst.State.PLAYING)

    def stop(self):
        return self.pipeline.set_state(self.gst.State.NULL)

    def pull(self):
        """The next buffer and its (frames, channels); None at the end."""
        sample = self.sink.emit("pull-sample")
        if sample is None:
            return None
        buffer = sample.get_buffer()
        channels = get_int(sample.get_caps(), "channels")
        data = buffer.extract_dup(0, buffer.get_size())
        return buffer, np.frombuffer(data, np.float32).reshape(-1, channels)

    def pull_all(self):
        pulled = []
        while (one := self.pull()) is not None:
            pulled.append(one[1])
        return np.concatenate(pulled)

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

    def set_channels(self, channels):
        self.src.set_property(
            "caps",
            self.gst.Caps.from_string(
                "audio/x-raw,format=F32LE,rate=48000,layout=interleaved,"
                f"channels={channels}"
                + (",channel-mask=(bitmask)0x0" if channels > 2 else "")
            ),
        )

    def wait(self, types, timeout=60):
        return self.bus.timed_pop_filtered(timeout * self.gst.SECOND, types)

    def wait_for_end(self):
        """The error that ended the stream, or None: it ended by itself."""
        message = self.wait(
            self.gst.MessageType.EOS | self.gst.MessageType.ERROR
        )
        assert message is not None, "the pipeline hangs"
        if message.type == self.gst.MessageType.EOS:
            return None
        return message.parse_error()[0]

    def get_stat(self, name):
        return self.element.get_property("stats").get_value(name)


def kept_frames(channels=2):
    """What the sink above has kept."""
    path = os.environ["NDA_TEST_JOURNAL"] + ".f32"
    return np.fromfile(path, np.float32).reshape(-1, channels)
