# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the ready-made plugins of API 1 have in common.

It has parameters as a table, the life cycle, and the bookkeeping that the
contract requires of every plugin. A file whose name begins with an underscore
is no plugin. If you copy a plugin that imports this file, copy both.
"""

from __future__ import annotations

from typing import Any, ClassVar, Mapping, NamedTuple

from base_plugin import (
    AudioSinkPlugin,
    AudioSourceCallback,
    AudioSourcePlugin,
    BasePlugin,
    PluginInfo,
    PluginState,
)

MAX_CHANNELS = 64


class Integer(NamedTuple):
    """A parameter that is a whole number from `low` to `high`."""

    default: int
    low: int
    high: int

    def parse(self, key: str, value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = self.low - 1
        if not self.low <= number <= self.high:
            raise ValueError(
                f"{key} must be a whole number from {self.low} to "
                f"{self.high}, not “{value}”"
            )
        return number


class Choice(NamedTuple):
    """A parameter that is one of some words."""

    default: str
    words: tuple[str, ...]

    def parse(self, key: str, value: str) -> str:
        if value not in self.words:
            raise ValueError(
                f"{key} must be one of {', '.join(self.words)}, "
                f"not “{value}”"
            )
        return value


class Text(NamedTuple):
    """A parameter that is any text, at least one character."""

    default: str = ""

    def parse(self, key: str, value: str) -> str:
        if not value:
            raise ValueError(f"{key} must not be empty")
        return value


Parameter = Integer | Choice | Text


class ReadyMade(BasePlugin):
    """A plugin with parameters from a table.

    Attributes
    ----------
    NAME, DESCRIPTION : str
        For `get_info`.
    PARAMETERS : mapping of str to Parameter
        All that can be set.
    FIXED : frozenset of str
        Those that cannot be set between `start` and `stop`.
    """

    NAME: ClassVar[str]
    DESCRIPTION: ClassVar[str]
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {}
    FIXED: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self._sample_rate = 48000
        self._channels = 2
        self._parameters: dict[str, Any] = {
            key: kind.default for key, kind in self.PARAMETERS.items()
        }

    def get_info(self) -> PluginInfo:
        return PluginInfo(
            name=self.NAME,
            version="1.0.0",
            author="the nda authors",
            description=self.DESCRIPTION,
            plugin_type=self.get_type(),
        )

    def initialize(self) -> bool:
        self.state = PluginState.INITIALIZED
        return True

    def start(self) -> bool:
        """Call `prepare`; what it raises says why there is no start, and the
        host tells it."""
        try:
            self.prepare()
        except BaseException:
            self.state = PluginState.ERROR
            raise
        self.state = PluginState.RUNNING
        return True

    def stop(self) -> None:
        if self.state is PluginState.RUNNING:
            self.state = PluginState.INITIALIZED
            self.finish()

    def shutdown(self) -> None:
        self.stop()
        self.state = PluginState.UNLOADED

    def prepare(self) -> None:
        """Make the arrays, open what is to be opened.

        Raises
        ------
        OSError
            With a sentence for the user, if that fails.
        """

    def finish(self) -> None:
        """Close what `prepare` has opened."""

    def changed(self, key: str) -> None:
        """Learn that the parameter `key` has a new value."""

    def read_out(self, key: str) -> str:
        """Return a counter or a measurement, "" for an unknown key."""
        return ""

    def set_parameter(self, key: str, value: str) -> bool:
        kind = self.PARAMETERS.get(key)
        if kind is None:
            return False
        if key in self.FIXED and self.state is PluginState.RUNNING:
            raise ValueError(f"{key} cannot change while the stream runs")
        self._parameters[key] = kind.parse(key, value)
        self.changed(key)
        return True

    def get_parameters(self) -> dict[str, str]:
        return {key: as_text(v) for key, v in self._parameters.items()}

    def get_parameter(self, key: str) -> str:
        if key in self._parameters:
            return str(self._parameters[key])
        return self.read_out(key)

    def get_sample_rate(self) -> int:
        return self._sample_rate

    def set_sample_rate(self, sample_rate: int) -> None:
        if self.state is not PluginState.RUNNING:
            self._sample_rate = sample_rate

    def get_channel_count(self) -> int:
        return self._channels

    def set_channel_count(self, channels: int) -> None:
        if self.state is not PluginState.RUNNING:
            self._channels = channels


class ReadySource(ReadyMade, AudioSourcePlugin):
    """A ready-made plugin that makes audio."""

    def set_audio_callback(self, callback: AudioSourceCallback) -> None:
        # Python sources are polled; nobody would ever call it.
        pass


class ReadySink(ReadyMade, AudioSinkPlugin):
    """A ready-made plugin that takes audio away."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer_size = 512

    def get_buffer_size(self) -> int:
        return self._buffer_size

    def set_buffer_size(self, frames: int) -> None:
        self._buffer_size = frames
