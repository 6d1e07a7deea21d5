#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs plugins that do anything, driven from four threads at once.

    python3 random_plugins.py ISOLATION [RUNS [SEED]]

Each run makes a plugin whose methods return, raise, sleep, rebind their array,
are coroutines or give texts that cannot be encoded. While blocks go through
it, three more threads set parameters, edit and reload it, and change its
state. The plugin's calls may fail. But there must be no crash, no hang, no
memory that grows, and no sample of the input if on-error is stop or silence.

A run that fails prints its seed, and can be repeated with it.
"""

from __future__ import annotations

import faulthandler
import random
import sys
import tempfile
import threading
from pathlib import Path

import gi
import numpy as np

from soak import Memory, Table

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402,F401

N_RUNS = 10_000
N_BLOCKS, N_OTHERS = 8, 4
BLOCK = 512
PATIENCE = 120  # seconds: a run that takes longer hangs
TIMEOUT = 2 * Gst.SECOND  # of a call that is no block
INPUT = 7.0  # what no plugin here ever writes

PLUGIN = '''
import asyncio, time
import numpy as np
from base_plugin import AudioProcessorPlugin, PluginInfo, PluginType
{imports}

class Odd(Exception):
    def __str__(self): raise RuntimeError

class Plugin(AudioProcessorPlugin):
    channels = 2
    def initialize(self): {initialize}
    def start(self): {start}
    def stop(self): {stop}
    def shutdown(self): {shutdown}
    def get_info(self):
        return PluginInfo("Random", "1", "nda", "", PluginType.PROCESSOR)
    def set_parameter(self, key, value): {set_parameter}
    def get_parameter(self, key): {get_parameter}
    def get_sample_rate(self): return 48000
    def set_sample_rate(self, rate): pass
    def get_channel_count(self): return self.channels
    def set_channel_count(self, channels): self.channels = channels
    {a}def process_audio(self, buffer): {process_audio}

def create_plugin(): return Plugin()
'''
FAULTS = (
    "raise ValueError('no')",
    "raise Odd",
    "raise ValueError('\\ud800' * 10000)",
    "raise SystemExit",
    "return False",
    "yield True",
    "1 / 0",
)
GOOD = ("return True", "time.sleep(0.002); return True", "return 1")
BLOCKS = (
    "buffer.data[:] = -1; return True",
    "buffer.data *= 0; return 'yes'",
    "buffer.data = np.zeros_like(buffer.data); return True",
    "buffer.data = -np.ones(buffer.data.shape); return True",
    "buffer.data[:] = -2; time.sleep(0.003); return True",
)
BAD_BLOCKS = FAULTS + (
    "pass",
    "buffer.data = np.zeros((3, 3)); return True",
    "buffer.data = None; return True",
    "del buffer.data; return True",
    "buffer.data.resize((1, 9), refcheck=False); return True",
    "return (self.process_audio(buffer) for _ in ())",
)


def make_plugin(choice: random.Random) -> str:
    """The text of one: mostly good, so that it gets somewhere."""

    def life(chance: float) -> str:
        kind = FAULTS if choice.random() < chance else GOOD
        return choice.choice(kind)

    bad = choice.random() < 0.3
    return PLUGIN.format(
        imports="import helper" if choice.random() < 0.5 else "",
        initialize=life(0.05),
        start=life(0.1),
        stop=life(0.2),
        shutdown=life(0.2),
        set_parameter=life(0.3),
        get_parameter=life(0.3),
        a="async " if choice.random() < 0.05 else "",
        process_audio=choice.choice(BAD_BLOCKS if bad else BLOCKS),
    )


class Run:
    """One plugin, from its first line to its end."""

    def __init__(self, seed: int, folder: Path, isolation: str) -> None:
        self.choice = random.Random(seed)
        self.path = folder / f"random_{seed % 5}.py"
        self.write()
        self.pipeline = Gst.parse_launch(
            "appsrc name=src format=time block=false caps=audio/x-raw,"
            "format=F32LE,rate=48000,channels=2,layout=interleaved ! "
            f"ndapybridge name=py isolation={isolation} timeout={TIMEOUT} "
            f"on-error={self.choice.choice(['stop', 'silence'])} "
            f"deadline={Gst.SECOND} "
            # an appsink that waits at EOS until all is pulled keeps a lock
            # that its change to PLAYING needs
            "! appsink name=sink sync=false async=false max-buffers=0 "
            "wait-on-eos=false"
        )
        self.py = self.pipeline.get_by_name("py")
        self.src = self.pipeline.get_by_name("src")
        self.sink = self.pipeline.get_by_name("sink")
        self.py.set_property("plugin", str(self.path))
        self.n_input = 0

    def write(self) -> None:
        self.path.write_text(make_plugin(self.choice))

    def push(self) -> None:
        data = np.full((BLOCK, 2), INPUT, dtype=np.float32).tobytes()
        for n in range(N_BLOCKS):
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = n * BLOCK * Gst.SECOND // 48000
            buffer.duration = BLOCK * Gst.SECOND // 48000
            self.src.emit("push-buffer", buffer)

    def set_parameters(self, choice: random.Random) -> None:
        for _ in range(N_OTHERS):
            self.py.emit("set-parameter", "key", str(choice.random()))
            self.py.emit("get-parameter", "key")

    def edit(self, choice: random.Random) -> None:
        for _ in range(N_OTHERS // 2):
            self.path.write_text(make_plugin(choice))
            self.py.emit("reload")

    def change_state(self, choice: random.Random) -> None:
        states = (Gst.State.PLAYING, Gst.State.PAUSED, Gst.State.READY)
        for _ in range(N_OTHERS):
            self.pipeline.set_state(choice.choice(states))

    def pull(self) -> None:
        while (sample := self.sink.emit("try-pull-sample", 0)) is not None:
            buffer = sample.get_buffer()
            data = buffer.extract_dup(0, buffer.get_size())
            self.n_input += int((np.frombuffer(data, "f4") == INPUT).sum())

    def go(self) -> None:
        self.pipeline.set_state(Gst.State.PLAYING)
        # each with choices of its own, whatever the order they run in
        threads = [
            threading.Thread(
                target=work, args=(random.Random(self.choice.random()),)
            )
            for work in (self.set_parameters, self.edit, self.change_state)
        ]
        for thread in threads:
            thread.start()
        self.push()
        for thread in threads:
            thread.join()
        self.pipeline.set_state(Gst.State.PLAYING)
        self.push()
        self.pull()
        self.pipeline.set_state(Gst.State.NULL)
        self.pipeline.get_bus().set_flushing(True)


def main() -> int:
    isolation = sys.argv[1]
    n_runs = int(sys.argv[2]) if len(sys.argv) > 2 else N_RUNS
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    Gst.init(None)
    table = Table()
    n_input, before = 0, None
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "helper.py").write_text("LEVEL = -1")
        for n in range(seed, seed + n_runs):
            if n == seed + n_runs // 2:  # the free lists are full by then
                before = Memory()
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            print(f"\rseed {n}", end="", file=sys.stderr)
            run = Run(n, Path(name), isolation)
            run.go()
            n_input += run.n_input
        faulthandler.cancel_dump_traceback_later()
    what = f"random plugins, {isolation}"
    table.count(f"{what}: runs", n_runs, n + 1 - seed)
    table.count(f"{what}: input that came out", 0, n_input)
    if n_runs >= 1000:
        before.compare(table, what, Memory())
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
