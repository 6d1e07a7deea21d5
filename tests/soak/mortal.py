# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Gives half of full scale for any input, until `fault` is set: to a fault, or
to FAULT@PID, which is a fault only in the process of that number.
"""

import ctypes
import os

from base_plugin import AudioProcessorPlugin, PluginInfo, PluginType

LEVEL = 0.5


def loop():
    while True:
        pass


FAULTS = {
    "none": lambda: None,
    "exit": lambda: os._exit(3),
    "segfault": lambda: ctypes.string_at(0),
    "loop": loop,
}


class Mortal(AudioProcessorPlugin):
    def __init__(self):
        super().__init__()
        self.fault = FAULTS["none"]

    def get_info(self):
        return PluginInfo(
            "Mortal",
            "1.0",
            "the nda authors",
            "Half of full scale, until it dies",
            PluginType.PROCESSOR,
        )

    def process_audio(self, buffer):
        self.fault()
        buffer.data[:] = LEVEL
        return True

    def initialize(self):
        return True

    def start(self):
        return True

    def stop(self):
        pass

    def shutdown(self):
        pass

    def set_parameter(self, key, value):
        fault, _, pid = value.partition("@")
        if pid in ("", str(os.getpid())):
            self.fault = FAULTS[fault]

    def get_parameter(self, key):
        return str(os.getpid()) if key == "pid" else ""

    def get_sample_rate(self):
        return 48000

    def set_sample_rate(self, sample_rate):
        pass

    def get_channel_count(self):
        return self.channels

    def set_channel_count(self, channels):
        self.channels = channels


def create_plugin():
    return Mortal()
