# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The streams at both ends of `nda mic` and `nda speaker`.

One end is a virtual device without hardware. On PipeWire both streams are in
one group, so that the virtual device runs on the clock of the real one, in the
same cycle. On PulseAudio it has a clock of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import server


@dataclass(frozen=True)
class Request:
    """What is asked of the server.

    Attributes
    ----------
    sink : dict
        Properties of pulsesink: period and buffer, in us.
    stream : dict
        Properties of both streams.
    deadline : int or None
        The processing deadline of ndasink, in ns; None: its own.
    """

    sink: dict[str, int] = field(default_factory=dict)
    stream: dict[str, str] = field(default_factory=dict)
    deadline: int | None = None


def request_for(kind: str, is_pipewire: bool) -> Request:
    if is_pipewire:
        # PipeWire keeps two periods; half of the rest is its quantum, for all
        # programs: 512 frames. The buffer holds less than ndasink asks for, so
        # the sound is given to it 3 ms sooner.
        return Request(
            {"latency-time": 5334, "buffer-time": 32000},
            {"node.group": f"nda.{kind}"},
            8_000_000,
        )
    if kind == "mic":
        # Half of a speaker's. The cable's clock is not the microphone's, and
        # nda needs a minute and a half to prove that. A smaller buffer would
        # be empty by then.
        return Request({"latency-time": 5334, "buffer-time": 16000})
    return Request()


def set_ends(
    Gst: Any, elements: dict[str, Any], kind: str, devices: tuple[str, str]
) -> None:
    """Let ndasrc and ndasink, by their names src and sink, use two devices."""
    request = request_for(kind, server.is_pipewire())
    for name, device in zip(("src", "sink"), devices):
        elements[name].set_property("device", device)
        elements[name].connect("deep-element-added", prepare, Gst, request)
    if request.deadline is not None:
        elements["sink"].set_property("processing-deadline", request.deadline)


def prepare(_end: Any, _bin: Any, element: Any, Gst: Any, request: Request):
    """Set the properties of a device's element, before it is opened."""
    factory = element.get_factory()
    name = factory.get_name() if factory else ""
    if name in ("pulsesrc", "pulsesink") and request.stream:
        structure = Gst.Structure.new_empty("properties")
        for key, value in request.stream.items():
            structure.set_value(key, value)
        element.set_property("stream-properties", structure)
    if name == "pulsesink":
        for key, value in request.sink.items():
            element.set_property(key, value)
