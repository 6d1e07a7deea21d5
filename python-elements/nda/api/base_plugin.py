# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The classes that an NDA Python plugin derives from (API version 1).

A plugin is one ``.py`` file with a class derived from one of the three
roles below and a function ``create_plugin()`` that returns an instance::

    from base_plugin import AudioProcessorPlugin

The host imports this module from its own directory, which comes last on
``sys.path``: a plugin that brings a ``base_plugin.py`` of its own gets that
one, and there is only ever one per interpreter.

Blocks are float32 arrays of shape (channels, frames) with a nominal range
of -1.0 to +1.0, which nobody clips. The host asks for 512 frames at
48000 Hz.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import Protocol, runtime_checkable

import numpy as np

__all__ = [
    "PluginType",
    "PluginState",
    "PluginInfo",
    "AudioBuffer",
    "BasePlugin",
    "AudioSourcePlugin",
    "AudioSinkPlugin",
    "AudioProcessorPlugin",
    "AudioSourceCallback",
]


class PluginType(Enum):
    """The role of a plugin. The host compares the values, as strings."""

    AUDIO_SOURCE = "AudioSource"
    AUDIO_SINK = "AudioSink"
    PROCESSOR = "Processor"


class PluginState(Enum):
    """The state of a plugin, as the plugin itself sets it.

    The host keeps its own state and neither reads nor writes the plugin's.
    Plugins use theirs to guard their methods.
    """

    UNLOADED = "Unloaded"
    LOADED = "Loaded"
    INITIALIZED = "Initialized"
    RUNNING = "Running"
    ERROR = "Error"


class PluginInfo:
    """What a plugin says about itself.

    Parameters
    ----------
    name : str
        Display name.
    version, author, description : str
        Free text.
    plugin_type : PluginType
        The role. Kept as the attribute `type`.
    api_version : int, default 1
        The version of this interface; there is only version 1.
    """

    def __init__(
        self,
        name: str,
        version: str,
        author: str,
        description: str,
        plugin_type: PluginType,
        api_version: int = 1,
    ) -> None:
        self.name = name
        self.version = version
        self.author = author
        self.description = description
        self.type = plugin_type
        self.api_version = api_version

    def __repr__(self) -> str:
        return (
            f"PluginInfo({self.name!r}, {self.version!r}, {self.author!r}, "
            f"{self.description!r}, {self.type}, {self.api_version!r})"
        )


class AudioBuffer:
    """One block of audio.

    The host makes one per plugin instance and hands it to every call.

    Parameters
    ----------
    channels : int
        Number of channels.
    frame_count : int
        Number of frames, that is samples per channel.

    Attributes
    ----------
    data : numpy.ndarray
        The samples: float32, shape (channels, frame_count), C-contiguous,
        zero at first. Edit them in place; an array bound here instead is
        read once, if its shape is the same, and then put back to the
        host's own.

    Raises
    ------
    ValueError
        If one of the numbers is negative.
    """

    def __init__(self, channels: int, frame_count: int) -> None:
        self.data: np.ndarray = np.zeros(
            (channels, frame_count), dtype=np.float32
        )

    def get_channel_data(self, channel: int) -> np.ndarray:
        """Return one channel as a view: writing to it edits the block.

        Parameters
        ----------
        channel : int
            Index, from 0.

        Returns
        -------
        numpy.ndarray
            float32, shape (frames,).

        Raises
        ------
        IndexError
            If there is no such channel.
        """
        return self.data[channel]

    def get_frame_count(self) -> int:
        """Return the number of frames that `data` has now."""
        return self.data.shape[1]

    def get_channel_count(self) -> int:
        """Return the number of channels that `data` has now."""
        return self.data.shape[0]

    def clear(self) -> None:
        """Fill the block with silence, in place."""
        self.data.fill(0)

    def copy_from(self, other: AudioBuffer) -> None:
        """Copy the samples of another block, in place and bit by bit.

        Parameters
        ----------
        other : AudioBuffer
            A block of the same shape.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        # NumPy would broadcast a mono block into every channel instead.
        if other.data.shape != self.data.shape:
            raise ValueError(
                f"cannot copy a block of shape {other.data.shape} into one "
                f"of shape {self.data.shape}"
            )
        np.copyto(self.data, other.data)


@runtime_checkable
class AudioSourceCallback(Protocol):
    """What `AudioSourcePlugin.set_audio_callback` takes: any callable that
    accepts an `AudioBuffer`. Python sources are polled; no host calls it."""

    def __call__(self, buffer: AudioBuffer) -> None:
        """Take one block."""


class BasePlugin(ABC):
    """What every plugin has. Derive from one of the three roles instead.

    A host calls, in this order: `initialize`; `set_parameter`, any number of
    times; the setters of rate and channels; `start`; the block calls;
    `stop`. Then either the setters and `start` again, or `shutdown`, which
    is final.

    Attributes
    ----------
    state : PluginState
        The plugin's own book-keeping.
    """

    # A default here too, since a plugin may leave out super().__init__().
    state: PluginState = PluginState.UNLOADED

    def __init__(self) -> None:
        self.state = PluginState.UNLOADED

    @abstractmethod
    def initialize(self) -> bool:
        """Get ready to be configured; devices may be opened here.

        Returns
        -------
        bool
            False if the plugin cannot work here: it is then shut down. Print
            why; the host logs what is printed.
        """

    @abstractmethod
    def shutdown(self) -> None:
        """Give everything back. Called always, also after a failed start."""

    @abstractmethod
    def start(self) -> bool:
        """Get ready for blocks: rate and channels are known now.

        May take its time, up to a second or two.

        Returns
        -------
        bool
            False if it failed: the stream ends with an error.
        """

    @abstractmethod
    def stop(self) -> None:
        """End the block calls. May run while one is blocked, to wake it."""

    @abstractmethod
    def get_info(self) -> PluginInfo:
        """Return what the plugin is, at any time, from any thread."""

    @abstractmethod
    def get_type(self) -> PluginType:
        """Return the role; the three classes below have it already."""

    @abstractmethod
    def set_parameter(self, key: str, value: str) -> bool | None:
        """Set a parameter, never before `initialize` and never in a block.

        Parameters
        ----------
        key : str
            Free-form, case-sensitive.
        value : str
            Always text, also for numbers ("0.5") and booleans ("true").

        Returns
        -------
        bool or None
            False if the plugin did not take it: the host warns.

        Raises
        ------
        ValueError
            If the value makes no sense. The host warns and goes on.
        """

    @abstractmethod
    def get_parameter(self, key: str) -> str:
        """Return a parameter or counter as text, "" for an unknown key."""

    def get_state(self) -> PluginState:
        """Return `state`."""
        return self.state


class AudioSourcePlugin(BasePlugin):
    """A plugin that makes audio."""

    def get_type(self) -> PluginType:
        return PluginType.AUDIO_SOURCE

    @abstractmethod
    def set_audio_callback(self, callback: AudioSourceCallback) -> None:
        """Keep a callback. It is never called: sources are polled."""

    @abstractmethod
    def read_audio(self, buffer: AudioBuffer) -> bool:
        """Fill one block. May wait for it, up to 50 ms.

        Parameters
        ----------
        buffer : AudioBuffer
            Silence on entry, shape (`get_channels()`, block size).

        Returns
        -------
        bool
            True if the block is valid, False if there is nothing now.
        """

    @abstractmethod
    def get_sample_rate(self) -> int:
        """Return the rate in Hz."""

    @abstractmethod
    def get_channel_count(self) -> int:
        """Return the number of channels; read again after `start`."""

    @abstractmethod
    def set_sample_rate(self, sample_rate: int) -> None:
        """Ask for a rate in Hz; what `get_sample_rate` says then counts."""

    @abstractmethod
    def set_channel_count(self, channels: int) -> None:
        """Ask for a number of channels."""

    def get_channels(self) -> int:
        """Return `get_channel_count()`."""
        return self.get_channel_count()

    def set_channels(self, channels: int) -> None:
        """Call `set_channel_count()`."""
        self.set_channel_count(channels)

    def get_buffer_size(self) -> int:
        """Return the frames a call should have; 512 unless overridden."""
        return 512

    def set_buffer_size(self, frames: int) -> None:
        """Ask for a number of frames a call; ignored unless overridden."""


class AudioSinkPlugin(BasePlugin):
    """A plugin that takes audio away."""

    def get_type(self) -> PluginType:
        return PluginType.AUDIO_SINK

    @abstractmethod
    def write_audio(self, buffer: AudioBuffer) -> bool:
        """Take one block. May wait until the device has room.

        Parameters
        ----------
        buffer : AudioBuffer
            Shape (`get_channels()`, block size).

        Returns
        -------
        bool
            True if all of it was taken, False if there is no room: the same
            block is then offered again.
        """

    @abstractmethod
    def get_sample_rate(self) -> int:
        """Return the rate in Hz."""

    @abstractmethod
    def set_sample_rate(self, sample_rate: int) -> None:
        """Ask for a rate in Hz; what `get_sample_rate` says then counts."""

    @abstractmethod
    def get_channel_count(self) -> int:
        """Return the number of channels; read again after `start`."""

    @abstractmethod
    def set_channel_count(self, channels: int) -> None:
        """Ask for a number of channels."""

    @abstractmethod
    def get_buffer_size(self) -> int:
        """Return the frames a call should have."""

    @abstractmethod
    def set_buffer_size(self, frames: int) -> None:
        """Ask for a number of frames a call."""

    @abstractmethod
    def get_available_space(self) -> int:
        """Return how many frames `write_audio` could take now."""

    def get_channels(self) -> int:
        """Return `get_channel_count()`."""
        return self.get_channel_count()

    def set_channels(self, channels: int) -> None:
        """Call `set_channel_count()`."""
        self.set_channel_count(channels)


class AudioProcessorPlugin(BasePlugin):
    """A plugin that changes audio on its way."""

    def get_type(self) -> PluginType:
        return PluginType.PROCESSOR

    @abstractmethod
    def process_audio(self, buffer: AudioBuffer) -> bool:
        """Change one block in place.

        Called on one thread, one block at a time, 93.75 times a second in
        a live stream.

        Parameters
        ----------
        buffer : AudioBuffer
            Shape (channels, 512).

        Returns
        -------
        bool
            True if the block is done. False, None (a forgotten return) or
            an exception is a failure: edits are discarded, and the host's
            policy decides what follows, by default the end of the stream.
        """

    @abstractmethod
    def get_sample_rate(self) -> int:
        """Return the rate in Hz."""

    @abstractmethod
    def set_sample_rate(self, sample_rate: int) -> None:
        """Learn the stream's rate in Hz, before `start`."""

    @abstractmethod
    def get_channel_count(self) -> int:
        """Return the number of channels."""

    @abstractmethod
    def set_channel_count(self, channels: int) -> None:
        """Learn the stream's number of channels, before `start`."""

    def get_channels(self) -> int:
        """Return `get_channel_count()`."""
        return self.get_channel_count()

    def set_channels(self, channels: int) -> None:
        """Call `set_channel_count()`."""
        self.set_channel_count(channels)

    def get_processing_latency(self) -> float:
        """Return the algorithm's own delay in seconds; 0.0 unless overridden.

        The host reads it after `start` and after parameters have changed,
        and adds it to the latency of the pipeline.
        """
        return 0.0
