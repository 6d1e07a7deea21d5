# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The block calls of API 2, as the host makes them; a part of ndapyembed.py.

Each call takes the block and returns what API 1's method would return: True,
or False from a source or sink. Any failure raises.
"""


class FunctionPlugin:
    """A function that looks like an instance of a class."""

    rate = frames = channels = None
    latency = 0

    def __init__(self, function, name, parameters):
        self.values = {n: p.default for n, p in parameters.items()}
        setattr(self, name, self._bind(function, self.values))

    @staticmethod
    def _bind(function, values):
        if not values:
            return function

        def call(*blocks):
            return function(*blocks, **values)

        call.__signature__ = inspect.signature(function)
        return call

    def start(self):
        pass

    stop = reset = start

    def on_change(self, name):
        pass

    def get_reading(self, name):
        pass


class Ended(int):
    """The last answer of a source: how many frames it has given with it."""


def last_frames(answer):
    """How many frames a source gave with its last answer; None: it is not
    the last one."""
    return int(answer) if isinstance(answer, Ended) else None


def _as_array(value, shape, what):
    """Return the plugin's result as an array of numbers."""
    import numpy

    array = numpy.asarray(value)
    if array.dtype.kind not in "biuf":
        raise PluginError(
            f"its {what} () gave {_type_name(value)} of {array.dtype} and "
            f"shape {array.shape}, not numbers of shape {shape}"
        )
    return array


def take_result(data, result, what):
    """Put the result of a call into the block (1.3)."""
    import numpy

    result = at_once(result, what)
    array = _as_array(result, data.shape, what)
    if array.shape != data.shape:
        raise PluginError(
            f"its {what} () returned shape {array.shape}, but the block has "
            f"shape {data.shape}"
        )
    numpy.copyto(data, array, casting="same_kind")


def _restore(data, n_channels, kind):
    data.dtype = kind
    data.shape = n_channels, -1


def on_buffer(call, where):
    """Return a call that takes the host's AudioBuffer instead of a block.

    If the plugin changes the shape or the type of the array itself, the next
    call finds it as before. A fault gets the line of the plugin's function.
    """

    def call_with(buffer):
        data = buffer.data
        n_channels, kind = len(data), data.dtype
        try:
            return call(data)
        except Exception as error:
            place_fault(error, where)
        finally:
            # in a way that allocates nothing
            if (
                len(data) != n_channels
                or data.ndim != 2
                or data.dtype is not kind
            ):
                _restore(data, n_channels, kind)

    return call_with


def process_call(process, first, known, find_change):
    """Return a call of one instance. The format of the first instance must
    stay as it is known; comparing objects costs the least."""

    def call(data):
        result = process(data)
        if result is not None and result is not data:
            take_result(data, result, "process")
        latency, rate, frames, channels = known
        if (
            first.latency is not latency
            or first.rate is not rate
            or first.frames is not frames
            or first.channels is not channels
        ):
            find_change()
        return True

    return call


def analyse_call(analyse):
    def call(data):
        result = analyse(data)
        if result is not None:
            at_once(result, "analyse")
        return True

    return call


def each_call(calls, where):
    """Return one call that makes a call for each channel, all in one crossing
    of the GIL (2.3)."""

    def call_all(buffer):
        data = buffer.data
        try:
            for channel, call in enumerate(calls):
                call(data[channel : channel + 1])
        except Exception as error:
            place_fault(error, where)
        return True

    return call_all


def read_call(read):
    def call(data):
        result = read(data)
        if result is None or result is data:
            return True
        if result is False:
            return False
        take_result(data, result, "read")
        return True

    return call


def pull_blocks(read, n_channels, n_frames):
    """Return a call that gives the next block of a source with long blocks."""
    import numpy

    block = numpy.zeros((n_channels, n_frames), numpy.float32)

    def pull():
        block.fill(0)
        return block if read(block) else None

    return pull


def write_call(write):
    def call(data):
        result = at_once(write(data), "write")
        if result is None:
            return True
        if result is False:
            return False
        raise PluginError(
            f"its write () returned {_type_name(result)}; it returns None, or "
            "False when there is no room"
        )

    return call
