# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The base classes of plugins: what a class does with sound.

A plugin derives from one of them and has its one method for blocks. All other
methods are optional. A block is a NumPy array of float32 of shape (channels,
frames), whose nominal range is -1 to 1. It belongs to the host, which
overwrites it after the call.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Final, Iterator, Optional

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Block = npt.NDArray[np.float32]

EACH: Final = -1
"""For ``channels``: each channel has an instance with its own state."""


class Plugin(abc.ABC):
    """The common part of all plugins; derive from one of the four below.

    A class may declare the format that it needs by these attributes. They may
    also be set in ``__init__ ()`` or ``start ()``. In ``start ()`` they have
    the values that are known by then, and after it the final ones.
    """

    rate: Optional[int] = None
    """Sample rate in Hz, 1001 to 768000; default: 48000."""

    frames: Optional[int] = None
    """Frames of a block, 1 to 96000; default: 512."""

    channels: Optional[int] = None
    """1 to 64, or EACH; default: as many as the stream has."""

    def start(self) -> None:
        """Get ready for sound. May take a second or two, and may raise."""

    def stop(self) -> None:
        """Give back what start () took. start () may be called again."""

    def reset(self) -> None:
        """Forget the sound so far: the next block does not follow it."""

    def get_reading(self, name: str) -> Any:
        """What ``get-parameter`` says of a name that is no parameter, as text.
        None: the public attribute of that name. From any thread."""

    def on_change(self, name: str) -> None:
        """Called after a parameter has changed, between two blocks, while the
        plugin runs. Before start () a value is only set."""


class Processor(Plugin):
    """Takes sound and gives as much of it back."""

    __nda_role__ = "process"

    latency: int = 0
    """The delay of the output, in frames at the plugin's rate."""

    @abc.abstractmethod
    def process(self, block: Block) -> Any:
        """Edit the block in place and return None, or return an array of the
        same shape. An exception is a failure of this block."""


class Analyser(Plugin):
    """Reads sound, which goes on untouched."""

    __nda_role__ = "analyse"

    @abc.abstractmethod
    def analyse(self, block: Block) -> None:
        """Read the block. Changes to it are lost."""


class Source(Plugin):
    """Makes sound."""

    __nda_role__ = "read"

    @abc.abstractmethod
    def read(self) -> Iterator[Any]:
        """Yield arrays of any length, of shape (frames,) or (channels,
        frames), or None if there is no sound yet. When it returns, the stream
        ends.

        ``read (self, block)`` may also take a block and fill it, as a
        processor does. It returns False if there is no sound yet.
        """


class Sink(Plugin):
    """Takes sound out of the pipeline."""

    __nda_role__ = "write"

    @abc.abstractmethod
    def write(self, block: Block) -> None:
        """Take the whole block; the last one may be shorter. Return False if
        there is no room: the same block comes again."""
