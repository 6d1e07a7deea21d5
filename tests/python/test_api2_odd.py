# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Odd plugins of API 2: each works, or an error names its file and line."""

import numpy as np
import pytest

from delays import push_and_set

BLOCK = 512

# --- what works -------------------------------------------------------------

WORKING = {
    "a dataclass with a parameter in an annotation": """
        from dataclasses import dataclass
        from nda import Float, Processor
        @dataclass
        class Half(Processor):
            gain: float = Float(0.5, 0, 1)
            def process(self, block): block *= self.gain
        """,
    "a frozen dataclass": """
        from dataclasses import dataclass
        from nda import Float, Processor
        @dataclass(frozen=True)
        class Half(Processor):
            gain = Float(0.5, 0, 1)
            def process(self, block): block *= self.gain
        """,
    "slots": """
        from nda import Float, Processor
        class Half(Processor):
            __slots__ = ("factor",)
            def start(self): self.factor = 0.5
            def process(self, block): block *= self.factor
        """,
    "an __init__ () of its own": """
        from nda import Float, Processor
        class Half(Processor):
            gain = Float(0.25, 0, 1)
            def __init__(self, times=2): self.factor = times * self.gain
            def process(self, block): block *= self.factor
        """,
    "attributes that raise": """
        from nda import Processor
        class Half(Processor):
            def __getattr__(self, name): raise RuntimeError(name)
            def process(self, block): block *= 0.5
        """,
    "a static method": """
        from nda import Processor
        class Half(Processor):
            @staticmethod
            def process(block): block *= 0.5
        """,
    "a partial": """
        from functools import partial
        def scale(factor, block, *, gain: float = 0.25): block *= factor * gain
        process = partial(scale, 2)
        """,
    "an object that can be called": """
        class Scale:
            def __call__(self, block, *, gain: float = 0.5): block *= gain
        process = Scale()
        """,
    "a lambda": "process = lambda block: block * 0.5",
    "a decorated function": """
        import functools
        def plain(function):
            @functools.wraps(function)
            def inner(*args, **kwargs): return function(*args, **kwargs)
            return inner
        @plain
        def process(block, *, gain: float = 0.5): block *= gain
        """,
    "any arguments": "def process(*args): args[0][:] *= 0.5",
    "a parameter as a default": """
        from nda import Float
        def process(block, *, gain=Float(0.5, 0, 1)): block *= gain
        """,
    "a number of NumPy as a default": """
        import numpy as np
        def process(block, *, gain=np.float32(0.5), n=np.int64(1)):
            block *= gain ** n
        """,
    "the names of properties": """
        def process(block, *, name=0.25, parent=0.125, größe=0.125, stats=""):
            block *= name + parent + größe
        """,
    "an array in Fortran's order": """
        import numpy as np
        def process(block): return np.asfortranarray(block, np.float64) / 2
        """,
    # in no docstring, which Python 3.13 does not compile
    "texts that are none": """
        __doc__ = "Half \\ud800 as loud."
        DISPLAY_NAME = "\\ud800"
        def process(block): block *= 0.5
        """,
}

# It finds the same array each time, whatever it did to the one before
CHANGES = ["shape = (512, 2)", "dtype = 'int32'", "shape = (2, 256, 2)"]
CHANGING = """
        def process(block):
            assert block.shape == (2, 512) and block.dtype == "float32"
            block *= 0.5
            block.{}
        """


def unindent(text):
    lines = text.splitlines()
    return "\n".join(n[8:] if n[:8].isspace() else n for n in lines)


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        path = tmp_path / "odd.py"
        path.write_text(unindent(text) if "\n" in text else text)
        return path

    return write_file


@pytest.mark.parametrize("plugin", WORKING)
def test_api2_odd_plugin_works(run, write, noise, plugin):
    frames = noise(4 * BLOCK)

    outcome = run(write(WORKING[plugin]), np.split(frames, 4))

    assert outcome.error is None, outcome.debug
    assert np.array_equal(outcome.frames, frames * np.float32(0.5))


@pytest.mark.parametrize("change", CHANGES)
def test_api2_1_2_the_next_block_is_as_the_first(run, write, noise, change):
    frames = noise(4 * BLOCK)

    outcome = run(write(CHANGING.format(change)), np.split(frames, 4))

    assert outcome.error is None, outcome.debug
    assert np.array_equal(outcome.frames, frames * np.float32(0.5))


ODD_ARRAYS = """
        import numpy as np
        def read():
            yield np.zeros((2, 0), np.float32)
            yield np.asfortranarray(np.ones((2, 700)))
            yield np.full((2, 3), 2, np.int16)
            yield np.ones((2, 5), bool)
            yield np.full((2, 999), 3.0)[:, ::3]
            yield [[4, 5], [4, 5]]
            yield np.ma.masked_array(np.ones(600), mask=False)
            yield memoryview(np.full((2, 7), 6.0))
        """


def test_api2_1_5_odd_arrays_lose_nothing(make_line, write):
    line = make_line(
        "ndapysrc name=py is-live=false ! appsink name=sink sync=false",
        write(ODD_ARRAYS),
    )
    line.play()

    frames = line.pull_all()

    lengths = [700, 3, 5, 333, 1, 1, 600, 7]
    expected = np.repeat([1, 2, 1, 3, 4, 5, 1, 6], lengths)
    assert np.array_equal(frames, np.stack([expected] * 2, axis=1))


# --- what does not ----------------------------------------------------------

CLASS = """
        from nda import *
        class Odd(Processor):
            {}
            def process(self, block): pass
        """
FUNCTION = "def process({}): {}"

FAULTS = {
    "x = Float": "its x is the class Float; write it with its default",
    "x: Float = 0.5": (
        "its x is 0.5 with Float as its annotation, which declares nothing; "
        "write x = Float (0.5)"
    ),
    "x: 'Int' = 5": "which declares nothing; write x = Int (5)",
    "start = 5": "its start is 5, which is no method",
    "get_reading = 'level'": "its get_reading is 'level', which is no method",
    "start = Float(0.5)": "“start” (line 4) has the name of a method",
    "on_change = Int(1)": "“on_change” (line 4) has the name of a method",
    "def __init__(self, size): pass": (
        "its Odd () takes size, but the host gives it no arguments; let each "
        "have a default (line 4)"
    ),
    "x = Text('\\ud800')": "cannot hold '\\ud800', which is no character",
    "x = Text('a\\0b')": "a text cannot hold a character 0",
    "x = Choice('\\ud800', ['\\ud800'])": "which is no character",
    "x = Float(0, help='\\ud800')": "which is no character",
    "x = Float(0, help='a\\0b')": "a text cannot hold a character 0",
    "x = Text('x' * 600_000)": "has 600000 characters; 524288 are the most",
    "x = Float(0, help='x' * 9000)": "has 9000 characters; 8192 are the most",
    "x = Float(float('nan'), 0, 1)": "nan is no number; its range is 0 to 1",
    "latency = 1.5": "its latency is 1.5, not a whole number",
}

FUNCTION_FAULTS = {
    "process = 5": "its process is 5, which is no function",
    "import nda\nclass P(nda.Processor): process = 5": (
        "its process is 5, which is no method (line 2)"
    ),
    "import nda\nclass P(nda.Processor):\n    gain = 1": (
        "its P has no method process () (line 2)"
    ),
    "import nda\nclass P(nda.Sink):\n    def process(self, block): pass": (
        "its P has no method write () (line 2)"
    ),
    "import functools\n@functools.lru_cache\n"
    + FUNCTION.format("block", "pass"): (
        "TypeError: unhashable type: 'numpy.ndarray' (line 2)"
    ),
    FUNCTION.format("block, *, x=__import__('nda').Float", "pass"): (
        "“x” is wrong: it is the class Float; write it with its default, "
        "Float (...) (line 1)"
    ),
    "class process: pass": "is a class that is not derived from nda's",
    "from textwrap import dedent as process": (
        "imported from another file. If that is the plugin, say so: "
        "plugin=odd.py:process"
    ),
    "def __getattr__(name): return lambda block: None": "no function",
    FUNCTION.format("", "pass"): "its process () takes no block (line 1)",
    FUNCTION.format("block, gain=1", "pass"): "behind a “*”",
    FUNCTION.format("*, block", "pass"): "“block” has no default (line 1)",
    FUNCTION.format("block, *, x=None", "pass"): "or Annotated with one of",
    FUNCTION.format("block, *, x: 'Y' = 1", "pass"): (
        "its annotations cannot be read: name 'Y' is not defined (line 1)"
    ),
    FUNCTION.format("block", "return 0.5"): (
        "returned shape (), but the block has shape (2, 512) (line 1)"
    ),
    FUNCTION.format("block", "return block * 1j"): (
        "not numbers of shape (2, 512) (line 1)"
    ),
    FUNCTION.format("block", "yield block"): "async, await and yield (line 1)",
    "async " + FUNCTION.format("block", "pass"): "and yield (line 1)",
}


def test_a_plugin_without_parameters_says_so(make_bridge, write):
    bridge = make_bridge(write("def process(block): pass"))
    bridge.play()

    assert not bridge.element.emit("set-parameter", "gain", "1")

    message = bridge.wait(bridge.gst.MessageType.WARNING)
    assert "the plugin has no parameters" in message.parse_warning()[0].message


@pytest.mark.parametrize("text", [*FAULTS, *FUNCTION_FAULTS])
def test_api2_odd_plugin_is_told_with_its_line(run, write, noise, text):
    path = write(CLASS.format(text) if text in FAULTS else text)

    outcome = run(path, [noise(BLOCK)])

    message = outcome.error.message
    assert str(path) in message
    assert {**FAULTS, **FUNCTION_FAULTS}[text] in message
    if text in FAULTS:
        assert "line 4)" in message


READS = {
    "np.float32(1)": "an array of shape (), which is not (channels, frames)",
    "np.zeros((2, 1, 5))": "an array of shape (2, 1, 5), which is not",
    "'hello'": "its read () gave str of <U5",
    "np.zeros((2, 600), complex)": "not numbers of shape",
    "np.zeros((100000, 2))": "its number of channels is 100000",
}


@pytest.mark.parametrize("array", READS)
def test_api2_1_5_an_odd_array_is_told_with_its_line(make_line, write, array):
    path = write(
        f"""
        import numpy as np
        def read():
            yield {array}
        """
    )
    line = make_line("ndapysrc name=py is-live=false ! fakesink", path)
    line.play()

    message = line.wait_for_end().message

    assert str(path) in message and READS[array] in message
    assert "(line 4)" in message


# --- a latency that changes -------------------------------------------------

CHANGES_LATENCY = """
        import numpy as np
        from nda import Int, Processor
        class Late(Processor):
            delay = Int(72, 0, 5000)
            latency, frames = 72, 480
            line = np.zeros((2, 20000), np.float32)
            def on_change(self, name):
                self.latency = self.delay
            def process(self, block):
                self.line = np.hstack([self.line, block])
                end = self.line.shape[1] - self.latency
                block[:] = self.line[:, end - 480 : end]
        """


@pytest.mark.parametrize("latency", [0, 71, 700, 4800])
def test_api2_4_2_a_latency_may_change_in_on_change(
    make_bridge, write, latency
):
    bridge = make_bridge(write(CHANGES_LATENCY), max_blocks=1)
    sound = np.arange(1, 60 * BLOCK + 1, dtype=np.float32).reshape(-1, 1)
    sound = np.repeat(sound, 2, axis=1)
    bridge.play()

    push_and_set(bridge, sound, "delay", latency)

    frames = bridge.pull_all()
    assert frames.shape == sound.shape
    # silence where the plugin left frames out
    assert np.count_nonzero(frames[:, 0] != sound[:, 0]) <= 72
    assert np.all((frames == sound) | (frames == 0))


CHANGES_IN_PROCESS = """
        from nda import Processor
        class Late(Processor):
            latency = 72
            n_blocks = 0
            def process(self, block):
                self.n_blocks += 1
                if self.n_blocks in (2, 5):
                    self.{} = {}
        """

IN_PROCESS = {
    ("latency", 240): (
        "its latency became 240 after it was 72; only start () and "
        "on_change () may change it"
    ),
    ("latency", -1): "its latency is -1, not a whole number",
    ("rate", 8000): (
        "its rate became 8000 after it was 48000; only __init__ () and start "
        "() may change it"
    ),
    ("frames", 80): (
        "its frames became 80 after it was 512; only __init__ () and start () "
        "may change it"
    ),
    ("channels", 1): (
        "its channels became 1 after it was 2; only __init__ () and start () "
        "may change it"
    ),
}


@pytest.mark.parametrize("name, value", IN_PROCESS)
def test_api2_2_2_a_format_that_changes_in_process_is_told(
    run, write, noise, name, value
):
    path = write(CHANGES_IN_PROCESS.format(name, value))

    outcome = run(path, np.split(noise(8 * BLOCK), 8))

    message = outcome.error.message
    assert str(path) in message
    assert IN_PROCESS[name, value] in message
    assert "(line 9)" in message


def test_api2_2_2_it_is_told_once(run, write, noise):
    path = write(CHANGES_IN_PROCESS.format("latency", 240))
    frames = noise(8 * BLOCK)

    outcome = run(path, np.split(frames, 8), on_error="passthrough")

    assert outcome.error is None
    assert [IN_PROCESS["latency", 240] in w[0].message
            for w in outcome.warnings] == [True]


@pytest.mark.parametrize("name, value", [("rate", 8000), ("latency", -1)])
def test_api2_2_2_a_format_that_changes_in_on_change_is_told(
    make_bridge, write, name, value
):
    path = write(
        f"""
        from nda import Int, Processor
        class Late(Processor):
            delay = Int(72, 0, 5000)
            def on_change(self, name):
                self.{name} = {value}
            def process(self, block): pass
        """
    )
    bridge = make_bridge(path)
    block = np.zeros((BLOCK, 2), np.float32)
    bridge.play()
    bridge.push(block)
    bridge.pull()  # it runs: before the start a value is only set

    bridge.element.emit("set-parameter", "delay", "10")
    bridge.push(block)
    bridge.src.emit("end-of-stream")

    message = bridge.wait_for_end().message
    assert str(path) in message and f"its {name} " in message
    assert f"{value}" in message and "(line 6)" in message
