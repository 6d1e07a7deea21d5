# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules of the contract that a plugin can break, one function each.

A function returns nothing, or a remark. It raises Broken if the plugin breaks
the rule, and Skip if the rule cannot be checked.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .trial import (
    BLOCK,
    CALLS,
    N_BLOCKS,
    Broken,
    Gst,
    Line,
    Skip,
    Trial,
    noise,
)

ROLES = ("Processor", "AudioSource", "AudioSink")
HELPERS = ("base_plugin", "plugin_loader", "cython_compiler", "test_plugins")
NOT_RUN = ("coroutine", "generator", "async_generator")
UNKNOWN = "nda-check-unknown"
LONGEST_START, LONGEST_STOP = 5.0, 2.0  # seconds
LONGEST_READ = 0.05  # seconds
BLOCK_SECONDS = BLOCK / 48000


@dataclass
class Rule:
    number: str
    text: str
    check: Callable[[Trial], str | None]
    roles: tuple[str, ...]
    is_needed: bool  # else nothing more can be looked at


RULES: list[Rule] = []


def rule(number: str, text: str, *roles: str, is_needed: bool = False):
    def add(check: Callable[[Trial], str | None]):
        RULES.append(Rule(number, text, check, roles or ROLES, is_needed))
        return check

    return add


# --- what there is of it ---


def of(notes: list[dict], call: str) -> list[dict]:
    return [note for note in notes if note["call"] == call]


def blocks(trial: Trial, notes: list[dict]) -> list[dict]:
    return of(notes, CALLS[trial.role])


def last(trial: Trial, call: str) -> dict:
    """Return the last note of this call, in any pipeline so far."""
    found = of(trial.notes, call)
    if not found:
        raise Skip(f"nothing has called {call} ()")
    return found[-1]


def said_of_itself(trial: Trial) -> dict:
    """What get_info () returned last."""
    note = last(trial, "get_info")
    if "error" in note:
        raise Broken(f"get_info () raised {note['error']}")
    return note.get("result", {})


# --- rules ---


@rule("12.1", "its file has a name that is looked for")
def check_file_name(trial: Trial) -> str | None:
    stem, suffix = os.path.splitext(os.path.basename(trial.path))
    if suffix != ".py":
        raise Broken(f"“{stem}{suffix}” does not end in “.py”")
    if stem.startswith(("_", "setup_")) or stem in HELPERS:
        return f"“{stem}” is a helper's name: give the whole path to run it"
    if not stem.isidentifier():
        return f"“{stem}” is no name that Python could import"
    return None


@rule("3.4", "it loads, and initialises", is_needed=True)
def check_loads(trial: Trial) -> None:
    trial.begin()
    line = trial.line()
    try:
        line.set_state(Gst.State.READY)
    except Broken:
        # a plugin of another role: only its own element takes it
        made = of(trial.read(), "create_plugin")
        calls = made[-1]["block_calls"] if made else ()
        other = next(
            (r for r, call in CALLS.items() if call in calls), trial.role
        )
        if other == trial.role:
            raise
        trial.role = other
        line.stop()
        line = trial.line()
        line.set_state(Gst.State.READY)
    finally:
        line.stop()
    trial.read()


@rule("3.5", "it is a BasePlugin")
def check_base(trial: Trial) -> str | None:
    if last(trial, "create_plugin")["is_based"]:
        return None
    return "it is not; its methods are looked up by their names"


@rule("2.5", "it has every method of its role")
def check_methods(trial: Trial) -> None:
    lacking = last(trial, "create_plugin")["lacking"]
    if lacking:
        raise Broken("there is no " + ", ".join(f"{n} ()" for n in lacking))


@rule("3.6", "get_info () says its role")
def check_role(trial: Trial) -> None:
    said = said_of_itself(trial).get("role")
    if said != trial.role:
        raise Broken(
            f"the type's value is {said!r}, but its {CALLS[trial.role]} () "
            f"makes it “{trial.role}”"
        )


@rule("3.7", "get_info () has texts")
def check_info(trial: Trial) -> None:
    texts = said_of_itself(trial).get("texts", {})
    empty = [name for name, text in texts.items() if not text]
    if "name" in empty or None in texts.values() or not texts:
        raise Broken("no text: " + ", ".join(empty or ["anything"]))


@rule("2.3", "it asks for API version 1")
def check_api(trial: Trial) -> None:
    version = said_of_itself(trial).get("api_version")
    if version != "1":
        raise Broken(f"it asks for {version}")


@rule("4.1", "it starts, works and stops", is_needed=True)
def check_life(trial: Trial) -> None:
    try:
        outcome = trial.run()
    finally:
        notes = trial.read()
    for call in ("stop", "shutdown"):
        for note in of(notes, call):
            if "error" in note:
                raise Broken(f"{call} () raised {note['error']}")
    if not blocks(trial, notes):
        raise Broken(f"{CALLS[trial.role]} () was never called")
    if trial.role != "AudioSink" and not outcome.frames:
        raise Broken("no block came out")


def play_twice(trial: Trial, between: Gst.State) -> None:
    """Play to the end, go to that state, and do the same again."""
    trial.begin()
    line = trial.line()
    try:
        for _ in range(2):
            line.n_pushed = 0
            error = trial.play(line, noise(N_BLOCKS)).error
            if error:
                raise Broken(error)
            line.set_state(between)
    finally:
        line.stop()


@rule("4.2", "it starts again after stop ()")
def check_restart(trial: Trial) -> None:
    play_twice(trial, Gst.State.READY)
    if len(of(trial.read(), "create_plugin")) != 1:
        raise Broken("it was loaded anew, since a start failed")


@rule("4.3", "another instance works after shutdown ()")
def check_again(trial: Trial) -> None:
    play_twice(trial, Gst.State.NULL)


@rule("4.4", "it shuts down without having started")
def check_no_start(trial: Trial) -> None:
    trial.begin()
    line = trial.line()
    try:
        line.set_state(Gst.State.READY)
    finally:
        line.stop()
    for note in of(trial.read(), "shutdown"):
        if "error" in note:
            raise Broken(f"shutdown () raised {note['error']}")


@rule("", "no method is a coroutine or a generator")
def check_at_once(trial: Trial) -> None:
    for note in trial.notes:
        kind = note.get("result", {}).get("type")
        if kind in NOT_RUN:
            raise Broken(f"{note['call']} () is a {kind}: nothing of it runs")


@rule("4.5", "start () and stop () come back")
def check_durations(trial: Trial) -> None:
    for call, most in (("start", LONGEST_START), ("stop", LONGEST_STOP)):
        seconds = max((n["seconds"] for n in of(trial.notes, call)), default=0)
        if seconds > most:
            raise Broken(f"{call} () took {seconds:.1f} s, beyond {most:g} s")


@rule("5.1", "it tells its channels and, if it has one, its rate")
def check_configuration(trial: Trial) -> None:
    calls = ("get_channels", "get_channel_count", "get_sample_rate")
    for call in calls + ("set_channels", "set_sample_rate"):
        for note in of(trial.notes, call):
            if "error" in note:
                raise Broken(f"{call} () raised {note['error']}")
            if call in calls and note["result"]["type"] != "int":
                kind = note["result"]["type"]
                raise Broken(f"{call} () returned a {kind}, not an int")


@rule("5.3", "it takes one channel, two, and more", "Processor")
def check_channels(trial: Trial) -> str | None:
    for channels in (1, 2):
        try:
            trial.run(channels=channels)
        except Broken as broken:
            raise Broken(f"with {channels}: {broken}") from None
    try:
        trial.run(channels=6)
    except Broken as broken:
        return f"but not six: {broken}"
    return None


@rule("5.6", "it tells a buffer size", "AudioSource", "AudioSink")
def check_buffer_size(trial: Trial) -> str | None:
    note = last(trial, "get_buffer_size")
    if "error" in note:
        raise Broken(f"get_buffer_size () raised {note['error']}")
    if note["result"]["type"] != "int":
        return f"a {note['result']['type']}, so that 512 is used"
    return None


@rule("5.7", "the channels may change in mid-stream", "Processor")
def check_other_channels(trial: Trial) -> None:
    trial.begin()
    line = trial.line()
    try:
        line.set_state(Gst.State.PLAYING)
        for channels in (2, 1, 2):
            line.set_channels(channels)
            for block in noise(4, channels):
                line.push(block)
        line.end()
        error = line.wait()
    finally:
        line.stop()
    if error:
        raise Broken(error)


@rule("6.1.2", "it leaves the array its shape")
def check_shape(trial: Trial) -> None:
    for note in blocks(trial, trial.notes):
        if note.get("is_reshaped"):
            raise Broken("it gave buffer.data another shape")


@rule("6.1.3", "it takes every pattern of bits", "Processor", "AudioSink")
def check_bits(trial: Trial) -> None:
    generator = np.random.default_rng(2)
    bits = generator.integers(0, 2**32, (4, BLOCK, 2), dtype=np.uint32)
    bits[:, 0], bits[:, 1], bits[:, 2] = 0x7FA00001, 1, 0xFF800000
    trial.run(list(bits.view(np.float32)))


@rule("6.1.4", "it edits the array, or binds another")
def check_rebinding(trial: Trial) -> str | None:
    bound = any(n.get("is_rebound") for n in blocks(trial, trial.notes))
    return "it binds another: a copy a block more" if bound else None


@rule("6.1.7", "a short last block is as long behind it", "Processor")
def check_short_block(trial: Trial) -> None:
    pushed = noise(3)
    pushed[-1] = pushed[-1][:100]
    outcome = trial.run(pushed)
    n_frames = sum(map(len, outcome.frames))
    if n_frames != 2 * BLOCK + 100:
        raise Broken(f"of {2 * BLOCK + 100} frames {n_frames} came out")


@rule("6.2", "its block calls return True or False")
def check_results(trial: Trial) -> str | None:
    call, remark = CALLS[trial.role], None
    for note in blocks(trial, trial.notes):
        if "error" in note:
            raise Broken(f"{call} () raised {note['error']}")
        kind = note["result"]["type"]
        if kind == "NoneType":
            raise Broken(
                f"{call} () returned None, which counts as False: a return "
                "is missing"
            )
        if kind not in ("bool", "bool_"):
            remark = f"a {kind}, which is taken as its truth"
    return remark


@rule("6.2.1", "read_audio () waits 50 ms at most", "AudioSource")
def check_read(trial: Trial) -> None:
    taken = sorted(n["seconds"] for n in blocks(trial, trial.notes))
    usual = taken[len(taken) // 2]
    if usual > LONGEST_READ:
        raise Broken(f"it waits {usual * 1000:.0f} ms as a rule")


@rule("6.2.2", "get_available_space () tells frames", "AudioSink")
def check_space(trial: Trial) -> None:
    note = last(trial, "get_available_space")
    if "error" in note:
        raise Broken(f"it raised {note['error']}")
    if note["result"]["type"] not in ("int", "float"):
        raise Broken(f"it returned a {note['result']['type']}")


@rule("6.2.3", "it takes every block in time", "AudioSink")
def check_taken(trial: Trial) -> None:
    outcome = trial.run()
    if outcome.stats["num-blocks"] != N_BLOCKS:
        raise Broken(
            f"of {N_BLOCKS} blocks it took {outcome.stats['num-blocks']}"
        )


@rule("6.3", "none of its blocks fails")
def check_failures(trial: Trial) -> None:
    silence = [np.zeros((BLOCK, 2), np.float32)] * N_BLOCKS
    failures = trial.run(silence).stats["num-failures"]
    if failures:
        raise Broken(f"{failures} of {N_BLOCKS} did")


def running_line(trial: Trial) -> Line:
    trial.begin()
    line = trial.line()
    line.set_state(Gst.State.PLAYING)
    if line.src is not None:
        for block in noise(4):
            line.push(block)
    return line


@rule("7.3", "a parameter that it does not know does no harm")
def check_unknown_parameter(trial: Trial) -> str | None:
    line = running_line(trial)
    try:
        line.py.emit("set-parameter", UNKNOWN, "1")
        line.py.emit("get-parameter", UNKNOWN)  # after it
        if line.src is not None:
            for block in noise(4):
                line.push(block)
            line.end()
            error = line.wait()
            if error:
                raise Broken(error)
    finally:
        line.stop()
    notes = [n for n in of(trial.read(), "set_parameter")
             if n["key"] == UNKNOWN]
    if not notes:
        raise Broken("it was not set")
    if "error" in notes[-1]:
        return f"it raises {notes[-1]['error']}, which becomes a warning"
    return None


@rule("7.6", "get_parameter () answers text, “” for an unknown key")
def check_get_parameter(trial: Trial) -> None:
    notes = [n for n in of(trial.notes, "get_parameter")
             if n["key"] == UNKNOWN]
    if not notes:
        raise Skip("it was not asked")
    if "error" in notes[-1]:
        raise Broken(f"it raised {notes[-1]['error']}")
    if not notes[-1]["empty"]:
        raise Broken(f"it returned a {notes[-1]['result']['type']}, not “”")


@rule("8.1", "its latency is in seconds", "Processor")
def check_latency(trial: Trial) -> str | None:
    note = last(trial, "get_processing_latency")
    if "error" in note:
        raise Broken(f"get_processing_latency () raised {note['error']}")
    text = note["result"].get("value")
    if text is None:
        return f"a {note['result']['type']}, which is taken as a number"
    try:
        seconds = float(text)
    except ValueError:
        raise Broken(f"it is {text}") from None
    if not math.isfinite(seconds) or seconds < 0:
        raise Broken(f"it is {text}")
    if seconds > 1:
        return f"{seconds:g} s? Milliseconds would be divided by 1000"
    return None


@rule("9.2", "it stops in the middle of a stream")
def check_stop(trial: Trial) -> None:
    for _ in range(3):
        line = running_line(trial)
        if line.pipeline.set_state(Gst.State.NULL) != (
            Gst.StateChangeReturn.SUCCESS
        ):
            trial.is_stuck = True
            raise Broken(line.find_error() or "the state change failed")


@rule("9.4", "two instances work beside each other")
def check_two(trial: Trial) -> None:
    trial.begin()
    lines = [trial.line(), trial.line()]
    try:
        for line in lines:
            if line.src is None:
                line.py.props.num_buffers = N_BLOCKS
            line.set_state(Gst.State.PLAYING)
        for block in noise(N_BLOCKS):
            for line in lines:
                if line.src is not None:
                    line.push(block)
        for line in lines:
            line.end()
        errors = [line.wait() for line in lines]
    finally:
        for line in lines:
            line.stop()
    if any(errors):
        raise Broken(next(filter(None, errors)))


@rule("12.2", "it is found by its display name")
def check_display_name(trial: Trial) -> None:
    name = said_of_itself(trial).get("texts", {}).get("name")
    if not name:
        raise Broken("get_info () has no name")
    line = Line(
        trial, name, plugin_path=os.path.dirname(trial.path) or "."
    )
    try:
        line.set_state(Gst.State.READY)
    finally:
        line.stop()


@rule("", "a block takes less time than it lasts", "Processor")
def check_time(trial: Trial) -> str | None:
    stats = trial.run().stats
    usual, worst = stats["p50-call-time"], stats["max-call-time"]
    text = f"{usual / 1000:.0f} us as a rule, {worst / 1000:.0f} at most"
    if usual > BLOCK_SECONDS * 1e9:
        raise Broken(text)
    return text
