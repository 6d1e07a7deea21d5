# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""GStreamer for verbs."""

from __future__ import annotations

import re
from typing import Any

from .place import Failure

# A traceback, whose last file and line are in the message already; or a number
OF_DEVELOPERS = re.compile(r"Traceback \(|gst-[a-z-]+-quark, code \d+$")
BINDINGS = "python3-gi, python3-gst-1.0 and gir1.2-gst-plugins-base-1.0"


def load() -> Any:
    """Return the initialised module Gst."""
    try:
        import gi

        gi.require_version("Gst", "1.0")
        from gi.repository import Gst
    except (ImportError, ValueError) as error:
        raise Failure(
            f"GStreamer's Python bindings are not there ({error}): install "
            f"them, on Debian {BINDINGS}."
        ) from error
    Gst.init(None)
    return Gst


def make(Gst: Any, factory: str, name: str) -> Any:
    """Make an element, or fail with the package that has it."""
    element = Gst.ElementFactory.make(factory, name)
    if element:
        return element
    where = (
        "set GST_PLUGIN_PATH to the folder that “meson install” named last"
        if factory.startswith("nda")
        else "install GStreamer's base and good plugins"
    )
    raise Failure(f"GStreamer does not find the element {factory}: {where}.")


def make_chain(
    Gst: Any, pipeline: Any, settings: dict[str, str]
) -> dict[str, Any]:
    """Put ndasrc ! level ! ndapybridge ! level ! ndasink into a pipeline.

    `settings` are properties of the bridge, as text. Returns the elements by
    their names: src, before, bridge, after, sink.
    """
    elements = {
        name: make(Gst, factory, name)
        for factory, name in (
            ("ndasrc", "src"), ("level", "before"),
            ("ndapybridge", "bridge"), ("level", "after"),
            ("ndasink", "sink"),
        )
    }
    chain = list(elements.values())
    for element in chain:
        pipeline.add(element)
    for left, right in zip(chain, chain[1:]):
        left.link(right)
    for name, value in settings.items():
        Gst.util_set_object_arg(elements["bridge"], name, value)
    return elements


def error_text(message: Any) -> str:
    """Return the text of an error message of the bus, for a user."""
    error, debug = message.parse_error()
    details = (debug or "").strip().splitlines()
    # The first line of a debug text is the place in the C source.
    more = " ".join(line.strip() for line in details[1:])
    text = error.message.strip()
    if OF_DEVELOPERS.match(more):
        return text
    return text if not more or more in text else f"{text} ({more})"
