# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The base classes of plugins: what a class does with sound.

A plugin derives from one of them and has its one method for blocks. All else
is optional. A block is a NumPy array of float32 of shape (channels, frames),
whose nominal range is -1 to 1. It is the host's: its content is lost after the
call.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Final, Iterator, Optional

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Block = npt.NDArray[np.float32]

EACH: Final = -1
"""For ``channels``: an instance for each channel, with a state of its own."""


class Plugin(abc.ABC):
    """What all plugins have; derive from one of the four below.

    A class may declare the format that it wants by these attributes. They may
    also be set in ``__init__ ()`` or ``start ()``. In ``start ()`` they say
    what is as far as it is known, and after it what is.
    """

    rate: Optional[int] = None
    """Sample rate in Hz, 1001 to 768000; none: 48000."""

    frames: Optional[int] = None
    """Frames of a block, 1 to 96000; none: 512."""

    channels: Optional[int] = None
    """1 to 64, or EACH; none: as many as the stream has."""

    def start(self) -> None:
        """Get ready: sound follows. It may take its time, and may raise."""

    def stop(self) -> None:
        """Let go of what start () took. It may be started again."""

    def reset(self) -> None:
        """Forget the sound so far: the next block does not follow it."""

    def get_reading(self, name: str) -> Any:
        """What ``get-parameter`` says of a name that is no parameter, as text.
        None: the public attribute of that name. From any thread."""

    def on_change(self, name: str) -> None:
        """A parameter has another value now. Called between two blocks, while
        the plugin runs; before start () it is only set."""


class Processor(Plugin):
    """Takes sound and gives as much of it back."""

    __nda_role__ = "process"

    latency: int = 0
    """Frames at the plugin's rate that its output is later than its input."""

    @abc.abstractmethod
    def process(self, block: Block) -> Any:
        """Edit the block in place and return None, or return an array of the
        same shape. An exception is a failure of this block."""


class Analyser(Plugin):
    """Looks at sound, which goes on untouched."""

    __nda_role__ = "analyse"

    @abc.abstractmethod
    def analyse(self, block: Block) -> None:
        """Look at the block. What is done to it is lost."""


class Source(Plugin):
    """Makes sound."""

    __nda_role__ = "read"

    @abc.abstractmethod
    def read(self) -> Iterator[Any]:
        """Yield arrays of any length, of shape (frames,) or (channels,
        frames), or None where there is nothing yet; the end is the stream's.

        ``read (self, block)`` may also take a block and fill it, as a
        processor does. It returns False where there is nothing yet.
        """


class Sink(Plugin):
    """Takes sound to somewhere else."""

    __nda_role__ = "write"

    @abc.abstractmethod
    def write(self, block: Block) -> None:
        """Take the block, all of it; the last may be shorter. To return False
        is to have no room: the same block comes again."""
