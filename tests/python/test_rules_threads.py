# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rule 9 of the plugin contract: threads and the GIL."""

import os

import numpy as np

BLOCK = 512


def wait_for(journal, note):
    while note not in journal():
        os.sched_yield()


def test_9_1_block_calls_come_from_one_thread_one_at_a_time(
    run, write_noting_plugin, journal, noise
):
    path = write_noting_plugin(
        """
        inside = threading.Lock()
        def start(self):
            note("start", threading.get_ident())
            return True
        def process_audio(self, buffer):
            assert inside.acquire(blocking=False)
            buffer.data * 0.5  # gives up the GIL meanwhile
            note("block", threading.get_ident())
            inside.release()
            return True
        note("main", threading.main_thread().ident)
        Plugin.start, Plugin.process_audio = start, process_audio
        """
    )

    outcome = run(path, np.split(noise(BLOCK * 20), 20))

    assert outcome.error is None
    block_threads = {what[0] for name, *what in journal() if name == "block"}
    (main,) = {what[0] for name, *what in journal() if name == "main"}
    (start,) = {what[0] for name, *what in journal() if name == "start"}
    assert block_threads == {start}
    assert start != main


def test_9_2_stop_unblocks_a_call(
    gst, make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            def process_audio(self, buffer):
                note("in")
                return self.released.wait(600)
            def stop(self):
                note("stop")
                self.released.set()
            Plugin.released = threading.Event()
            Plugin.process_audio, Plugin.stop = process_audio, stop
            """
        )
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    wait_for(journal, ["in"])

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS
    assert ["stop"] in journal() and ["shutdown"] in journal()


def test_9_2_endless_loop_in_python_is_interrupted(
    gst, make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            def process_audio(self, buffer):
                note("in")
                while True:
                    pass
            Plugin.process_audio = process_audio
            """
        )
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    wait_for(journal, ["in"])

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS
    assert ["shutdown"] in journal()


def test_9_2_block_behind_an_interrupted_one_is_not_begun(
    gst, make_bridge, write_noting_plugin, journal
):
    # whether they wait for this run or for the next
    bridge = make_bridge(
        write_noting_plugin(
            """
            def process_audio(self, buffer):
                note("in")
                if self.n_blocks == 0:
                    self.n_blocks = 1
                    while not os.path.exists(os.environ["NDA_TEST_JOURNAL"]
                                             + ".go"):
                        os.sched_yield()
                    return True
                while True:
                    pass
            Plugin.process_audio = process_audio
            """
        ),
        on_error="silence",
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    wait_for(journal, ["in"])
    for _ in range(4):
        bridge.push(np.zeros((BLOCK, 2)))
    while bridge.get_stat("queue-level") < 4:
        os.sched_yield()
    open(os.environ["NDA_TEST_JOURNAL"] + ".go", "w").close()
    while journal().count(["in"]) < 2:
        os.sched_yield()

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS
    assert journal().count(["in"]) == 2


def test_9_3_thread_of_a_plugin_goes_on_between_blocks(
    make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            def start(self):
                def count():
                    for n in range(10):
                        note("tick", n)
                self.thread = threading.Thread(target=count)
                self.thread.start()
                return True
            Plugin.start = start
            """
        )
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    bridge.pull()

    wait_for(journal, ["tick", 9])


def test_9_3_thread_of_a_plugin_goes_on_while_it_waits_for_room(
    make_bridge, write_noting_plugin, journal, tmp_path
):
    # nobody pulls: the worker waits in its push
    bridge = make_bridge(
        write_noting_plugin(
            """
            def go():
                while not os.path.exists(os.environ["NDA_TEST_JOURNAL"]
                                         + ".go"):
                    os.sched_yield()
                note("went on")
            threading.Thread(target=go).start()
            """
        )
    )
    bridge.sink.set_property("max-buffers", 1)
    bridge.play()
    for _ in range(6):
        bridge.push(np.zeros((BLOCK, 2)))
    while bridge.get_stat("num-blocks") < 2:
        os.sched_yield()
    (tmp_path / "journal.go").touch()

    wait_for(journal, ["went on"])


WAITS = """
def process_audio(self, buffer):
    note("in", self.name)
    while self.name == "waiter" and not os.path.exists(
            os.environ["NDA_TEST_JOURNAL"] + ".go"):
        os.sched_yield()
    return True
def set_parameter(self, key, value):
    self.name = value
Plugin.process_audio, Plugin.set_parameter = process_audio, set_parameter
"""


def test_9_4_two_instances_run_beside_each_other(
    make_bridge, write_noting_plugin, journal, tmp_path
):
    path = write_noting_plugin(WAITS)
    waiter, other = (
        make_bridge(path, parameters=f"name={name}")
        for name in ("waiter", "other")
    )
    waiter.play()
    waiter.push(np.zeros((BLOCK, 2)))
    wait_for(journal, ["in", "waiter"])

    other.play()
    for _ in range(3):
        other.push(np.zeros((BLOCK, 2)))
        assert other.pull()
    assert waiter.get_stat("num-blocks") == 0

    (tmp_path / "journal.go").touch()
    assert waiter.pull()


def test_9_5_wait_for_the_gil_is_told_from_the_call(
    make_bridge, write_noting_plugin, noise
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            import time
            def process_audio(self, buffer):
                end = time.monotonic_ns() + 20_000_000
                while time.monotonic_ns() < end:
                    pass
                return True
            Plugin.process_audio = process_audio
            """
        )
    )
    bridge.play()
    bridge.push(noise(BLOCK))
    bridge.pull()
    while bridge.get_stat("num-blocks") < 1:
        os.sched_yield()

    assert bridge.get_stat("max-call-time") >= 20_000_000
    assert bridge.get_stat("num-late") == 1
    assert bridge.get_stat("max-gil-wait") > 0
