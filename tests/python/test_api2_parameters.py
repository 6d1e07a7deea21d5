# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Section 3 of API 2: parameters, as Python sees them."""

import numpy as np
import pytest
from second import BLOCK, write, write_noting  # noqa: F401

import nda

TEXT = '''
from nda import Bool, Choice, Float, Int, Processor, Secret, Text
class P(Processor):
    threshold = Float(-50, -90, 0, unit="dBFS", help="opens above it")
    order = Int(4, 1, 9)
    on = Bool(True)
    model = Text("none")
    mode = Choice("soft", ("soft", "hard"))
    key = Secret(help="of the room")

    def values(self):
        return [self.threshold, self.order, self.on, self.model, self.mode,
                self.key]
    def start(self): note("start", *self.values())
    def on_change(self, name): note(name, getattr(self, name))
    def process(self, block): note("process", *self.values())
'''


@pytest.fixture
def line(make_bridge, write_noting):
    return make_bridge(write_noting(TEXT))


def play(line):
    line.play()
    line.push(np.zeros((BLOCK, 2)))
    line.pull()


def set_to(line, name, value):
    return line.element.emit("set-parameter", name, value)


def get(line, name):
    return line.element.emit("get-parameter", name)


DEFAULTS = [-50.0, 4, True, "none", "soft", ""]


def test_api2_3_1_the_defaults_are_there_before_the_start(line, journal):
    play(line)

    assert journal() == [["start", *DEFAULTS], ["process", *DEFAULTS]]
    assert [type(v) for v in journal()[0][1:]] == [
        float, int, bool, str, str, str
    ]  # fmt: skip


def test_api2_3_1_a_text_becomes_a_value_of_the_type(line, journal):
    line.element.set_property(
        "parameters", "threshold=-3e1,order=9,on=no,mode=hard,key=abc"
    )
    play(line)

    values = [-30.0, 9, False, "none", "hard", "abc"]
    assert journal() == [["start", *values], ["process", *values]]


REFUSED = {
    "threshold": {
        value: f"“{value}” is not a number from -90 to 0 dBFS"
        for value in ("-91", "0.5", "loud", "nan", "")
    }
    | {
        "-1,5": "“-1,5” is not a number from -90 to 0 dBFS; write it with a "
        "point: -1.5"
    },
    "order": {
        value: f"“{value}” is not a whole number from 1 to 9"
        for value in ("10", "2.5")
    },
    "on": {"maybe": "“maybe” is not true or false"},
    "mode": {"loud": "“loud” is not one of soft, hard"},
    "volume": {
        "1": "the plugin has no such parameter, but these: threshold, order, "
        "on, model, mode, key"
    },
}


READS = """
from nda import Processor
class P(Processor):
    found = 3
    def get_reading(self, name):
        return {"frames": 7, "level": "-6.0"}.get(name)
    def process(self, block): pass
"""


def test_api2_get_parameter_reads_what_the_plugin_says(make_bridge, write):
    line = make_bridge(write(READS))
    play(line)

    assert [get(line, name) for name in ("frames", "level", "found", "x")] == [
        *("7", "-6.0", "3", ""),
    ]


@pytest.mark.parametrize(
    "name, value", [(n, v) for n, values in REFUSED.items() for v in values]
)
def test_api2_3_3_a_wrong_value_is_refused_with_its_range(
    line, journal, name, value
):
    play(line)
    before = get(line, name)
    set_to(line, name, value)
    message = line.wait(line.gst.MessageType.WARNING)
    line.push(np.zeros((BLOCK, 2)))
    line.pull()

    assert REFUSED[name][value] in message.parse_warning()[0].message
    assert get(line, name) == before
    assert journal()[1:] == [["process", *DEFAULTS]] * 2


def test_api2_3_3_a_secret_is_told_to_nobody(
    launch_bridge, write_noting, journal
):
    secret = "unsayable-1234"
    path = write_noting(
        """
        from nda import Processor, Secret
        class P(Processor):
            pin = Secret()
            def process(self, block): note(self.pin)
            def on_change(self, name): raise ValueError(self.pin)
        """
    )
    result = launch_bridge(
        path, env={"GST_DEBUG": "*:6", "NDA_TEST_SECRET": ""}
    )
    assert result.returncode == 0, result.stderr[-1000:]
    assert journal()[-1] == [""]
    assert secret.encode() not in result.stderr


def test_api2_3_3_a_secret_is_not_in_a_warning_nor_read_back(
    make_bridge, write_noting, journal
):
    path = write_noting(
        """
        from nda import Processor, Secret
        class P(Processor):
            pin = Secret()
            def process(self, block): note(self.pin)
            def on_change(self, name): raise ValueError(self.pin)
        """
    )
    line = make_bridge(path)
    play(line)
    set_to(line, "pin", "unsayable")
    message = line.wait(line.gst.MessageType.WARNING)
    line.push(np.zeros((BLOCK, 2)))
    line.pull()

    assert "unsayable" not in str(message.parse_warning())
    assert "pin: ValueError" in message.parse_warning()[0].message
    assert get(line, "pin") == ""
    assert journal()[-1] == ["unsayable"]


def test_api2_3_4_on_change_follows_each_change_while_it_runs(line, journal):
    line.element.set_property("parameters", "threshold=-40")
    play(line)
    set_to(line, "threshold", "-20")
    set_to(line, "order", "5")
    assert (get(line, "threshold"), get(line, "order")) == ("-20", "5")
    line.push(np.zeros((BLOCK, 2)))
    line.pull()

    values = [-20.0, 5, *DEFAULTS[2:]]
    assert journal()[2:] == [
        ["threshold", -20.0],
        ["order", 5],
        ["process", *values],
    ]


def test_api2_3_4_no_call_sees_half_of_a_change(make_bridge, write):
    """A thousand changes from another thread, none during a call."""
    import threading

    path = write(
        """
        import time
        from nda import Float, Processor
        class P(Processor):
            level = Float(0)
            def process(self, block):
                before = self.level
                time.sleep(0)
                assert self.level == before
                block[:] = before
        """
    )
    line = make_bridge(path)
    line.play()

    def change():
        for n in range(1, 1001):
            assert set_to(line, "level", str(n))

    changer = threading.Thread(target=change)
    changer.start()
    levels = []
    while changer.is_alive() or not levels:
        line.push(np.zeros((BLOCK, 2)))
        levels.append(line.pull()[1])
    changer.join()
    line.push(np.zeros((BLOCK, 2)))
    levels.append(line.pull()[1])

    assert all(np.all(level == level[0, 0]) for level in levels)
    assert all(a[0, 0] <= b[0, 0] for a, b in zip(levels, levels[1:]))
    assert levels[-1][0, 0] == 1000
    assert line.get_stat("num-failures") == 0


def test_api2_3_1_a_plugin_may_set_its_own_within_the_range():
    class P(nda.Processor):
        gain = nda.Float(1, 0, 2)

        def process(self, block):
            pass

    plugin = P()
    plugin.gain = 2
    with pytest.raises(ValueError, match="3 is out of its range, 0 to 2"):
        plugin.gain = 3

    assert plugin.gain == 2.0 and isinstance(plugin.gain, float)
    assert P.gain.default == 1
    assert P().gain == 1


WRONG = {
    "nda.Float(1, 2, 0)": "its minimum 2 is above its maximum 0",
    "nda.Float(5, 0, 1)": "5 is out of its range, 0 to 1",
    "nda.Float('1')": "'1' is no number",
    "nda.Int(1.5)": "1.5 is no whole number",
    "nda.Int(1, 0, 2**31)": "is beyond -2147483648 to 2147483647",
    "nda.Bool(1)": "1 is neither true nor false",
    "nda.Text(1)": "1 is no text",
    "nda.Choice('a', 'abc')": "its options are 'abc', no list of texts",
    "nda.Choice('d', ['a'])": "'d' is none of its options, a",
    "nda.Choice('a', ['a', 'a'])": "name one twice",
    "nda.Float(1, unit=3)": "unit is 3, which is no text",
}


@pytest.mark.parametrize("text", WRONG)
def test_api2_3_1_a_wrong_declaration_says_what_is_wrong(text):
    with pytest.raises((TypeError, ValueError)) as raised:
        eval(text)

    assert WRONG[text] in str(raised.value)


def test_api2_3_1_a_wrong_declaration_is_told_with_its_line(run, write):
    path = write(
        """
        from nda import Float, Processor
        class P(Processor):
            gain = Float(1, 2, 0)
            def process(self, block): pass
        """
    )

    outcome = run(path, [])

    assert (
        "cannot be loaded: ValueError: its minimum 2 is above its maximum 0 "
        f"({path}, line 4)" in outcome.error.message
    )


def test_api2_3_1_a_parameter_of_the_format_is_a_whole_number(run, write):
    path = write(
        """
        from nda import Float, Processor
        class P(Processor):
            rate = Float(48000)
            def process(self, block): pass
        """
    )

    outcome = run(path, [])

    assert (
        "its parameter “rate” (line 4) is a float, but the format has whole"
        in outcome.error.message
    )
