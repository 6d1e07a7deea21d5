# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules 4 and 5 of the plugin contract: the order of the calls."""

import os

import numpy as np
import pytest

from lines import where_of
from roles import SINK, SOURCE, kept_frames

BLOCK = 512

WHOLE_LIFE = [
    ["initialize"],
    ["set_parameter", "a", "1"],
    ["set_parameter", "b", "two words"],
    ["set_sample_rate", 48000],
    ["set_channels", 1],
    ["start"],
    ["stop"],
    ["shutdown"],
]


def names(journal):
    return [name for name, *_ in journal()]


def test_4_1_calls_come_in_order(make_bridge, write_noting_plugin, journal):
    bridge = make_bridge(
        write_noting_plugin(), parameters="a=1,b=two words", channels=1
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 1)))
    bridge.pull()
    bridge.stop()

    assert journal() == WHOLE_LIFE


def test_4_1_the_plugin_s_state_is_its_own(run, write_plugin, noise):
    path = write_plugin(
        """
        def touch(self, *value):
            raise RuntimeError("state is the plugin's")
        Plugin.__init__ = lambda self: None
        Plugin.state = property(touch, touch)
        Plugin.get_state = touch
        """
    )

    assert run(path, [noise(BLOCK)]).error is None


@pytest.mark.parametrize("method", ["initialize", "start"])
@pytest.mark.parametrize("result", ["False", "None", "0", "1 / 0"])
def test_4_1_shutdown_comes_once_after_a_failure(
    make_bridge, write_noting_plugin, journal, method, result
):
    bridge = make_bridge(
        write_noting_plugin(f"Plugin.{method} = lambda self: {result}")
    )
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    assert bridge.wait(bridge.gst.MessageType.ERROR)
    bridge.stop()

    assert names(journal).count("shutdown") == 1
    assert names(journal)[-1] == "shutdown"
    assert "stop" not in names(journal)


@pytest.mark.parametrize("method", ["initialize", "start"])
def test_4_1_refusal_names_the_method(run, write_plugin, noise, method):
    path = write_plugin(f"Plugin.{method} = lambda self: False")

    outcome = run(path, [noise(BLOCK)])

    assert f"The plugin “{path}” refused" in outcome.error.message
    assert f"its {method} () did not return True" in outcome.error.message
    assert outcome.error.domain == "gst-library-error-quark"
    assert outcome.blocks == []


@pytest.mark.parametrize("method", ["initialize", "start"])
def test_4_1_raise_names_method_and_line(run, write_plugin, noise, method):
    path = write_plugin(
        f"""
        def fail(self):
            raise RuntimeError("no device")
        Plugin.{method} = fail
        """
    )

    outcome = run(path, [noise(BLOCK)])

    assert f"failed in its {method} ()" in outcome.error.message
    assert "RuntimeError: no device" in outcome.error.message
    assert "Traceback" in outcome.debug


@pytest.mark.parametrize("result", ["False", "1 / 0"])
def test_4_1_result_of_stop_is_ignored(
    gst, make_bridge, write_plugin, noise, result
):
    bridge = make_bridge(write_plugin(f"Plugin.stop = lambda self: {result}"))
    for _ in range(2):
        bridge.play()
        bridge.push(noise(BLOCK))
        assert bridge.pull()
        assert (
            bridge.pipeline.set_state(gst.State.READY)
            == gst.StateChangeReturn.SUCCESS
        )


def test_4_2_restart_uses_the_same_instance(
    gst, make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(write_noting_plugin())
    for _ in range(2):
        bridge.play()
        bridge.push(np.zeros((BLOCK, 2)))
        bridge.pull()
        bridge.pipeline.set_state(gst.State.READY)
    bridge.stop()

    called = names(journal)
    assert called.count("initialize") == called.count("shutdown") == 1
    assert called.count("start") == called.count("stop") == 2
    assert called.count("set_channels") == 2


def test_4_3_failed_start_makes_a_new_instance(
    gst, make_bridge, write_noting_plugin, journal, tmp_path
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            def start(self):
                return os.path.exists(os.environ["NDA_TEST_JOURNAL"] + ".go")
            Plugin.start = start
            """
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

    called = names(journal)
    assert called.count("initialize") == 2
    assert called.index("shutdown") < len(called) - called[::-1].index(
        "initialize"
    )


def test_4_3_next_ready_makes_a_new_instance(
    make_bridge, write_noting_plugin, journal, gst
):
    bridge = make_bridge(
        write_noting_plugin("note('body of the file')"), parameters="a=b"
    )
    for _ in range(2):
        bridge.element.set_state(gst.State.READY)
        bridge.element.set_state(gst.State.NULL)

    one = [
        ["body of the file"],
        ["initialize"],
        ["set_parameter", "a", "b"],
        ["shutdown"],
    ]
    assert journal() == one + one


def test_4_4_ready_and_back_initialises_and_shuts_down(
    gst, make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(write_noting_plugin())
    bridge.element.set_state(gst.State.READY)
    bridge.element.set_state(gst.State.NULL)

    assert journal() == [["initialize"], ["shutdown"]]


def test_4_4_shutdown_may_call_stop(
    gst, make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            def shutdown(self):
                self.stop()
                note("shutdown")
            Plugin.shutdown = shutdown
            """
        )
    )
    bridge.element.set_state(gst.State.READY)
    bridge.element.set_state(gst.State.NULL)

    assert journal() == [["initialize"], ["stop"], ["shutdown"]]


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


def test_4_5_stop_may_join_a_thread_of_its_own(
    make_bridge, write_noting_plugin, journal, noise
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            def start(self):
                self.ending = threading.Event()
                self.thread = threading.Thread(target=self.ending.wait)
                self.thread.start()
                return True
            def stop(self):
                self.ending.set()
                self.thread.join()
                note("joined")
            Plugin.start, Plugin.stop = start, stop
            """
        )
    )
    bridge.play()
    bridge.push(noise(BLOCK))
    bridge.pull()
    bridge.stop()

    assert names(journal)[-2:] == ["joined", "shutdown"]


def test_4_5_slow_start_does_not_block_the_application(
    make_bridge, write_noting_plugin, journal, tmp_path, noise
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            import time
            def start(self):
                note("starting")
                while not os.path.exists(os.environ["NDA_TEST_JOURNAL"]
                                         + ".go"):
                    time.sleep(0)
                return True
            Plugin.start = start
            """
        )
    )
    bridge.play()
    bridge.push(noise(BLOCK))
    while ["starting"] not in journal():
        os.sched_yield()

    # it starts, and the application goes on: nothing but this ends the wait
    assert bridge.get_stat("num-blocks") == 0
    (tmp_path / "journal.go").touch()

    assert len(bridge.pull()[1]) == BLOCK


FEW_METHODS = """
class Old:
    def initialize(self): return True
    def start(self): return self.channels == 2
    def stop(self): pass
    def shutdown(self): pass
    def process_audio(self, buffer): return True
    {setter}

def create_plugin():
    return Old()
"""


@pytest.mark.parametrize("name", ["set_channels", "set_channel_count"])
def test_5_1_either_name_of_the_setter_will_do(
    run, write_plugin, noise, name
):
    setter = f"def {name}(self, n): self.channels = n"
    path = write_plugin(FEW_METHODS.format(setter=setter), base="")

    assert run(path, [noise(BLOCK)]).error is None


def test_5_1_set_channels_is_the_one_if_both_are_there(
    run, write_noting_plugin, journal, noise
):
    path = write_noting_plugin(
        """
        Plugin.set_channels = noting("set_channels", None)
        Plugin.set_channel_count = noting("set_channel_count", None)
        """
    )

    run(path, [noise(BLOCK)])

    assert "set_channels" in names(journal)
    assert "set_channel_count" not in names(journal)


def test_5_2_rate_is_told_and_not_verified(
    run, write_noting_plugin, journal, noise
):
    path = write_noting_plugin("Plugin.get_sample_rate = lambda self: 44100")

    outcome = run(path, [noise(BLOCK)])

    assert outcome.error is None and len(outcome.frames) == BLOCK
    assert ["set_sample_rate", 48000] in journal()


@pytest.mark.parametrize("channels", [1, 2, 6, 64])
def test_5_3_processor_is_told_the_stream_s_channels(
    run, write_noting_plugin, journal, noise, channels
):
    run(write_noting_plugin(), [noise(BLOCK, channels)], channels=channels)

    assert ["set_channels", channels] in journal()
    assert names(journal).index("set_channels") < names(journal).index("start")


@pytest.mark.parametrize("setter", ["set_sample_rate", "set_channels"])
def test_5_3_setter_that_raises_is_named(run, write_plugin, noise, setter):
    path = write_plugin(f"Plugin.{setter} = lambda self, n: 1 / 0")

    outcome = run(path, [noise(BLOCK)])

    assert f"The plugin “{path}” cannot be configured" in outcome.error.message
    assert "ZeroDivisionError" in outcome.error.message


@pytest.mark.parametrize("sizes", [[1, 511, 512], [480] * 16, [4096, 96]])
def test_5_6_processor_always_gets_512_frames(
    run, write_noting_plugin, journal, noise, sizes
):
    path = write_noting_plugin(
        """
        for name in ("get_buffer_size", "set_buffer_size"):
            setattr(Plugin, name, noting(name, 256))
        def process_audio(self, buffer):
            note("process_audio", *buffer.data.shape)
            return True
        Plugin.process_audio = process_audio
        """
    )
    pushed = noise(sum(sizes))

    outcome = run(path, np.split(pushed, np.cumsum(sizes)[:-1]))

    calls = [what for name, *what in journal() if name == "process_audio"]
    assert calls == [[2, BLOCK]] * -(-sum(sizes) // BLOCK)
    assert np.array_equal(outcome.frames, pushed)
    assert not {"get_buffer_size", "set_buffer_size"} & set(names(journal))


def test_5_7_channels_change_by_stop_configure_start(
    make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(write_noting_plugin(), channels=1)
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


def test_4_6_source_processor_and_sink_start_in_any_order(
    gst, isolation, write_plugin, journal
):
    where = " ".join("=".join(p) for p in where_of(isolation).items())
    pipeline = gst.parse_launch(
        f"ndapysrc num-buffers=8 {where} "
        f"plugin={write_plugin(name='source', base=SOURCE)} "
        f"! ndapybridge plugin=passthrough {where} "
        f"! ndapysink sync=false {where} "
        f"plugin={write_plugin(name='sink', base=SINK)}"
    )
    bus = pipeline.get_bus()
    for _ in range(2):
        pipeline.set_state(gst.State.PLAYING)
        ends = gst.MessageType.EOS | gst.MessageType.ERROR
        message = bus.timed_pop_filtered(gst.CLOCK_TIME_NONE, ends)
        assert message.type == gst.MessageType.EOS
        pipeline.set_state(gst.State.READY)
    pipeline.set_state(gst.State.NULL)

    frames = kept_frames()[:, 0]
    assert np.array_equal(frames, np.arange(16 * BLOCK))
