# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a plugin may count on, rule by rule of the plugin contract."""

import json
import os
import sys
import textwrap

import numpy as np
import pytest

BLOCK = 512


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """A file into which plugins write what they are called with."""
    path = tmp_path / "journal"
    path.touch()
    monkeypatch.setenv("NDA_TEST_JOURNAL", str(path))

    def read():
        return [json.loads(line) for line in path.read_text().splitlines()]

    return read


NOTE = """
import json, os, threading

def note(*what):
    with open(os.environ["NDA_TEST_JOURNAL"], "a") as journal:
        journal.write(json.dumps(what) + "\\n")

def noting(name, result):
    def method(self, *args):
        note(name, *args)
        return result
    return method

for name, result in (("initialize", True), ("start", True), ("stop", None),
                     ("shutdown", None), ("set_sample_rate", None),
                     ("set_channels", None), ("set_parameter", None)):
    setattr(Plugin, name, noting(name, result))
"""


def notes(text=""):
    """The text of a plugin that notes its calls."""
    return NOTE + textwrap.dedent(text)


def test_3_1_module_has_its_name_before_its_body_runs(run, write_plugin):
    path = write_plugin(
        """
        from __future__ import annotations
        import os, sys
        from dataclasses import dataclass

        @dataclass
        class Settings:
            gain: float = 1.0

        assert __name__ == "named_plugin"
        assert os.path.isabs(__file__)
        assert sys.modules["named_plugin"].__dict__ is globals()
        """
        + open(write_plugin()).read().replace("\n", "\n        "),
        name="named_plugin",
        base="",
    )
    path.write_text(textwrap.dedent(path.read_text()))

    assert run(path, []).error is None


def test_3_2_parent_folder_can_be_imported_from(run, write_plugin, tmp_path):
    (tmp_path / "shared_by_plugins.py").write_text("GAIN = 0.5\n")
    folder = tmp_path / "sub"
    folder.mkdir()
    path = folder / "child.py"
    path.write_text(
        "import os, sys\n"
        "sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))\n"
        "from shared_by_plugins import GAIN\n" + write_plugin().read_text()
    )

    assert run(path, []).error is None


def test_3_3_instances_share_no_globals(run, write_plugin, noise):
    path = write_plugin(
        """
        total = 0
        def process_audio(self, buffer):
            global total
            total += 1
            buffer.data[:] = total
            return True
        Plugin.process_audio = process_audio
        """
    )

    for _ in range(2):
        assert run(path, [noise(BLOCK)]).frames[0, 0] == 1


def test_3_5_any_object_with_the_methods_will_do(run, write_plugin, noise):
    path = write_plugin(
        """
        class Duck:
            def initialize(self): return True
            def start(self): return True
            def stop(self): pass
            def shutdown(self): pass
            def process_audio(self, buffer):
                buffer.data *= 0.5
                return True

        def create_plugin():
            return Duck()
        """,
        base="",
    )
    pushed = noise(BLOCK)

    outcome = run(path, [pushed])

    assert np.array_equal(outcome.frames, pushed * np.float32(0.5))


def test_4_1_calls_come_in_order(gst, run, make_bridge, write_plugin, journal):
    bridge = make_bridge(
        write_plugin(notes()), parameters="a=1,b=two words", channels=1
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 1)))
    bridge.pull()
    bridge.stop()

    assert journal() == [
        ["initialize"],
        ["set_parameter", "a", "1"],
        ["set_parameter", "b", "two words"],
        ["set_sample_rate", 48000],
        ["set_channels", 1],
        ["start"],
        ["stop"],
        ["shutdown"],
    ]


def test_4_2_restart_uses_the_same_instance(
    gst, make_bridge, write_plugin, journal
):
    bridge = make_bridge(write_plugin(notes()))
    for _ in range(2):
        bridge.play()
        bridge.push(np.zeros((BLOCK, 2)))
        bridge.pull()
        bridge.pipeline.set_state(gst.State.READY)
    bridge.stop()

    called = [name for name, *_ in journal()]
    assert called.count("initialize") == called.count("shutdown") == 1
    assert called.count("start") == called.count("stop") == 2


def test_4_3_failed_start_makes_a_new_instance(
    gst, make_bridge, write_plugin, journal, tmp_path
):
    bridge = make_bridge(
        write_plugin(
            notes(
                """
                def start(self):
                    return os.path.exists(os.environ["NDA_TEST_JOURNAL"]
                                          + ".go")
                Plugin.start = start
                """
            )
        )
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    assert bridge.wait(gst.MessageType.ERROR)
    bridge.pipeline.set_state(gst.State.READY)
    (tmp_path / "journal.go").touch()

    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    while bridge.get_stat("num-blocks") < 1:
        os.sched_yield()

    called = [name for name, *_ in journal()]
    assert called.count("initialize") == 2
    assert called.index("shutdown") < len(called) - called[::-1].index(
        "initialize"
    )


def test_4_4_ready_and_back_initialises_and_shuts_down(
    gst, make_bridge, write_plugin, journal
):
    bridge = make_bridge(write_plugin(notes()))
    bridge.bridge.set_state(gst.State.READY)
    bridge.bridge.set_state(gst.State.NULL)

    assert journal() == [["initialize"], ["shutdown"]]


def test_4_5_start_may_wait_for_a_thread_of_its_own(run, write_plugin, noise):
    path = write_plugin(
        """
        import threading
        def start(self):
            ready = threading.Event()
            threading.Thread(target=ready.set).start()
            return ready.wait(60)
        Plugin.start = start
        """
    )

    assert run(path, [noise(BLOCK)]).error is None


def test_5_7_channels_change_by_stop_configure_start(
    make_bridge, write_plugin, journal
):
    bridge = make_bridge(write_plugin(notes()), channels=1)
    bridge.play()
    bridge.push(np.ones((BLOCK, 1)))
    bridge.pull()
    bridge.set_format(2)
    bridge.push(np.ones((BLOCK, 2)))

    _, frames = bridge.pull()

    assert frames.shape == (BLOCK, 2)
    assert journal()[1:] == [
        ["set_sample_rate", 48000],
        ["set_channels", 1],
        ["start"],
        ["stop"],
        ["set_sample_rate", 48000],
        ["set_channels", 2],
        ["start"],
    ]


def test_6_1_2_array_is_planar_float32_and_always_the_same(
    run, write_plugin, noise
):
    path = write_plugin(
        """
        def process_audio(self, buffer):
            data = buffer.data
            assert data.shape == (3, 512) and data.dtype == np.float32
            assert data.flags.c_contiguous and data.flags.writeable
            assert data.flags.aligned
            self.seen = getattr(self, "seen", (buffer, data))
            assert self.seen == (buffer, data) or self.seen[1] is data
            assert self.seen[0] is buffer
            data[0], data[1] = data[1].copy(), data[0].copy()
            return True
        Plugin.process_audio = process_audio
        """
    )
    pushed = noise(BLOCK * 3, 3)

    outcome = run(path, np.split(pushed, 3), channels=3)

    assert outcome.error is None
    assert np.array_equal(outcome.frames, pushed[:, [1, 0, 2]])


@pytest.mark.parametrize("channels", [1, 2, 3, 64])
def test_6_1_3_bits_survive(run, channels):
    bits = np.random.default_rng(1).integers(
        0, 2**32, (BLOCK * 4 + 100, channels), dtype=np.uint32
    )
    bits[0, 0], bits[1, 0], bits[2, 0] = 0x7FA00001, 0x00000001, 0xFF800000
    outcome = run("passthrough", [bits.view(np.float32)], channels=channels)

    assert np.array_equal(outcome.frames.view(np.uint32), bits)


REBOUND = {
    "float32": "buffer.data = buffer.data * np.float32(0.5)",
    "float64": "buffer.data = buffer.data.astype(np.float64) * 0.5",
    "fortran": "buffer.data = np.asfortranarray(buffer.data) * 0.5",
}


@pytest.mark.parametrize("kind", REBOUND)
def test_6_1_4_rebound_data_is_taken(run, write_plugin, noise, kind):
    path = write_plugin(
        f"""
        def process_audio(self, buffer):
            self.own = getattr(self, "own", buffer.data)
            assert buffer.data is self.own
            {REBOUND[kind]}
            return True
        Plugin.process_audio = process_audio
        """
    )
    pushed = noise(BLOCK * 2)

    outcome = run(path, np.split(pushed, 2))

    assert outcome.error is None
    assert np.array_equal(outcome.frames, pushed * np.float32(0.5))


def test_6_1_5_kept_view_stays_valid(run, write_plugin, noise):
    path = write_plugin(
        """
        kept = []
        def process_audio(self, buffer):
            kept.append(buffer.data[:, ::2])
            kept.append(memoryview(buffer.data))
            return True
        def shutdown(self):
            kept[0][:] = 1
            assert kept[1][0, 0] == 1
        Plugin.process_audio, Plugin.shutdown = process_audio, shutdown
        """
    )

    assert run(path, np.split(noise(BLOCK * 4), 4)).error is None


def test_6_1_7_short_last_block_is_padded_and_trimmed(
    run, write_plugin, noise
):
    path = write_plugin(
        """
        def process_audio(self, buffer):
            assert buffer.data.shape == (2, 512)
            self.n_blocks += 1
            if self.n_blocks == 2:
                assert not buffer.data[:, 100:].any()
                assert buffer.data[:, :100].all()
            buffer.data += 1
            return True
        Plugin.process_audio = process_audio
        """
    )
    pushed = noise(BLOCK + 100)

    outcome = run(path, [pushed])

    assert [len(block) for block in outcome.blocks] == [BLOCK, 100]
    assert np.array_equal(outcome.frames, pushed + np.float32(1))


def test_6_2_anything_true_is_success(run, write_plugin, noise):
    for value in ("np.bool_(True)", "1", "'yes'", "[0]"):
        path = write_plugin(
            f"Plugin.process_audio = lambda self, buffer: {value}"
        )
        assert run(path, [noise(BLOCK)]).error is None


def test_7_1_values_arrive_as_written(run, write_plugin, journal):
    text = 'key=0011,b64=ab+/=,quoted="a, \\"b\\"",empty=,spaced= x '
    path = write_plugin(notes())

    run(path, [], parameters=text)

    parameters = [entry[1:] for entry in journal() if len(entry) == 3]
    assert parameters == [
        ["key", "0011"],
        ["b64", "ab+/="],
        ["quoted", 'a, "b"'],
        ["empty", ""],
        ["spaced", " x "],
    ]


LEVEL = """
level = "1"
def set_parameter(self, key, value):
    self.level = value
def get_parameter(self, key):
    if key == "raise": raise KeyError(key)
    if key == "number": return 3
    if key == "thread": return self.thread
    return self.level if key == "level" else ""
def process_audio(self, buffer):
    import threading
    self.thread = threading.current_thread().name
    buffer.data[:] = float(self.level)
    return True
Plugin.level = "1"
Plugin.set_parameter, Plugin.get_parameter = set_parameter, get_parameter
Plugin.process_audio = process_audio
"""


def test_7_4_parameters_are_set_between_blocks(make_bridge, write_plugin):
    bridge = make_bridge(write_plugin(LEVEL))
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    assert (bridge.pull()[1] == 1).all()

    assert bridge.bridge.emit("set-parameter", "level", "2")
    assert bridge.bridge.emit("get-parameter", "level") == "2"
    bridge.push(np.zeros((BLOCK, 2)))
    assert (bridge.pull()[1] == 2).all()

    bridge.bridge.set_property("parameters", "level=3")
    assert bridge.bridge.emit("get-parameter", "level") == "3"
    bridge.push(np.zeros((BLOCK, 2)))
    assert (bridge.pull()[1] == 3).all()


def test_7_6_get_parameter_is_text_whatever_it_returns(
    make_bridge, write_plugin
):
    bridge = make_bridge(write_plugin(LEVEL))
    assert bridge.bridge.emit("get-parameter", "level") == ""  # no plugin yet
    bridge.play()

    assert bridge.bridge.emit("get-parameter", "number") == "3"
    assert bridge.bridge.emit("get-parameter", "raise") == ""
    assert bridge.bridge.emit("get-parameter", "unknown") == ""


def test_set_parameter_without_a_plugin_says_so(make_bridge, write_plugin):
    bridge = make_bridge(write_plugin(LEVEL))

    assert not bridge.bridge.emit("set-parameter", "level", "2")


LATENT = """
seconds = 0.25
def set_parameter(self, key, value):
    self.seconds = value
def get_processing_latency(self):
    return {result}
Plugin.seconds = 0.25
Plugin.set_parameter = set_parameter
Plugin.get_processing_latency = get_processing_latency
"""


def latency_of(gst, bridge):
    query = gst.Query.new_latency()
    assert bridge.bridge.get_static_pad("src").query(query)
    return query.parse_latency()[1]


def test_8_1_latency_of_the_plugin_is_reported(
    gst, make_bridge, write_plugin
):
    bridge = make_bridge(
        write_plugin(LATENT.format(result="float(self.seconds)"))
    )
    bridge.src.set_property("is-live", True)
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    bridge.pull()
    assert bridge.wait(gst.MessageType.LATENCY)
    before = latency_of(gst, bridge)

    bridge.bridge.emit("set-parameter", "seconds", "0.5")
    bridge.bridge.emit("get-parameter", "seconds")

    assert bridge.wait(gst.MessageType.LATENCY)
    assert latency_of(gst, bridge) - before == 250 * gst.MSECOND


@pytest.mark.parametrize(
    "result", ["float('nan')", "-1.0", "1 / 0", "None", "'x'", "float('inf')"]
)
def test_8_1_nonsense_is_no_latency(gst, make_bridge, write_plugin, result):
    bridge = make_bridge(write_plugin(LATENT.format(result=result)))
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    bridge.pull()

    assert latency_of(gst, bridge) == 0


def test_9_2_stop_unblocks_a_call(gst, make_bridge, write_plugin, journal):
    bridge = make_bridge(
        write_plugin(
            notes(
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
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    while ["in"] not in journal():
        os.sched_yield()

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS
    assert ["stop"] in journal() and ["shutdown"] in journal()


def test_9_2_endless_loop_in_python_is_interrupted(
    gst, make_bridge, write_plugin, journal
):
    bridge = make_bridge(
        write_plugin(
            notes(
                """
                def process_audio(self, buffer):
                    note("in")
                    while True:
                        pass
                Plugin.process_audio = process_audio
                """
            )
        )
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    while ["in"] not in journal():
        os.sched_yield()

    assert bridge.stop() == gst.StateChangeReturn.SUCCESS
    assert ["shutdown"] in journal()


def test_9_3_thread_of_a_plugin_goes_on_between_blocks(
    make_bridge, write_plugin, journal
):
    bridge = make_bridge(
        write_plugin(
            notes(
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
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    bridge.pull()

    while ["tick", 9] not in journal():
        os.sched_yield()


def test_9_4_two_instances_run_beside_each_other(make_bridge, write_plugin):
    path = write_plugin(LEVEL)
    bridges = [make_bridge(path, parameters=f"level={n}") for n in (5, 6)]
    for bridge in bridges:
        bridge.play()
        bridge.push(np.zeros((BLOCK, 2)))

    assert [bridge.pull()[1][0, 0] for bridge in bridges] == [5, 6]


def test_11_1_environment_is_seen(run, write_plugin, monkeypatch):
    monkeypatch.setenv("NDA_PROFILE", "yes")
    path = write_plugin(
        """
        import os
        Plugin.initialize = lambda self: os.environ["NDA_PROFILE"] == "yes"
        """
    )

    assert run(path, []).error is None


def test_sys_modules_keeps_what_was_there(run, write_plugin):
    path = write_plugin(name="colorsys")
    import colorsys

    assert run(path, []).error is None
    assert sys.modules["colorsys"] is colorsys
