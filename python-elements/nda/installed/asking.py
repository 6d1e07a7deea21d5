# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks a plugin for its description, without running it in this process.

The elements do that: they open the plugin in a separate process, as
isolation=process does, ask it, and end the process. The plugin is not started,
so no device is left open.
"""

from __future__ import annotations

import ast
from typing import Any

from .kept import Failure, escape

ROLES = {
    "ndapybridge": "processor",
    "ndapysrc": "source",
    "ndapysink": "sink",
}
# The element for each call that a plugin may have
ELEMENT_OF_CALL = {
    "process": "ndapybridge",
    "analyse": "ndapybridge",
    "read": "ndapysrc",
    "write": "ndapysink",
}
ELEMENT_OF_CLASS = {
    "Processor": "ndapybridge",
    "Analyser": "ndapybridge",
    "Source": "ndapysrc",
    "Sink": "ndapysink",
    "AudioProcessorPlugin": "ndapybridge",
    "AudioSourcePlugin": "ndapysrc",
    "AudioSinkPlugin": "ndapysink",
}


def split(plugin: str) -> tuple[str, str]:
    """Return the file and the name in it of “file.py:name”."""
    path, colon, name = plugin.rpartition(":")
    if colon and name.isidentifier() and path.endswith(".py"):
        return path, name
    return plugin, ""


def _element_for(node: ast.AST) -> str | None:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return ELEMENT_OF_CALL.get(node.name)
    names = [
        getattr(base, "id", getattr(base, "attr", None))
        for base in getattr(node, "bases", [])
    ]
    found = (ELEMENT_OF_CLASS[n] for n in names if n in ELEMENT_OF_CLASS)
    return next(found, None)


def elements_to_try(path: str, name: str) -> list[str]:
    """Return the elements that may run a plugin, the most likely one first."""
    try:
        with open(path, "rb") as source:
            body = ast.parse(source.read()).body
    except (OSError, SyntaxError, ValueError):
        return list(ROLES)[:1]  # whichever is asked says what is wrong
    nodes = [n for n in body if not name or getattr(n, "name", "") == name]
    found = [e for e in map(_element_for, nodes) if e]
    return list(dict.fromkeys([*found, *ROLES]))


def first_line(path: str) -> str:
    """Return the first line of a file's docstring."""
    try:
        with open(path, "rb") as source:
            text = ast.get_docstring(ast.parse(source.read())) or ""
    except (OSError, SyntaxError, ValueError):
        return ""
    return text.split("\n")[0]


def text_of_api_1(plugin: str, role: str) -> str:
    """Return the description of a plugin that gives none."""
    path, name = split(plugin)
    keys = {
        "name": name or path.rpartition("/")[2].removesuffix(".py"),
        "role": role,
        "api": "1",
        "description": first_line(path),
        "path": path,
    }
    lines = (f"{key}={escape(value)}\n" for key, value in keys.items())
    return "[plugin]\n" + "".join(lines)


def load_gstreamer() -> Any:
    """Return the module Gst, initialised."""
    try:
        import gi

        gi.require_version("Gst", "1.0")
        from gi.repository import Gst
    except (ImportError, ValueError) as error:
        raise Failure(
            f"GStreamer's Python bindings are not there ({error}): install "
            "python3-gi and gir1.2-gstreamer-1.0."
        ) from error
    Gst.init(None)
    return Gst


class Asker:
    """Asks plugins, by the elements that would run them."""

    def __init__(self) -> None:
        self.Gst = load_gstreamer()

    def _make(self, factory: str, plugin: str, python: str | None) -> Any:
        element = self.Gst.ElementFactory.make(factory, None)
        if element is None:
            raise Failure(
                f"GStreamer does not find nda's element {factory}: set "
                "GST_PLUGIN_PATH to the folder where it was installed."
            )
        element.set_property("plugin", plugin)
        self.Gst.util_set_object_arg(element, "isolation", "process")
        if python:
            element.set_property("python", python)
        element.set_bus(self.Gst.Bus.new())
        return element

    def _error(self, element: Any) -> str:
        message = element.get_bus().pop_filtered(self.Gst.MessageType.ERROR)
        return message.parse_error()[0].message if message else ""

    def _ask_one(
        self, factory: str, plugin: str, python: str | None, may_open: bool
    ) -> str | None:
        """Return the description; None if it is an API 1 plugin that is not
        opened."""
        element = self._make(factory, plugin, python)
        try:
            text = element.emit("describe")
            error = self._error(element)
            if not text and not error and may_open:
                text, error = self._open(element, factory, plugin)
        finally:
            element.set_state(self.Gst.State.NULL)
        if error:
            raise Failure(error)
        return text

    def _open(self, element: Any, factory: str, plugin: str):
        """Open a plugin of API 1 to find its role; return whether that works.
        """
        result = element.set_state(self.Gst.State.READY)
        if result == self.Gst.StateChangeReturn.FAILURE:
            return None, self._error(element) or "it cannot be opened"
        declared = element.emit("describe")
        return declared or text_of_api_1(plugin, ROLES[factory]), ""

    def ask(
        self, plugin: str, python: str | None = None, may_open: bool = True
    ) -> str | None:
        """Return the text with which a plugin describes itself.

        Raises
        ------
        Failure
            If it is no plugin, with the reason.
        """
        failures = []
        for factory in elements_to_try(*split(plugin)):
            try:
                return self._ask_one(factory, plugin, python, may_open)
            except Failure as failure:
                failures.append(failure)
        raise failures[0]
