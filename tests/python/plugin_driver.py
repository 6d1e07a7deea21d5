# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host in Python, for tests: it calls plugins as PLUGIN_API.md says.

A plugin of API 2 is called by way of the real host's own wrapper.
"""

import functools
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


@functools.cache
def _host():
    """The names of the host's part in Python."""
    folder = Path(__file__).parents[2] / "ext" / "python" / "host"
    names = {
        "__file__": "<ndapyembed>",
        "log": lambda is_error, line: None,
        "calling": lambda method: None,
    }
    parts = "embed load entry wrapper calls frames texts"
    for part in parts.split():
        path = folder / f"ndapy{part}.py"
        exec(compile(path.read_text(), path, "exec"), names)
    names["start"](False, nda.api_path(), "")
    return names


class Second:
    """A plugin of API 2, with what these tests call of any."""

    def __init__(self, module, name):
        nda.BasePlugin
        entry = _host()["find_entry"](module)
        self.wrapper = _host()["Wrapper"](module, entry, "")
        self.instance = self.wrapper._instances[0]
        self.channels, self.rate = 2, 48000
        self.initialize = self.wrapper.initialize
        self.stop = self.wrapper.stop
        self.shutdown = self.wrapper.shutdown
        self.get_info = self.wrapper.get_info
        self.get_parameter = self.wrapper.get_parameter
        self.PARAMETERS = self.wrapper.parameters

    def set_parameter(self, key, value):
        try:
            self.wrapper.set_parameter(key, value)
        except _host()["PluginError"] as error:
            raise ValueError(str(error)) from None
        return True

    def start(self):
        """Raises a RuntimeError with what the application is told."""
        try:
            self.rate, self.channels, _ = self.wrapper.begin(self.channels)
        except _host()["Problem"] as problem:
            raise RuntimeError(problem.args[2]) from None
        return True

    def get_sample_rate(self):
        return self.rate

    def get_channels(self):
        return self.channels

    def set_channels(self, channels):
        self.channels = channels

    def set_sample_rate(self, rate):
        pass

    def set_buffer_size(self, n_frames):
        pass

    def get_available_space(self):
        return self.wrapper.get_available_space()

    def get_processing_latency(self):
        return self.wrapper.get_facts()[2] / self.rate

    def process_audio(self, buffer):
        return self.wrapper.process_audio(buffer)

    def write_audio(self, buffer):
        return self.wrapper.write_audio(buffer)

    def read_audio(self, buffer):
        """At the end False, behind what is left with silence behind it."""
        answer = self.wrapper.read_audio(buffer)
        if not isinstance(answer, _host()["Ended"]):
            return answer
        buffer.data[:, answer:] = 0
        return answer > 0


def make(name):
    """An instance of a ready-made plugin, of either API."""
    module = load(name)
    if hasattr(module, "create_plugin"):
        return module.create_plugin()
    return Second(module, name)


def initialized(name, **parameters):
    """Return an instance that knows its parameters and has not started."""
    plugin = make(name)
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
