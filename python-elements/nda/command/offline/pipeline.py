# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One file through a plugin: the pipeline, and its measurements."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import gstreamer
from ..place import Failure, Interrupted
from .files import Job
from .levels import Level
from .progress import Progress

INTERVAL = 100_000_000  # ns, of each level
POLL = 100_000_000  # ns, between two looks at the position


@dataclass
class Result:
    """The result of one file. Times are in nanoseconds."""

    stats: dict[str, int] = field(default_factory=dict)
    latency: int = 0
    duration: int = 0
    seconds: float = 0.0
    before: Level = field(default_factory=Level)
    after: Level = field(default_factory=Level)


def explain_source(path: Path, text: str) -> str:
    """Return advice for a file that GStreamer does not read."""
    if path.is_file() and not path.stat().st_size:
        return f"“{path}” is empty: name another file."
    if "determine type" in text:
        return (f"“{path}” is no sound in a format that GStreamer knows: is "
                "it another kind of file, or cut off at its beginning?")
    return f"“{path}” cannot be read: {text}"


class Pipeline:
    """ndasrc ! level ! ndapybridge ! level ! ndasink."""

    def __init__(self, Gst: Any, job: Job, settings: dict[str, str]) -> None:
        self.Gst = Gst
        self.job = job
        self.result = Result()
        self.pipeline = Gst.Pipeline.new("run")
        self.bus = self.pipeline.get_bus()
        elements = gstreamer.make_chain(Gst, self.pipeline, settings)
        src, before, self.bridge, after, sink = elements.values()
        src.set_property("uri", Gst.filename_to_uri(str(job.source)))
        for level in (before, after):
            level.set_property("interval", INTERVAL)
        sink.set_property("location", str(job.unfinished))
        sink.set_property("overwrite", True)

    def failure(self, message: Any) -> Failure:
        """Return a failure that names the file and says what to do."""
        text = gstreamer.error_text(message)
        owner: Any = message.src
        while owner is not None and owner.get_parent() is not self.pipeline:
            owner = owner.get_parent()
        name = owner.get_name() if owner else ""
        if name == "src":
            return Failure(explain_source(self.job.source, text))
        if name == "sink":
            return Failure(f"{self.job.target} cannot be written: {text}")
        if name == "bridge" and not self.read_stats()["num-blocks"]:
            return Failure(text)  # it has not come to the file
        return Failure(f"{self.job.source}: {text}")

    def refuse_setting(self, message: Any) -> None:
        """Fail if a warning is about a parameter, rather than use the default.

        Other warnings are shown.
        """
        error = message.parse_warning()[0]
        settings = self.Gst.LibraryError.SETTINGS
        if error.matches(self.Gst.LibraryError.quark(), settings):
            raise Failure(error.message)
        print(f"nda: {self.job.source}: {error.message}", file=sys.stderr)

    def add_level(self, message: Any) -> None:
        found = message.get_structure()
        if found.get_name() != "level":
            return
        level = getattr(self.result, message.src.get_name())
        level.add(
            list(found.get_value("rms")),
            list(found.get_value("peak")),
            found.get_value("duration"),
        )

    def ask_duration(self) -> int:
        is_known, duration = self.pipeline.query_duration(self.Gst.Format.TIME)
        return duration if is_known else 0

    def ask_latency(self) -> int:
        """Return the latency that the plugin adds, by the queries on both its
        sides."""
        query = self.Gst.Query.new_latency
        after, before = query(), query()
        sink = self.bridge.get_static_pad("sink")
        if not (self.bridge.get_static_pad("src").query(after)
                and sink.peer_query(before)):
            return 0
        return after.parse_latency()[1] - before.parse_latency()[1]

    def read_stats(self) -> dict[str, int]:
        stats = self.bridge.get_property("stats")
        names = map(stats.nth_field_name, range(stats.n_fields()))
        return {name: stats.get_value(name) for name in names}

    def wait(self, progress: Progress) -> None:
        """Run to the end of the file."""
        types = self.Gst.MessageType
        wanted = types.EOS | types.ERROR | types.WARNING | types.ELEMENT
        begin = time.monotonic()
        while True:
            message = self.bus.timed_pop_filtered(POLL, wanted)
            seconds = time.monotonic() - begin
            if message is None:
                is_known, position = self.pipeline.query_position(
                    self.Gst.Format.TIME)
                if is_known:
                    progress.show(position, self.ask_duration(), seconds)
            elif message.type == types.ELEMENT:
                self.add_level(message)
            elif message.type == types.WARNING:
                self.refuse_setting(message)
            elif message.type == types.ERROR:
                raise self.failure(message)
            else:
                self.result.seconds = seconds
                return

    def run(self, progress: Progress) -> Result:
        """Write the target; leave nothing of it behind if that fails."""
        states = self.Gst.State
        try:
            self.pipeline.set_state(states.PLAYING)
            self.wait(progress)
            self.result.duration = int(self.result.after.duration)
            self.result.latency = self.ask_latency()
            self.result.stats = self.read_stats()
            self.pipeline.set_state(states.NULL)
            if self.job.unfinished.exists():
                self.job.unfinished.replace(self.job.target)
            else:
                raise Failure(f"{self.job.source}: there is no sound in it, "
                              f"so that {self.job.target} was not written.")
        except KeyboardInterrupt:
            raise Interrupted(
                f"interrupted: “{self.job.target}” was not written."
            ) from None
        finally:
            progress.clear()
            self.pipeline.set_state(states.NULL)
            self.job.unfinished.unlink(missing_ok=True)
        return self.result
