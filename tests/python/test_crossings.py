# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many plugins in one interpreter: the row in which their threads wait."""

import os

import numpy as np

BLOCK = 512
N_BRIDGES = 6
N_BLOCKS = 12


def wait_for(journal, note):
    while note not in journal():
        os.sched_yield()


def push_in_turn(bridges, n_blocks):
    for _ in range(n_blocks):
        for bridge in bridges:
            bridge.push(np.zeros((BLOCK, 2)))


def count_blocks(bridge):
    return bridge.get_stat("num-blocks")


def wait_for_blocks(bridge, n_blocks):
    while count_blocks(bridge) < n_blocks:
        os.sched_yield()


def test_each_plugin_has_one_thread_and_its_thread_locals(
    make_bridge, write_noting_plugin, journal
):
    path = write_noting_plugin(
        """
        own = threading.local()
        def name(self):
            return f"{os.getpid()} {id(self)}"
        def start(self):
            own.name = name(self)
            note("start", name(self), threading.get_ident())
            return True
        def process_audio(self, buffer):
            buffer.data * 0.5  # gives up the GIL meanwhile
            note("block", name(self), threading.get_ident(), own.name)
            return True
        Plugin.start, Plugin.process_audio = start, process_audio
        """
    )
    bridges = [make_bridge(path) for _ in range(N_BRIDGES)]
    for bridge in bridges:
        bridge.play()

    push_in_turn(bridges, N_BLOCKS)
    for bridge in bridges:
        wait_for_blocks(bridge, N_BLOCKS)

    starts = dict(what for name, *what in journal() if name == "start")
    blocks = [what for name, *what in journal() if name == "block"]
    assert len(blocks) == N_BRIDGES * N_BLOCKS
    for plugin, thread, local in blocks:
        assert thread == starts[plugin] and local == plugin


def check_that_others_go_on(make_bridge, write_noting_plugin, journal, hang):
    hanging = make_bridge(
        write_noting_plugin(HANGING.replace("HANG", hang), name="hanging")
    )
    path = write_noting_plugin(name="other")
    others = [make_bridge(path) for _ in range(3)]
    for bridge in [hanging, *others]:
        bridge.play()
    hanging.push(np.zeros((BLOCK, 2)))
    wait_for(journal, ["in"])

    push_in_turn(others, N_BLOCKS)
    for other in others:
        wait_for_blocks(other, N_BLOCKS)

    assert count_blocks(hanging) == 0


HANGING = """
def process_audio(self, buffer):
    note("in")
    HANG
    return True
def stop(self):
    self.released.set()
Plugin.released = threading.Event()
Plugin.process_audio, Plugin.stop = process_audio, stop
"""


def test_plugin_that_waits_for_ever_does_not_stop_others(
    make_bridge, write_noting_plugin, journal
):
    check_that_others_go_on(
        make_bridge, write_noting_plugin, journal, "self.released.wait()"
    )


def test_plugin_that_computes_for_ever_does_not_stop_others(
    make_bridge, write_noting_plugin, journal
):
    check_that_others_go_on(
        make_bridge,
        write_noting_plugin,
        journal,
        "while not self.released.is_set(): pass",
    )
