# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin between two devices, until it is stopped."""

from __future__ import annotations

import math
import signal
import subprocess
import time
from typing import Any

from . import server
from .. import gstreamer
from ..place import Failure
from .cable import Cable, Keeper
from .ends import set_ends
from .line import Line, line_text

POLL = 100_000_000  # ns, of the level line and of a look at the server
RETRY = 0.5  # s, between two trials to go on after the server went
# s after the server ended, in which an error counts as its consequence and is
# tried again
PATIENCE = 30
# The counters in the line, by element, and their labels
COUNTERS = (
    ("src", "num-overruns", "overruns"),
    ("bridge", "num-late", "late"),
    ("bridge", "num-failures", "failed"),
    ("bridge", "num-restarts", "restarts"),
    ("sink", "num-underruns", "underruns"),
)
QUIET = -100.0  # dBFS
# s, for a client to notice that the server is gone
NOTICE = 1


class Session:
    """ndasrc ! level ! ndapybridge ! level ! ndasink, and the devices."""

    def __init__(
        self, Gst: Any, cable: Cable, devices: tuple[str, str],
        settings: dict[str, str],
    ) -> None:
        self.Gst = Gst
        self.cable = cable
        self.devices = devices
        self.known: list[str] = []  # those that the server has by this name
        self.is_stopped = False
        self.line = Line()
        self.peaks = {"before": QUIET, "after": QUIET}
        self.keeper: Keeper | None = None
        self.subscriber: Any = None
        self.lost_at = -math.inf
        self.retry_at = -math.inf
        self.is_astray = False
        self.pipeline = Gst.Pipeline.new("desktop")
        self.elements = gstreamer.make_chain(Gst, self.pipeline, settings)
        set_ends(Gst, self.elements, cable.kind, devices)
        for level in ("before", "after"):
            self.elements[level].set_property("interval", POLL)

    def stop(self, *_) -> None:
        self.is_stopped = True

    # --- the devices ---

    def make_devices(self) -> None:
        self.keeper = Keeper(self.cable)
        self.subscriber = server.subscribe()

    def remove_devices(self) -> None:
        for process in (self.subscriber,):
            if process:
                process.kill()
                process.wait()
        if self.keeper:
            self.keeper.close()
        self.keeper = self.subscriber = None

    def is_time_to_retry(self) -> bool:
        now = time.monotonic()
        if now < self.retry_at:
            return False
        self.retry_at = now + RETRY
        return server.is_there()

    def look_after_devices(self) -> None:
        """Make the devices again after a restart of the server."""
        if self.subscriber and self.subscriber.poll() is not None:
            self.line.say("nda: the sound server is gone")
            self.lost_at = time.monotonic()
            self.remove_devices()
        if self.subscriber or not self.is_time_to_retry():
            return
        try:
            self.make_devices()
        except Failure:
            return  # it is still starting
        # If a device does not exist yet, PipeWire uses the default one
        # instead.
        self.is_astray = self.is_astray or server.is_pipewire()
        self.line.say(f"nda: the sound server is back, and {self.cable.name}")

    def look_after_sound(self) -> None:
        """Start the pipeline again if it was connected to other devices
        meanwhile."""
        if (
            self.is_astray
            and self.subscriber
            and self.is_time_to_retry()
            and all(map(server.has_device, self.known))
        ):
            self.is_astray = False
            self.pipeline.set_state(self.Gst.State.NULL)
            self.pipeline.set_state(self.Gst.State.PLAYING)

    def is_server_gone(self) -> bool:
        """Return whether the server has just ended; its client may not have
        noticed."""
        if not self.subscriber:
            return True
        try:
            self.subscriber.wait(timeout=NOTICE)
        except subprocess.TimeoutExpired:
            return False
        return True

    def fail(self, text: str) -> None:
        """End with an error, unless the server's end is the cause."""
        if self.is_server_gone():
            self.lost_at = time.monotonic()
        if time.monotonic() > self.lost_at + PATIENCE:
            raise Failure(text)
        self.is_astray = True

    # --- the sound ---

    def counts(self) -> dict[str, int]:
        counts = {}
        for element, field, name in COUNTERS:
            stats = self.elements[element].get_property("stats")
            counts[name] = stats.get_value(field) or 0
        return counts

    def show(self) -> None:
        if self.line.is_shown:
            self.line.show(line_text(self.peaks["before"],
                                     self.peaks["after"], self.counts()))

    def take(self, message: Any) -> None:
        types = self.Gst.MessageType
        if message.type == types.ERROR:
            self.fail(gstreamer.error_text(message))
        elif message.type == types.WARNING:
            self.line.say(f"nda: {message.parse_warning()[0].message}")
        elif message.type == types.LATENCY:
            self.pipeline.recalculate_latency()
        elif message.get_structure().get_name() == "level":
            peaks = list(message.get_structure().get_value("peak"))
            # There are none if the sound ends before it begins.
            self.peaks[message.src.get_name()] = max(peaks, default=QUIET)

    def loop(self) -> None:
        types = self.Gst.MessageType
        wanted = types.ERROR | types.WARNING | types.LATENCY | types.ELEMENT
        bus = self.pipeline.get_bus()
        while not self.is_stopped:
            message = bus.timed_pop_filtered(POLL, wanted)
            if message:
                self.take(message)
            self.look_after_devices()
            self.look_after_sound()
            self.show()

    def run(self, text: str) -> None:
        """Run until a signal says to stop; remove all devices."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.stop)
        states = self.Gst.State
        try:
            self.make_devices()
            self.known = list(filter(server.has_device, self.devices))
            self.pipeline.set_state(states.PLAYING)
            self.line.say(text)
            self.loop()
        finally:
            self.line.say("")
            self.pipeline.set_state(states.NULL)
            self.remove_devices()
