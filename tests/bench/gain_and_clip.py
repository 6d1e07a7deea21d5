# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin of the benchmark: half the level, clipped to full scale."""

import numpy as np
from base_plugin import AudioProcessorPlugin, PluginInfo, PluginType


class GainAndClip(AudioProcessorPlugin):
    def get_info(self):
        return PluginInfo(
            "Gain and clip",
            "1.0",
            "the nda authors",
            "Half the level, clipped to full scale",
            PluginType.PROCESSOR,
        )

    def process_audio(self, buffer):
        np.multiply(buffer.data, 0.5, out=buffer.data)
        np.clip(buffer.data, -1.0, 1.0, out=buffer.data)
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
        return False

    def get_parameter(self, key):
        return ""

    def get_sample_rate(self):
        return 48000

    def set_sample_rate(self, sample_rate):
        pass

    def get_channel_count(self):
        return self.channels

    def set_channel_count(self, channels):
        self.channels = channels


def create_plugin():
    return GainAndClip()
