# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of the host of plugins that is written in Python.

It is compiled into the GStreamer plugin and runs once in each interpreter: in
this process, where C calls every function with the GIL held, and in a plugin's
process, by ndapyworker.py. Rule numbers are those of the plugin contract.
"""

import ast
import builtins
import collections
import collections.abc
import contextlib
import copy
import gc
import importlib.machinery
import importlib.util
import inspect
import io
import itertools
import math
import os
import sys
import threading
import time
import traceback
import types
import typing

RATE = 48000
FRAMES = 512
MAX_CHANNELS = 64
RATES = range(1001, 768001)  # of a device: what the resampler bridges
SWITCH_INTERVAL = 30e-6  # seconds; shorter and two threads thrash
LONGEST_LINE = 4096  # bytes that wait for their end of line
FULL_COLLECTION_SHARE = 1000  # at most this fraction of the time

# What a call returns if its body has not run yet
NOT_RUN = (
    collections.abc.Awaitable,
    collections.abc.Generator,
    collections.abc.AsyncGenerator,
)

ROLES = (
    ("Processor", "process_audio"),
    ("AudioSource", "read_audio"),
    ("AudioSink", "write_audio"),
)

_api_path = None
_secret_words = ()
_plugin_files = set()
_owns_gc = False
_shares_frozen = False  # with other processes, until it is written to
_next_full_collection = 0.0
_running = _gone = 0


class PluginError(Exception):
    """A fault of a plugin, as a text that needs no traceback."""


class Problem(Exception):
    """A fault for ndapyproblem.c: its kind, a name, and a text."""


def at_once(answer, name):
    """Return the answer of a plugin's method.

    A coroutine or a generator is true, but nothing of its body has run, so a
    block would pass untouched. So it is a failure, in every method.
    """
    if answer is True or not isinstance(answer, NOT_RUN):
        return answer
    if hasattr(answer, "close"):
        answer.close()  # else Python warns that nobody has awaited it
    raise PluginError(
        f"its {name} () is a coroutine or a generator, of which nothing has "
        "run; write it as a plain function, without async, await and yield"
    )


def truth(answer, name):
    """Return whether a plugin's method answered something true."""
    return bool(at_once(answer, name))


def _ask(plugin, name, *args):
    """Call a plugin's method and return its answer."""
    calling(f"{name} ()")
    return at_once(getattr(plugin, name)(*args), name)


class _LogWriter(io.RawIOBase):
    """Writes whole lines to the GStreamer log, unmixed (10.1)."""

    def __init__(self, is_error):
        self._is_error = is_error
        self._lines = threading.local()

    def writable(self):
        return True

    def fileno(self):
        """A descriptor for code that writes without Python."""
        return 2 if self._is_error else 1

    def write(self, data):
        text = bytes(data)
        lines = (getattr(self._lines, "rest", b"") + text).split(b"\n")
        # a line without an end, such as a row of dots, must not grow for ever
        if len(lines[-1]) < LONGEST_LINE:
            self._lines.rest = lines.pop()
        else:
            self._lines.rest = b""
        for line in lines:
            text_line = line.decode("utf-8", "replace")
            keep_printed(text_line)
            log_printed(self._is_error, text_line)
        return len(text)


def _log_stream(is_error):
    return io.TextIOWrapper(
        _LogWriter(is_error),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )


def _is_left_alone(variable):
    return os.environ.get(variable) == "default"


def start(is_ours, api_path, secret_words):
    """Prepare the interpreter; change no global setting unless it `is_ours`
    (T14)."""
    global _api_path, _owns_gc, _secret_words
    _api_path = api_path
    _secret_words = tuple(secret_words.split())
    if not is_ours:
        return
    if os.environ.get("NDA_PYTHON_STDIO") != "inherit":
        sys.stdout = _log_stream(False)
        sys.stderr = _log_stream(True)
        hear()
    if not _is_left_alone("NDA_PYTHON_SWITCH_INTERVAL"):
        sys.setswitchinterval(SWITCH_INTERVAL)
    _owns_gc = not _is_left_alone("NDA_PYTHON_GC")


def _live(plugin, name):
    """A call of the life cycle, which must return something true (4.1)."""
    _printed.lines = None
    try:
        answer = _ask(plugin, name)
        answer = None if answer is None else bool(answer)
    except BaseException as error:
        raise Problem("failed", name, describe(error)) from None
    if not answer:
        kind = "nothing" if answer is None else "refused"
        raise Problem(kind, name, take_printed())
    _printed.lines = None


def _text(value):
    return value if isinstance(value, str) else ""


def info(plugin):
    """Return role, name and API version of an initialised plugin (3.6, 3.7).
    """
    try:
        about = _ask(plugin, "get_info")
    except BaseException as error:  # sys.exit () does not end us (10.2)
        _tell(error)
        about = None
    role = getattr(getattr(about, "type", None), "value", None)
    if role not in (known for known, _ in ROLES):
        role = next((r for r, m in ROLES if hasattr(plugin, m)), "")
    version = getattr(about, "api_version", 1)
    return role, _text(getattr(about, "name", "")), str(version)


def _check_role(plugin, path, role):
    """Check that the plugin has the element's role (3.6)."""
    try:
        found, name, version = info(plugin)
    except BaseException as error:
        raise Problem("info", "", describe(error)) from None
    if version != "1":
        log(True, f"The plugin “{path}” asks for API version {version}; "
                  "this is 1")
    log(False, f"“{name}” in {path} has the role {found}")
    if found != role:
        raise Problem("role", role, found or "unknown")


def open_plugin(path, role, entry=None):
    """Load a plugin, initialise it and check its role (4.1).

    `entry` is the name of the function or class to use (API 2). Returns the
    module and the instance. Any fault is a Problem.
    """
    try:
        module, plugin, is_based = load(path, role, entry)
    except BaseException as error:
        raise Problem("load", "", describe(error)) from error
    if not is_based:
        log(True, f"The plugin “{path}” is not a BasePlugin; its methods are "
                  "looked up by name")
    try:
        _live(plugin, "initialize")
        _check_role(plugin, path, role)
    except BaseException:
        shut_down(module, plugin)
        raise
    settle()
    return module, plugin


def start_plugin(plugin, path, role, n_channels):
    """Configure and start a plugin. Return its format: rate, channels, frames
    a call.

    Any fault is a Problem, and the plugin then does not run.
    """
    if isinstance(plugin, Wrapper):
        return start_wrapped(plugin, path, n_channels)
    try:
        taken = configure(plugin, role, n_channels)
    except BaseException as error:
        raise Problem("configure", "", describe(error)) from None
    _live(plugin, "start")
    try:
        return look_again(plugin, role, *taken)
    except BaseException as error:
        reason = describe(error)
        stop_plugin(plugin, path)
        raise Problem("configure", "", reason) from None


def stop_plugin(plugin, path):
    """Call stop (), whose result does not matter (4.1)."""
    try:
        _ask(plugin, "stop")
    except BaseException as error:
        log(True, f"The plugin “{path}” failed in its stop (): "
                  f"{describe(error)}")


def make_buffer(n_channels, n_frames, memory, begin=0):
    """Make the one AudioBuffer of an instance, and its array (6.1.1, 6.1.2).

    The array does not own its memory, so nothing can move that memory: after a
    resize () the host would have a pointer to freed memory.
    """
    import base_plugin
    import numpy

    buffer = base_plugin.AudioBuffer(n_channels, n_frames)
    data = numpy.frombuffer(
        memory, numpy.float32, n_channels * n_frames, begin
    ).reshape(n_channels, n_frames)
    buffer.data = data
    return buffer, data


def adopt(data, bound):
    """Copy the array that the plugin bound to ``buffer.data`` (6.1.4)."""
    import numpy

    new = numpy.asarray(bound)
    if new.shape != data.shape:
        raise PluginError(
            f"it bound an array of shape {new.shape} to buffer.data, "
            f"but the block has shape {data.shape}"
        )
    numpy.copyto(data, new, casting="same_kind")


def _method(plugin, *names):
    """Return the first of these names that is a method, or None (5.1)."""
    has = (name for name in names if callable(getattr(plugin, name, None)))
    return next(has, None)


def _channels(plugin):
    getter = _method(plugin, "get_channels", "get_channel_count")
    return int(_ask(plugin, getter or "get_channels"))


def _set_rate(plugin):
    if _method(plugin, "set_sample_rate"):
        _ask(plugin, "set_sample_rate", RATE)


def _configure_processor(plugin, n_channels):
    _set_rate(plugin)
    setter = _method(plugin, "set_channels", "set_channel_count")
    if setter is not None:
        _ask(plugin, setter, n_channels)
    return RATE, n_channels, FRAMES


def _device_rate(plugin):
    if not _method(plugin, "get_sample_rate"):
        return RATE
    if _ask(plugin, "get_sample_rate") != RATE:
        _set_rate(plugin)
    rate = int(_ask(plugin, "get_sample_rate"))
    if rate not in RATES:
        raise PluginError(f"its sample rate is {rate}")
    return rate


def _set_frames(plugin, n_frames):
    """Return the most frames of a call; 512 if the plugin cannot say."""
    try:
        if _method(plugin, "set_buffer_size"):
            _ask(plugin, "set_buffer_size", n_frames)
        reported = int(_ask(plugin, "get_buffer_size"))
    except PluginError:
        raise
    except BaseException:
        return FRAMES
    return min(reported, FRAMES) if reported > 0 else FRAMES


def _device_frames(plugin):
    frames = _set_frames(plugin, FRAMES)
    if frames < FRAMES:
        _set_frames(plugin, frames)
    return frames


def configure(plugin, role, n_channels):
    """Set rate, channels and block size before the start (5.1 to 5.6).

    Returns the plugin's format: rate, channels, frames of a call.
    """
    if role == "Processor":
        return _configure_processor(plugin, n_channels)
    rate = _device_rate(plugin)
    return rate, n_channels, _device_frames(plugin)


def look_again(plugin, role, rate, n_channels, n_frames):
    """Return the format after the start, where a device may be mono (5.4)."""
    if role != "Processor":
        n_channels = _channels(plugin)
        if not 1 <= n_channels <= MAX_CHANNELS:
            raise PluginError(
                f"it has {n_channels} channels; 1 to {MAX_CHANNELS} can be"
            )
    return rate, n_channels, n_frames


def _latency(plugin):
    try:
        seconds = float(_ask(plugin, "get_processing_latency"))
    except BaseException:
        return 0
    if not math.isfinite(seconds) or seconds < 0:
        return 0
    return min(round(seconds * 1e9), 3600 * 10**9)


def facts(plugin, role):
    """Return the plugin's facts: latency in ns, channels, latency in frames at
    its rate, and whether it only analyses.

    A latency that makes no sense counts as 0 (8.1). Processors have no
    channels of their own, sources and sinks no latency.
    """
    if isinstance(plugin, Wrapper):
        return plugin.get_facts()
    if role == "Processor":
        latency = _latency(plugin)
        return latency, 0, round(latency * RATE / 1e9), 0
    try:
        return 0, max(0, min(_channels(plugin), MAX_CHANNELS)), 0, 0
    except BaseException:
        return 0, 0, 0, 0


def describe_plugin(plugin):
    """Return an API 2 plugin's declarations as key file text; else None."""
    return describe_wrapped(plugin) if isinstance(plugin, Wrapper) else None


def reset_plugin(plugin):
    """Tell the plugin that the next block does not follow (API 2, 4.7)."""
    if not isinstance(plugin, Wrapper):
        return
    try:
        plugin.reset()
    except BaseException as error:
        log(True, f"The plugin “{plugin.path}” failed in its reset (): "
                  f"{describe(error)}")


def _is_secret(plugin, key):
    if isinstance(plugin, Wrapper) and plugin.is_secret(key):
        return True
    return any(word in key.lower() for word in _secret_words)


def set_parameter(plugin, key, value):
    """Set one parameter; what went wrong, or None (7.1 to 7.3)."""
    _printed.lines = None
    try:
        result = _ask(plugin, "set_parameter", key, value)
    except BaseException as error:
        if _is_secret(plugin, key):  # the error may quote the value (7.6)
            return _type_name(error)
        _tell(error)
        return describe(error).partition("\n")[0] + suggest_number(value)
    if result is not False:
        return None
    return refused_parameter(plugin, key, _is_secret(plugin, key))


def get_parameter(plugin, key):
    """Return one parameter as text, "" if there is none (7.6)."""
    try:
        value = _ask(plugin, "get_parameter", key)
        return "" if value is None else _printable(str(value), LONGEST_VALUE)
    except BaseException as error:
        if _is_secret(plugin, key):  # the error may quote the value (7.6)
            log(True, f"get_parameter () failed: {_type_name(error)}")
        else:
            _tell(error)
        return ""


def shut_down(module, plugin):
    """End an instance (4.1) and remove all of it from sys.modules."""
    try:
        _ask(plugin, "shutdown")
    except BaseException as error:
        _tell(error)
    unload(module)


def settle():
    """Freeze all objects loaded now: the collector then skips them (T13)."""
    global _running
    _running += 1
    if _owns_gc:
        gc.disable()
        gc.collect()
        gc.freeze()


def unsettle():
    """Let the collector free the objects of closed plugins.

    A plugin that always plays must not keep the objects of all plugins that
    were closed meanwhile. Looking through all frozen objects takes long, so
    this waits until many plugins have closed: a quarter of those that are
    left.
    """
    global _running, _gone
    _running -= 1
    _gone += 1
    if not _owns_gc or _gone * 4 < _running:
        return
    _gone = 0
    gc.disable()
    if not _shares_frozen:
        gc.unfreeze()
    gc.collect()
    if _running:
        gc.freeze()
    else:
        gc.enable()


def collect():
    """Collect garbage between blocks, by CPython's own thresholds."""
    global _next_full_collection
    if not _owns_gc:
        return
    young, middle, old = gc.get_count()
    young_limit, middle_limit, old_limit = gc.get_threshold()
    if young <= young_limit:
        return
    now = time.monotonic()
    if old > old_limit and now >= _next_full_collection:
        gc.collect()
        spent = time.monotonic() - now
        _next_full_collection = now + FULL_COLLECTION_SHARE * spent
    else:
        gc.collect(1 if middle > middle_limit else 0)
