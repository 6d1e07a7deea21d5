# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules that a plugin of API 2 can break: API2.md has the numbers."""

from __future__ import annotations

import re

import numpy as np

from .declarations import find_faults
from .rules import (
    Rule,
    check_channels,
    check_failures,
    check_file_name,
    check_other_channels,
    check_short_block,
    check_stop,
    check_time,
    check_two,
    play_twice,
)
from .trial import BLOCK, Broken, Gst, Line, Trial, noise, without_printed

ANY = ("Processor", "AudioSource", "AudioSink")
ROLE = re.compile(r"is of the type “(\w+)”")


class SecondTrial(Trial):
    """A plugin that runs without a witness: the host itself reports faults."""

    def read(self) -> list[dict]:
        return []

    def describe(self, message: Gst.Message) -> str:
        text = without_printed(message.parse_error()[0].message)
        return text.replace(f"The plugin “{self.path}” ", "")

    def line(self, **props: object) -> Line:
        return Line(self, self.path, **props)


def check_declarations(trial: Trial) -> None:
    faults = find_faults(trial.path)
    if faults:
        raise Broken("\n".join(f"line {n}: {text}" for n, text in faults))


def check_loads(trial: Trial) -> None:
    """The error of another element says which one it is for."""
    line = trial.line()
    try:
        line.set_state(Gst.State.READY)
    except Broken as broken:
        other = ROLE.search(str(broken))
        if other is None:
            raise
        trial.role = other[1]
        line.stop()
        line = trial.line()
        line.set_state(Gst.State.READY)
    finally:
        line.stop()


def check_life(trial: Trial) -> None:
    outcome = trial.run()
    if trial.role != "AudioSink" and not outcome.frames:
        raise Broken("no block came out")


def check_restart(trial: Trial) -> None:
    play_twice(trial, Gst.State.READY)


def check_again(trial: Trial) -> None:
    play_twice(trial, Gst.State.NULL)


def check_any_length(trial: Trial) -> None:
    """As many frames come out as went in, however they are cut."""
    generator = np.random.default_rng(3)
    frames = np.concatenate(noise(20))
    ends = np.sort(generator.choice(len(frames), 30, replace=False))
    outcome = trial.run([part for part in np.split(frames, ends) if len(part)])
    n_frames = sum(map(len, outcome.frames))
    if n_frames != 20 * BLOCK:
        raise Broken(f"of {20 * BLOCK} frames {n_frames} came out")


def check_end(trial: Trial) -> str | None:
    """A source may have an end."""
    n_frames = sum(map(len, trial.run().frames))
    if n_frames < BLOCK:
        return f"it ends after {n_frames} frames"
    return None


def names_of_parameters(child: object) -> list[str]:
    own = [p.name for p in type(child).list_properties()]
    return [n for n in own if n not in ("name", "parent")]


def get_child(line: Line) -> object:
    child = line.py.get_child_by_name("plugin")
    if child is None:
        raise Broken("the element has no child “plugin”")
    return child


def check_parameters(trial: Trial) -> str | None:
    """Each of its numbers takes both ends of its range."""
    names = names_of_numbers(trial)
    for name in names:
        play_with(trial, name, "minimum")
        play_with(trial, name, "maximum")
    return f"tried: {', '.join(names)}" if names else None


def names_of_numbers(trial: Trial) -> list[str]:
    line = trial.line()
    try:
        line.set_state(Gst.State.READY)
        child = get_child(line)
        return [name for name in names_of_parameters(child)
                if hasattr(child.find_property(name), "minimum")]
    finally:
        line.stop()


def play_with(trial: Trial, name: str, end: str) -> None:
    """Play with a number at one end of its range."""
    trial.begin()
    line = trial.line()
    try:
        line.set_state(Gst.State.READY)
        child = get_child(line)
        value = getattr(child.find_property(name), end)
        child.set_property(name, value)
        channels = 2
        if name == "channels" and trial.role == "AudioSink":
            channels = value  # of what a sink is given
            line.set_channels(channels)
        error = trial.play(line, noise(2, channels)).error
    finally:
        line.stop()
    if error:
        raise Broken(f"with {name}={value:g}: {error}")


RULES = [
    Rule("12.1", "its file has a name that is looked for", check_file_name,
         ANY, False),
    Rule("", "what it declares is right", check_declarations, ANY, True),
    Rule("1.1", "it loads: it is one function or class", check_loads, ANY,
         True),
    Rule("2.1", "it starts, works and stops", check_life, ANY, True),
    Rule("2.1", "it starts again after stop ()", check_restart, ANY, False),
    Rule("2.4", "another instance works after the first", check_again, ANY,
         False),
    Rule("2.3", "it takes one channel, two, and more", check_channels,
         ("Processor",), False),
    Rule("2.3", "the channels may change in mid-stream", check_other_channels,
         ("Processor",), False),
    Rule("1.3", "none of its blocks fails", check_failures, ANY, False),
    Rule("1.5", "it gives a block, or says that it ends", check_end,
         ("AudioSource",), False),
    Rule("3.3", "each number takes both ends of its range", check_parameters,
         ANY, False),
    Rule("4.1", "a short last block is as long behind it", check_short_block,
         ("Processor",), False),
    Rule("4.1", "as many frames come out as went in", check_any_length,
         ("Processor",), False),
    Rule("", "it stops in the middle of a stream", check_stop, ANY, False),
    Rule("2.4", "two instances work beside each other", check_two, ANY,
         False),
    Rule("", "a block takes less time than it lasts", check_time,
         ("Processor",), False),
]
