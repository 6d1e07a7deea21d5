# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole sources and sinks, for tests to change."""

import os

import numpy as np

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


def kept_frames(channels=2):
    """What the sink above has kept."""
    path = os.environ["NDA_TEST_JOURNAL"] + ".f32"
    return np.fromfile(path, np.float32).reshape(-1, channels)
