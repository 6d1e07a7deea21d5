#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Microphone to Python to speaker inside an application, or file to file.

    python3 embed.py gain
    python3 embed.py gain file:///home/me/in.wav out.wav

The application's own Python and the plugin's are one interpreter: while it
runs Python code, blocks wait for the GIL.
"""

import argparse
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402


class App:
    """A pipeline, and what its bus has to say."""

    def __init__(self, plugin: str, uri: str | None, location: str | None):
        self.failed = False
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(
            "ndasrc name=src ! ndapybridge name=bridge ! ndasink name=sink"
        )
        # None leaves it at the default microphone and speaker.
        self.pipeline.get_by_name("src").props.uri = uri
        self.pipeline.get_by_name("sink").props.location = location
        self.bridge = self.pipeline.get_by_name("bridge")
        self.bridge.props.plugin = plugin

    def run(self) -> None:
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)
        bus.connect("message::warning", self.on_warning)
        bus.connect("message::eos", lambda *_: self.loop.quit())
        bus.connect("message::latency", self.on_latency)
        GLib.unix_signal_add(
            GLib.PRIORITY_DEFAULT, signal.SIGINT, self.on_interrupt
        )
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        print(self.bridge.props.stats.to_string())
        self.pipeline.set_state(Gst.State.NULL)
        bus.remove_signal_watch()

    def on_error(self, _bus: Gst.Bus, message: Gst.Message) -> None:
        # The first text is for the user; the second, such as a plugin's
        # traceback, for whoever can mend it.
        error, debug = message.parse_error()
        print(f"Error: {error.message}\n{debug}", file=sys.stderr)
        self.failed = True
        self.loop.quit()

    def on_warning(self, _bus: Gst.Bus, message: Gst.Message) -> None:
        warning, debug = message.parse_warning()
        print(f"Warning: {warning.message}\n{debug}", file=sys.stderr)

    def on_latency(self, _bus: Gst.Bus, _message: Gst.Message) -> None:
        self.pipeline.recalculate_latency()

    def on_interrupt(self) -> bool:
        # Ends the stream, so that files are finished; a second one kills.
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plugin", help="a file, or an installed plugin's name")
    parser.add_argument("uri", nargs="?", help="instead of the microphone")
    parser.add_argument("location", nargs="?", help="file to write instead")
    arguments = parser.parse_args()
    Gst.init(None)
    try:
        app = App(arguments.plugin, arguments.uri, arguments.location)
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        return 1
    app.run()
    return 1 if app.failed else 0


if __name__ == "__main__":
    sys.exit(main())
