# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda: live audio through Python.

A plugin is a function `process`, `analyse`, `read` or `write`, or a class of
one of the bases here (API 2)::

    from nda import Float, Processor

    class Gain(Processor):
        gain = Float(1, 0, 4, help="factor")

        def process(self, block):
            block *= self.gain

The package also holds what plugins of API 1 import by the bare names
`base_plugin` and `nda_py_utils` (in `api_path()`), and the ready-made plugins
(in `plugins_path()`). The classes of both modules can be reached here too, as
`nda.AudioBuffer`. They are the very classes a plugin in the same interpreter
gets: `base_plugin` is imported by its bare name at the first use, never as a
second copy under this package.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .parameters import Bool, Choice, Float, Int, Secret, Text
from .roles import EACH, Analyser, Processor, Sink, Source

if TYPE_CHECKING:
    from .api.base_plugin import (
        AudioBuffer,
        AudioProcessorPlugin,
        AudioSinkPlugin,
        AudioSourceCallback,
        AudioSourcePlugin,
        BasePlugin,
        PluginInfo,
        PluginState,
        PluginType,
    )
    from .api.nda_py_utils.audio_ring_buffer import (
        AudioRingBuffer,
        RingBufferStats,
    )

__version__ = "0.1.0"

__all__ = [
    "EACH",
    "Analyser",
    "AudioBuffer",
    "AudioProcessorPlugin",
    "AudioRingBuffer",
    "AudioSinkPlugin",
    "AudioSourceCallback",
    "AudioSourcePlugin",
    "BasePlugin",
    "Bool",
    "Choice",
    "Float",
    "Int",
    "PluginInfo",
    "PluginState",
    "PluginType",
    "Processor",
    "RingBufferStats",
    "Secret",
    "Sink",
    "Source",
    "Text",
    "api_path",
    "plugins_path",
]

_RING_BUFFER_NAMES = ("AudioRingBuffer", "RingBufferStats")


def api_path() -> str:
    """Return the directory of `base_plugin` and `nda_py_utils`.

    It belongs at the end of ``sys.path``, so that a plugin's own copy of
    either wins.
    """
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "api")


def plugins_path() -> str:
    """Return the directory of the ready-made plugins."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "plugins")


def _import_api(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Another module that is missing is not ours to find, and with the
        # directory already there a second try would fail in the same way.
        if error.name != name.split(".")[0] or api_path() in sys.path:
            raise
    sys.path.append(api_path())
    return importlib.import_module(name)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'nda' has no attribute {name!r}")
    module = _import_api(
        "nda_py_utils.audio_ring_buffer"
        if name in _RING_BUFFER_NAMES
        else "base_plugin"
    )
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
