# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules 7 and 8 of the plugin contract: parameters and latency."""

import os

import numpy as np
import pytest

BLOCK = 512


def test_7_1_values_arrive_as_written(run, write_noting_plugin, journal):
    text = 'key=0011,b64=ab+/=,quoted="a, \\"b\\"",empty=,spaced= x '
    path = write_noting_plugin()

    run(path, [], parameters=text)

    parameters = [entry[1:] for entry in journal() if len(entry) == 3]
    assert parameters == [
        ["key", "0011"],
        ["b64", "ab+/="],
        ["quoted", 'a, "b"'],
        ["empty", ""],
        ["spaced", " x "],
    ]


def test_7_1_keys_and_values_are_text(make_bridge, write_noting_plugin):
    bridge = make_bridge(
        write_noting_plugin(
            """
            def set_parameter(self, key, value):
                assert type(key) is str and type(value) is str
                note(key, value)
            Plugin.set_parameter = set_parameter
            Plugin.get_parameter = lambda self, key: type(key).__name__
            """
        ),
        parameters="number=0.5,flag=true,Number=1,ключ=schön",
    )
    bridge.play()
    bridge.element.emit("set-parameter", "number", "0,5")

    assert bridge.element.emit("get-parameter", "x") == "str"
    assert not bridge.wait(bridge.gst.MessageType.WARNING, timeout=0)


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

    assert bridge.element.emit("set-parameter", "level", "2")
    assert bridge.element.emit("get-parameter", "level") == "2"
    bridge.push(np.zeros((BLOCK, 2)))
    assert (bridge.pull()[1] == 2).all()

    bridge.element.set_property("parameters", "level=3")
    assert bridge.element.emit("get-parameter", "level") == "3"
    bridge.push(np.zeros((BLOCK, 2)))
    assert (bridge.pull()[1] == 3).all()


IN_BLOCK = """
Plugin.is_inside = False
def process_audio(self, buffer):
    self.is_inside = True
    note("in")
    while not os.path.exists(os.environ["NDA_TEST_JOURNAL"] + ".go"):
        os.sched_yield()
    self.is_inside = False
    return True
def set_parameter(self, key, value):
    note("set", key, value, self.is_inside)
Plugin.process_audio, Plugin.set_parameter = process_audio, set_parameter
"""


def test_7_4_parameter_waits_for_the_end_of_the_block(
    make_bridge, write_noting_plugin, journal, tmp_path
):
    bridge = make_bridge(write_noting_plugin(IN_BLOCK))
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    while ["in"] not in journal():
        os.sched_yield()

    assert bridge.element.emit("set-parameter", "a", "1")
    assert bridge.element.emit("set-parameter", "b", "2")
    assert journal()[-1] == ["in"]
    (tmp_path / "journal.go").touch()
    bridge.element.emit("get-parameter", "a")  # after what was set before

    assert journal()[-2:] == [
        ["set", "a", "1", False],
        ["set", "b", "2", False],
    ]


def test_7_4_stopped_plugin_takes_parameters_at_once(
    gst, make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(write_noting_plugin())
    bridge.element.set_state(gst.State.READY)

    assert bridge.element.emit("set-parameter", "a", "1")

    assert journal()[-1] == ["set_parameter", "a", "1"]


REFUSES = """
def set_parameter(self, key, value):
    if value == "bad": raise ValueError(value)
    return {"good": True, "bool": False, "none": None}[value]
Plugin.set_parameter = set_parameter
"""


@pytest.mark.parametrize("is_playing", [False, True])
def test_7_2_set_parameter_says_what_the_plugin_refused(
    gst, make_bridge, write_plugin, is_playing
):
    bridge = make_bridge(write_plugin(REFUSES))
    bridge.pipeline.set_state(gst.State.READY)
    if is_playing:
        bridge.play()
        bridge.push(np.zeros((BLOCK, 2)))
        bridge.pull()

    answers = [
        bridge.element.emit("set-parameter", "level", value)
        for value in ("good", "bad", "none", "bool", "good", "unknown")
    ]

    assert answers == [True, False, True, False, True, False]


def test_7_6_get_parameter_is_text_whatever_it_returns(
    make_bridge, write_plugin
):
    bridge = make_bridge(write_plugin(LEVEL))
    assert bridge.element.emit("get-parameter", "level") == ""  # no plugin yet
    bridge.play()

    assert bridge.element.emit("get-parameter", "number") == "3"
    assert bridge.element.emit("get-parameter", "raise") == ""
    assert bridge.element.emit("get-parameter", "unknown") == ""


def test_7_4_set_parameter_without_a_plugin_says_so(make_bridge, write_plugin):
    bridge = make_bridge(write_plugin(LEVEL))

    assert not bridge.element.emit("set-parameter", "level", "2")


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
    assert bridge.element.get_static_pad("src").query(query)
    return query.parse_latency()[1]


def test_7_5_8_1_latency_is_read_at_start_and_after_parameters(
    gst, make_bridge, write_plugin
):
    bridge = make_bridge(
        write_plugin(LATENT.format(result="float(self.seconds)"))
    )
    bridge.src.set_property("is-live", True)
    bridge.play()
    # the plugin's latency is taken out: as much has to come first
    for _ in range(24):
        bridge.push(np.zeros((BLOCK, 2)))
    bridge.pull()
    assert bridge.wait(gst.MessageType.LATENCY)
    before = latency_of(gst, bridge)

    bridge.element.emit("set-parameter", "seconds", "0.5")
    bridge.element.emit("get-parameter", "seconds")

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


def test_7_3_raising_parameter_is_a_warning(run, write_plugin, noise):
    path = write_plugin(
        """
        def set_parameter(self, key, value):
            raise ValueError("not a number")
        Plugin.set_parameter = set_parameter
        """
    )

    outcome = run(path, np.split(noise(BLOCK * 8), 8), parameters="gain=x")

    assert outcome.error is None
    assert len(outcome.blocks) == 8
    assert "did not take the parameter gain" in (
        outcome.warnings[0][0].message
    )
    assert "ValueError: not a number" in outcome.warnings[0][0].message


def test_a_number_with_a_comma_is_told_with_a_point(
    run, write_plugin, noise
):
    path = write_plugin(
        """
        def set_parameter(self, key, value):
            self.value = float(value)
        Plugin.set_parameter = set_parameter
        """
    )

    outcome = run(path, [noise(BLOCK)], parameters='a="0,5",b="1,2,3"')

    first, second = (warning[0].message for warning in outcome.warnings)
    assert first.endswith("; write it with a point: 0.5")
    assert "1,2,3" in second and "with a point" not in second


def test_7_2_refused_parameter_is_a_warning(run, write_plugin, noise):
    path = write_plugin(
        "Plugin.set_parameter = lambda self, key, value: False"
    )

    outcome = run(path, np.split(noise(BLOCK * 8), 8), parameters="gain=x")

    assert "it returned False" in outcome.warnings[0][0].message


def test_an_unknown_parameter_is_told_with_those_there_are(
    run, write_plugin, noise
):
    """What is there is told only where the name is the fault."""
    path = write_plugin(
        """
        Plugin.set_parameter = lambda self, key, value: False
        Plugin.get_parameters = lambda self: {"gain": "1", "mode": "fast"}
        """
    )

    outcome = run(path, [noise(BLOCK)], parameters="gian=x,gain=x")

    first, second = (warning[0].message for warning in outcome.warnings)
    assert "gian: it has no such parameter, but these: gain, mode" in first
    assert second.endswith("gain: it returned False") or (
        "gain: it returned False; it may have printed" in second
    )


def test_7_6_secret_of_a_parameter_is_not_told(run, write_plugin, noise):
    path = write_plugin(
        """
        def set_parameter(self, key, value):
            raise ValueError("cannot use " + value)
        Plugin.set_parameter = set_parameter
        """
    )

    outcome = run(path, np.split(noise(BLOCK * 8), 8), parameters="key=abc123")

    error, debug = outcome.warnings[0]
    assert "ValueError" in error.message
    assert "abc123" not in error.message + debug


@pytest.mark.parametrize(
    "size, wait", [(512, 0), (256, 256), (480, 480), (511, 511), (1024, 0)]
)
def test_8_2_latency_is_that_of_plugin_and_regrouping(
    gst, make_bridge, write_plugin, noise, size, wait
):
    bridge = make_bridge(
        write_plugin(
            "Plugin.get_processing_latency = lambda self: 0.125"
        ),
        max_blocks=4,
    )
    bridge.src.set_property("is-live", True)
    bridge.src.set_property("max-latency", 0)
    bridge.play()
    for _ in range(6000 // size + 3):
        bridge.push(noise(size))
    bridge.pull()
    query = gst.Query.new_latency()
    assert bridge.element.get_static_pad("src").query(query)

    live, least, most = query.parse_latency()
    wait = wait and 512 - np.gcd(512, size)
    assert live
    assert least == 125 * gst.MSECOND + int(wait) * gst.SECOND // 48000
    assert most == least + 4 * 512 * gst.SECOND // 48000


@pytest.mark.parametrize("key, told", [("apiKey", False), ("volume", True)])
def test_7_6_secret_that_cannot_be_read_is_not_printed(
    make_bridge, write_plugin, capfd, isolation, key, told
):
    bridge = make_bridge(
        write_plugin(
            """
            def get_parameter(self, key):
                raise ValueError("cannot show abc123")
            Plugin.get_parameter = get_parameter
            """
        )
    )
    bridge.play()

    assert bridge.element.emit("get-parameter", key) == ""

    printed = "".join(capfd.readouterr())
    # a process of its own prints to the GStreamer log
    assert ("abc123" in printed) == (told and isolation == "thread")


def test_7_6_secret_parameter_cannot_be_read_back(make_bridge, write_plugin):
    bridge = make_bridge(
        write_plugin(), parameters='gain=0.5,Key=abc123,x="a,b",passphrase="c"'
    )

    shown = bridge.element.get_property("parameters")

    assert shown == 'gain=0.5,Key=***,x="a,b",passphrase=***'


@pytest.mark.parametrize("text", ['key="abc123', 'key="abc123"x', "key=a,b"])
def test_7_6_malformed_secret_is_not_told(
    run, make_bridge, write_plugin, text
):
    path = write_plugin()

    outcome = run(path, [], parameters=text)
    shown = make_bridge(path, parameters=text).element.get_property(
        "parameters"
    )

    assert "abc123" not in outcome.error.message + outcome.debug + shown
    assert shown.endswith("***")


@pytest.mark.parametrize(
    "text, reason",
    [
        ("gain", "are not of the form key=value,key=value"),
        ("=1", "are not of the form key=value,key=value"),
        ("gain=0,5", "“5” are not of the form"),
        ("gain=0,5", "write a number with a point, as 0.5"),
        ('name="a', "has no closing quote"),
        ('name="a"b', "a comma must follow"),
    ],
)
def test_7_1_malformed_parameters_are_refused(run, write_plugin, text, reason):
    outcome = run(write_plugin(), [], parameters=text)

    assert reason in outcome.error.message
