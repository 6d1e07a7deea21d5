# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pipelines with the plugin under check, and their results."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstAudio", "1.0")
from gi.repository import Gst, GstApp, GstAudio  # noqa: E402,F401

BLOCK = 512
N_BLOCKS = 20
PATIENCE = 30 * Gst.SECOND  # for a pipeline to end, or to say why not
DEADLINE = 5 * Gst.SECOND  # of a block call, where that can be enforced
WITNESS = str(Path(__file__).with_name("witness.py"))

ELEMENTS = {
    "Processor": "ndapybridge",
    "AudioSource": "ndapysrc",
    "AudioSink": "ndapysink",
}
# As fast as possible
PACE = {
    "Processor": {},
    "AudioSource": {"is_live": "false"},
    "AudioSink": {"sync": "false"},
}
CALLS = {
    "Processor": "process_audio",
    "AudioSource": "read_audio",
    "AudioSink": "write_audio",
}


class Broken(Exception):
    """The plugin breaks a rule; the text says why."""


class Skip(Exception):
    """A rule cannot be checked; the text says why."""


@dataclass
class Outcome:
    """The result of a pipeline."""

    error: str = ""
    frames: list = field(default_factory=list)  # buffers of what came out
    stats: dict = field(default_factory=dict)


def without_printed(text: str) -> str:
    """An error without what the plugin printed, which is shown once."""
    return re.sub(r"; it (may have )?printed\b[^\n]*", "", text)


class Line:
    """A pipeline around the plugin: appsrc or nothing, the plugin, appsink or
    nothing."""

    def __init__(self, trial: Trial, plugin: str, **props: object) -> None:
        element = ELEMENTS[trial.role]
        parts = [f"{element} name=py"]
        if trial.role != "AudioSource":
            parts.insert(0, "appsrc name=src format=time")
        if trial.role != "AudioSink":
            parts.append("appsink name=sink sync=false wait-on-eos=false")
        self.trial = trial
        self.pipeline = Gst.parse_launch(" ! ".join(parts))
        self.py = self.pipeline.get_by_name("py")
        self.src = self.pipeline.get_by_name("src")
        self.sink = self.pipeline.get_by_name("sink")
        self.bus = self.pipeline.get_bus()
        self.n_pushed = 0
        props = {**trial.props, **PACE[trial.role], "plugin": plugin, **props}
        for name, value in props.items():
            Gst.util_set_object_arg(
                self.py, name.replace("_", "-"), str(value)
            )
        if self.src is not None:
            self.set_channels(2)

    def set_channels(self, n_channels: int) -> None:
        mask = ",channel-mask=(bitmask)0x0" if n_channels > 2 else ""
        self.src.props.caps = Gst.Caps.from_string(
            "audio/x-raw,format=F32LE,rate=48000,layout=interleaved,"
            f"channels={n_channels}{mask}"
        )

    def set_state(self, state: Gst.State) -> None:
        if self.pipeline.set_state(state) == Gst.StateChangeReturn.FAILURE:
            raise Broken(self.find_error() or "the state change failed")

    def find_error(self) -> str:
        message = self.bus.pop_filtered(Gst.MessageType.ERROR)
        return self.trial.describe(message) if message else ""

    def push(self, frames: np.ndarray) -> None:
        """Push (frames, channels) of float32."""
        data = np.ascontiguousarray(frames, dtype=np.float32).tobytes()
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts = self.n_pushed * Gst.SECOND // 48000
        self.n_pushed += len(frames)
        buffer.duration = self.n_pushed * Gst.SECOND // 48000 - buffer.pts
        self.src.emit("push-buffer", buffer)

    def end(self) -> None:
        if self.src is not None:
            self.src.emit("end-of-stream")

    def wait(self) -> str:
        """Wait for the end; return the error, or ""."""
        message = self.bus.timed_pop_filtered(
            PATIENCE, Gst.MessageType.EOS | Gst.MessageType.ERROR
        )
        if message is None:
            self.trial.is_stuck = True
            raise Broken("the stream neither went on nor ended")
        if message.type == Gst.MessageType.EOS:
            return ""
        return self.trial.describe(message)

    def pull_all(self) -> list[np.ndarray]:
        """Return the output so far, as (frames, channels)."""
        pulled = []
        while self.sink is not None:
            sample = self.sink.emit("try-pull-sample", 0)
            if sample is None:
                break
            info = GstAudio.AudioInfo.new_from_caps(sample.get_caps())
            buffer = sample.get_buffer()
            data = buffer.extract_dup(0, buffer.get_size())
            pulled.append(
                np.frombuffer(data, np.float32).reshape(-1, info.channels)
            )
        return pulled

    def get_stats(self) -> dict:
        stats = self.py.props.stats
        names = map(stats.nth_field_name, range(stats.n_fields()))
        return {name: stats.get_value(name) for name in names}

    def stop(self) -> None:
        self.pipeline.set_state(Gst.State.NULL)


class Trial:
    """One plugin in one isolation."""

    def __init__(self, path: str, parameters: str, isolation: str) -> None:
        self.path = path
        self.role = "Processor"
        self.isolation = isolation
        self.is_stuck = False
        self.props = {
            "isolation": isolation,
            "parameters": parameters,
            "restart": "never",
            "deadline": DEADLINE,
        }
        self.journal_path = os.environ["NDA_CHECK_JOURNAL"]
        self.notes: list[dict] = []

    def begin(self) -> None:
        """Forget the notes."""
        Path(self.journal_path).write_text("")

    def look(self) -> list[dict]:
        """Return the notes since then."""
        text = Path(self.journal_path).read_text().rpartition("\n")[0]
        return [json.loads(line) for line in text.splitlines()]

    def read(self) -> list[dict]:
        """Return the notes since then, and keep them for later rules."""
        notes = self.look()
        self.notes += notes
        return notes

    def describe(self, message: Gst.Message) -> str:
        """Return an error with its place in the plugin."""
        raised = [note for note in self.look() if "error" in note]
        if raised and raised[-1]["call"] == "load":
            return raised[-1]["error"]
        if raised and not raised[-1]["call"].endswith("_parameter"):
            return f"{raised[-1]['call']} () raised {raised[-1]['error']}"
        text = message.parse_error()[0].message
        # remove a line that belongs to the witness
        text = re.sub(rf" \({re.escape(WITNESS)}, line \d+\)", "", text)
        return without_printed(text).replace(WITNESS, self.path)

    def line(self, **props: object) -> Line:
        return Line(self, WITNESS, **props)

    def play(self, line: Line, frames: list[np.ndarray]) -> Outcome:
        """Push the frames and play to the end, or play so many buffers of a
        source."""
        outcome = Outcome()
        if line.src is None:
            line.py.props.num_buffers = len(frames)
        line.set_state(Gst.State.PLAYING)
        for block in frames if line.src is not None else []:
            line.push(block)
        line.end()
        outcome.error = line.wait()
        outcome.frames = line.pull_all()
        outcome.stats = line.get_stats()
        return outcome

    def run(
        self, frames: list[np.ndarray] | None = None, channels: int = 2
    ) -> Outcome:
        """Run a new pipeline, from NULL to NULL; it must not fail."""
        self.begin()
        line = self.line()
        if channels != 2 and line.src is not None:
            line.set_channels(channels)
        if frames is None:
            frames = noise(N_BLOCKS, channels)
        try:
            outcome = self.play(line, frames)
        finally:
            line.stop()
        if outcome.error:
            raise Broken(outcome.error)
        return outcome


def noise(n_blocks: int, channels: int = 2) -> list[np.ndarray]:
    generator = np.random.default_rng(1)
    return [
        generator.uniform(-0.5, 0.5, (BLOCK, channels)).astype(np.float32)
        for _ in range(n_blocks)
    ]
