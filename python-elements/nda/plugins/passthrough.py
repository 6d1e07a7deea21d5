# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passthrough: the sound as it is, bit by bit.

It shows the least that a processor has to have, and what a stream costs
that only goes through Python::

    gst-launch-1.0 ndasrc ! ndapybridge plugin=passthrough ! ndasink
"""

from __future__ import annotations

from base_plugin import (
    AudioBuffer,
    AudioProcessorPlugin,
    PluginInfo,
    PluginState,
    PluginType,
)


class PassthroughPlugin(AudioProcessorPlugin):
    """Leaves every block alone."""

    def __init__(self) -> None:
        super().__init__()
        self._sample_rate = 48000
        self._channels = 2

    def get_info(self) -> PluginInfo:
        return PluginInfo(
            name="Passthrough",
            version="1.0.0",
            author="the nda authors",
            description="Leaves the sound as it is",
            plugin_type=PluginType.PROCESSOR,
        )

    def initialize(self) -> bool:
        self.state = PluginState.INITIALIZED
        return True

    def start(self) -> bool:
        self.state = PluginState.RUNNING
        return True

    def stop(self) -> None:
        self.state = PluginState.INITIALIZED

    def shutdown(self) -> None:
        self.state = PluginState.UNLOADED

    def process_audio(self, buffer: AudioBuffer) -> bool:
        return True

    def set_parameter(self, key: str, value: str) -> bool:
        return False

    def get_parameter(self, key: str) -> str:
        return ""

    def get_sample_rate(self) -> int:
        return self._sample_rate

    def set_sample_rate(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate

    def get_channel_count(self) -> int:
        return self._channels

    def set_channel_count(self, channels: int) -> None:
        self._channels = channels


def create_plugin() -> PassthroughPlugin:
    """Return a new instance; the host calls this once per element."""
    return PassthroughPlugin()
