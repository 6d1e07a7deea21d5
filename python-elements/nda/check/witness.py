# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin that stands for another one, and notes all calls between it and the
host.

The host runs this file in place of the file that NDA_CHECK_PLUGIN names. Each
call becomes a line of JSON in the file NDA_CHECK_JOURNAL: its name, its result
or exception, its duration, and for a block the state of the array. Values of
parameters are not noted, since one may be a key.
"""

import json
import os
import sys
import threading
import time
import traceback
import types

BLOCK_CALLS = ("process_audio", "read_audio", "write_audio")
COMMON = (
    "initialize shutdown start stop get_info set_parameter get_parameter "
    "get_sample_rate set_sample_rate"
).split()
METHODS = {
    "process_audio": COMMON,
    "read_audio": COMMON + ["get_buffer_size", "set_buffer_size"],
    "write_audio": COMMON
    + ["get_buffer_size", "set_buffer_size", "get_available_space"],
}


def note(call, **what):
    with open(os.environ["NDA_CHECK_JOURNAL"], "a") as journal:
        journal.write(json.dumps({"call": call, **what}) + "\n")


def load(path):
    """Execute the file as the host does, and make an instance."""
    directory, name = os.path.split(path)
    if directory not in sys.path:
        # The host's own modules stay last: the plugin's copy comes first.
        sys.path.insert(max(len(sys.path) - 1, 0), directory)
    stem = os.path.splitext(name)[0]
    module = types.ModuleType(stem)
    module.__file__ = path
    sys.modules[stem] = module
    with open(path, "rb") as source:
        code = compile(source.read(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    factory = getattr(module, "create_plugin", None)
    if not callable(factory):
        raise AttributeError(
            "it has no function create_plugin (), which makes the plugin"
        )
    return factory()


def lacking(plugin):
    """Return the methods of its role that the plugin does not have."""
    role = next((call for call in METHODS if hasattr(plugin, call)), None)
    missing = [n for n in METHODS.get(role, COMMON) if not hasattr(plugin, n)]
    for kind in ("get", "set"):
        if not any(
            hasattr(plugin, f"{kind}_{what}")
            for what in ("channels", "channel_count")
        ):
            missing.append(f"{kind}_channel_count")
    return missing


def is_based(plugin):
    import base_plugin

    return isinstance(plugin, base_plugin.BasePlugin)


def describe(value):
    """Describe a result: its type, and no value that may be secret."""
    about = {"type": type(value).__name__}
    if value is None or isinstance(value, (bool, int, float)):
        about["value"] = repr(value)
    return about


def describe_info(info):
    role = getattr(getattr(info, "type", None), "value", None)
    names = ("name", "version", "author", "description")
    texts = {name: getattr(info, name, None) for name in names}
    return {
        "type": type(info).__name__,
        "role": role if isinstance(role, str) else None,
        "texts": {
            name: text if isinstance(text, str) else None
            for name, text in texts.items()
        },
        "api_version": str(getattr(info, "api_version", None)),
    }


def find_place(error):
    """Return the last line of the plugin, or of a file beside it, that the
    error came through, else the last of any; or None. A file, and a number."""
    if isinstance(error, SyntaxError) and os.path.isfile(error.filename or ""):
        return error.filename, error.lineno or 1
    folder = os.path.dirname(os.environ["NDA_CHECK_PLUGIN"])
    places = [
        (frame.filename, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__
    ]
    own = [place for place in places if os.path.dirname(place[0]) == folder]
    return next(iter(own[-1:] + places[-1:]), None)


def describe_error(error):
    place = find_place(error)
    where = f" ({place[0]}, line {place[1]})" if place else ""
    return f"{type(error).__name__}: {error}{where}"


def note_failed_load(error):
    """Note the error as compilers do, if it has a line."""
    place = find_place(error)
    if place is None:
        return
    reason = error.msg if isinstance(error, SyntaxError) else error
    if isinstance(error, ImportError):  # which may lack a package
        reason = f"{reason} under {sys.executable}"
    note(
        "load",
        error=f"{place[0]}:{place[1]}: {type(error).__name__}: {reason}",
    )


class Witness:
    """Passes everything that is not defined here to the plugin."""

    def __init__(self, plugin):
        self._plugin = plugin

    def __getattr__(self, name):
        value = getattr(self._plugin, name)
        if not callable(value):
            return value
        if name in BLOCK_CALLS:
            return lambda buffer: self._call_block(name, value, buffer)
        return lambda *args: self._call(name, value, args)

    def _call(self, name, method, args):
        about = {"key": args[0]} if name.endswith("_parameter") else {}
        begin = time.monotonic()
        try:
            result = method(*args)
        except BaseException as error:
            if name.endswith("_parameter"):  # it may quote the value
                about["error"] = type(error).__name__
            else:
                about["error"] = describe_error(error)
            raise
        else:
            is_info = name == "get_info"
            about["result"] = (describe_info if is_info else describe)(result)
            if name == "get_parameter":
                about["empty"] = result == ""
            return result
        finally:
            about["seconds"] = time.monotonic() - begin
            note(name, **about)

    def _call_block(self, name, method, buffer):
        data, shape = buffer.data, buffer.data.shape
        about = {"thread": threading.get_ident(), "shape": shape}
        begin = time.monotonic()
        try:
            result = method(buffer)
        except BaseException as error:
            about["error"] = describe_error(error)
            raise
        else:
            about["result"] = describe(result)
            about["is_rebound"] = buffer.data is not data
            about["is_reshaped"] = data.shape != shape
            return result
        finally:
            about["seconds"] = time.monotonic() - begin
            note(name, **about)


def create_plugin():
    try:
        plugin = load(os.environ["NDA_CHECK_PLUGIN"])
    except BaseException as error:
        note_failed_load(error)
        raise
    if plugin is None:
        return None
    note(
        "create_plugin",
        is_based=is_based(plugin),
        lacking=lacking(plugin),
        block_calls=[call for call in BLOCK_CALLS if hasattr(plugin, call)],
    )
    return Witness(plugin)
