# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host in Python, for tests: it calls plugins as PLUGIN_API.md says."""

import importlib.util
import sys
import tracemalloc
from pathlib import Path

import numpy as np

import nda

# The smallest array a plugin could make by mistake: one channel of a block
ONE_CHANNEL = 512 * 4


def load(name):
    """Load a ready-made plugin as a host does: afresh, its file's directory
    at the end of sys.path."""
    nda.BasePlugin
    if nda.plugins_path() not in sys.path:
        sys.path.append(nda.plugins_path())
    path = Path(nda.plugins_path(), name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def initialized(name, **parameters):
    """Return an instance that knows its parameters and has not started."""
    plugin = load(name).create_plugin()
    assert plugin.initialize() is True
    for key, value in parameters.items():
        assert plugin.set_parameter(key, value) is True
    return plugin


def start(plugin):
    """Configure and start, as for a pipeline of 48000 Hz."""
    if plugin.get_sample_rate() != 48000:
        plugin.set_sample_rate(48000)
    plugin.set_buffer_size(512)
    assert plugin.start() is True
    return plugin


def running(name, **parameters):
    return start(initialized(name, **parameters))


def read(plugin, *sizes):
    """Read blocks of these sizes; return them as one array."""
    blocks = []
    for n_frames in sizes:
        buffer = nda.AudioBuffer(plugin.get_channels(), n_frames)
        # A host may hand over what it likes.
        buffer.data[:] = np.nan
        data = buffer.data
        assert plugin.read_audio(buffer) is True
        assert buffer.data is data
        blocks.append(data)
    return np.concatenate(blocks, axis=1)


def write(plugin, signal, n_frames=512):
    """Write `signal`, (channels, frames), in blocks; the last as it is."""
    for at in range(0, signal.shape[1], n_frames):
        block = signal[:, at : at + n_frames]
        buffer = nda.AudioBuffer(*block.shape)
        buffer.data[:] = block
        assert plugin.get_available_space() >= min(n_frames, 512)
        assert plugin.write_audio(buffer) is True
        assert (buffer.data.view(np.uint32) == bits_of(block)).all()


def bits_of(signal):
    return np.ascontiguousarray(signal, dtype=np.float32).view(np.uint32)


def peak_of(call, n_calls=300):
    """Return the most bytes that were in use at once beyond the start."""
    for _ in range(20):
        call()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(n_calls):
            call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
