# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Section 2 of API 2: a class is a plugin, in both isolations."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from second import BLOCK, make_source, write, write_noting  # noqa: F401

ATTRIBUTES = """
from nda import EACH, Analyser, Processor, Sink, Source
class Plugin({base}):
    {attributes}
    {more}
    def {call}(self, block):
        note(self.rate, self.frames, self.channels, list(block.shape))
"""


def make_text(attributes="", more="", base="Processor", call="process"):
    return ATTRIBUTES.format(
        base=base, attributes=attributes, more=more, call=call
    )


def test_api2_2_1_nothing_but_the_call_is_needed(run, write, noise):
    frames = noise(BLOCK)
    path = write(
        """
        import nda
        class Twice(nda.Processor):
            def process(self, block):
                block *= 2
        """
    )

    outcome = run(path, [frames])

    assert outcome.error is None and not outcome.warnings
    assert np.array_equal(outcome.frames, frames * 2)


def test_api2_2_1_without_the_call_it_does_not_load(run, write):
    path = write("from nda import Processor\nclass P(Processor): pass\n")

    outcome = run(path, [])

    assert "its P has no method process () (line 2)" in (
        outcome.error.message
    )


def test_api2_2_1_nda_is_there_when_only_the_host_has_it(
    launch_bridge, write
):
    path = write(
        """
        import sys, nda
        from nda import Float, Processor
        print("NDA IS", nda.__file__, flush=True)
        class P(Processor):
            gain = Float(1, 0, 2)
            def process(self, block): block *= self.gain
        """
    )
    import nda

    result = launch_bridge(path, env={"PYTHONPATH": ""})

    assert result.returncode == 0, result.stderr.decode()
    assert f"NDA IS {nda.__file__}".encode() in result.stderr


def test_api2_2_1_a_base_of_its_own_is_no_candidate(run, write, noise):
    frames = noise(BLOCK)
    path = write(
        """
        from nda import Processor
        class _Base(Processor):
            def process(self, block): block *= self.factor
        class Plugin(_Base):
            factor = 2
        """
    )

    outcome = run(path, [frames])

    assert outcome.error is None
    assert np.array_equal(outcome.frames, frames * 2)


def test_api2_2_1_start_and_stop_come_in_order(
    make_bridge, write_noting, journal
):
    path = write_noting(
        """
        from nda import Processor
        class P(Processor):
            def __init__(self): note("init", self.rate)
            def start(self): note("start", self.rate, self.channels)
            def stop(self): note("stop")
            def process(self, block): note("process")
        """
    )
    line = make_bridge(path)
    line.play()
    line.push(np.zeros((BLOCK, 2)))
    line.pull()
    line.stop()

    assert journal() == [
        ["init", None],
        ["start", 48000, 2],
        ["process"],
        ["stop"],
    ]


def test_api2_2_1_a_start_that_raises_says_why(run, write):
    path = write(
        """
        from nda import Processor
        class P(Processor):
            def start(self):
                raise OSError("no model")
            def process(self, block): pass
        """
    )

    outcome = run(path, [np.zeros((BLOCK, 2))])

    assert (
        f"The plugin “{path}” failed in its start (): OSError: no model "
        f"({path}, line 5)" in outcome.error.message
    )


def test_api2_2_1_a_start_that_returns_false_is_told_to_raise(run, write):
    path = write(
        """
        from nda import Processor
        class P(Processor):
            def start(self): return False
            def process(self, block): pass
        """
    )

    outcome = run(path, [np.zeros((BLOCK, 2))])

    assert "it returned False; it raises to say why" in outcome.error.message


def test_api2_2_2_what_is_not_declared_is_the_stream_s(
    run, write_noting, journal
):
    path = write_noting(make_text())

    outcome = run(path, [np.zeros((BLOCK, 3))], channels=3)

    assert outcome.error is None
    assert journal() == [[48000, BLOCK, 3, [3, BLOCK]]]


SET_IN = {
    "the class": make_text("channels = 1"),
    "__init__": make_text(more="def __init__(self): self.channels = 1"),
    "start": make_text(more="def start(self): self.channels = 1"),
}


@pytest.mark.parametrize("where", SET_IN)
def test_api2_2_2_the_format_may_be_set_in_three_places(
    run, write_noting, journal, where
):
    path = write_noting(SET_IN[where])

    outcome = run(path, [np.zeros((BLOCK, 2))])

    assert outcome.error is None
    assert journal() == [[48000, BLOCK, 1, [1, BLOCK]]]


def test_api2_2_2_what_it_starts_with_is_kept_from_one_start_to_the_next(
    make_bridge, write_noting, journal
):
    path = write_noting(make_text())
    line = make_bridge(path, channels=2)
    for channels in (2, 5):
        line.set_format(channels)
        line.play()
        line.push(np.zeros((BLOCK, channels)))
        line.pull()
        line.pipeline.set_state(line.gst.State.READY)

    assert [noted[2:] for noted in journal()] == [
        [2, [2, BLOCK]],
        [5, [5, BLOCK]],
    ]


WRONG = {
    "rate": ("rate = 'high'", "its rate is 'high', not a whole number from"),
    "rate too low": ("rate = 10", "its rate is 10, not a whole number from"),
    "frames": ("frames = 0.5", "its frames is 0.5, not a whole number from"),
    "frames too many": (
        "frames = 96001",
        "its frames is 96001, not a whole number from 1 to 96000 (line",
    ),
    "channels": ("channels = 3", "it takes 3 channels (line"),
    "channels below": ("channels = -7", "its channels is -7, not a whole"),
    "no channels": ("channels = 0", "its channels is 0, not a whole number"),
    "no frames": ("frames = 0", "its frames is 0, not a whole number from 1"),
    "no rate": ("rate = 0", "its rate is 0, not a whole number from 1001"),
    "latency": ("latency = -1", "its latency is -1, not a whole number"),
    "latency no number": ("latency = None", "its latency is None, not a "),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_api2_2_2_a_wrong_declaration_is_told_with_its_line(
    run, write_noting, wrong
):
    attributes, reason = WRONG[wrong]
    path = write_noting(make_text(attributes))

    outcome = run(path, [np.zeros((BLOCK, 2))])

    line = path.read_text().split("\n").index("    " + attributes) + 1
    assert reason in outcome.error.message
    assert f"(line {line})" in outcome.error.message


EACH_TEXT = """
from nda import EACH, Float, Processor
class Count(Processor):
    channels = EACH
    step = Float(1)
    def start(self):
        note("start", self.channels)
        self.n = 0
    def stop(self): note("stop", self.n)
    def process(self, block):
        assert block.shape == (1, 512) and block.flags.c_contiguous
        self.n += int(block[0, 0])
        block[:] = self.n * self.step
"""


def test_api2_2_3_each_is_an_instance_a_channel(
    make_bridge, write_noting, journal
):
    line = make_bridge(
        write_noting(EACH_TEXT), channels=3, parameters="step=2"
    )
    line.play()
    line.push(np.tile([[1, 10, 100]], (2 * BLOCK, 1)))
    first, second = line.pull()[1], line.pull()[1]
    line.stop()

    assert first[7].tolist() == [2, 20, 200]
    assert second[7].tolist() == [4, 40, 400]
    assert journal() == [["start", 1]] * 3 + [
        ["stop", 2],
        ["stop", 20],
        ["stop", 200],
    ]


def test_api2_2_3_each_sees_a_parameter_and_a_reset(
    make_bridge, write_noting
):
    line = make_bridge(write_noting(EACH_TEXT), channels=2)
    line.play()
    line.push(np.ones((BLOCK, 2)))
    line.pull()
    assert line.element.emit("set-parameter", "step", "5")
    line.push(np.ones((BLOCK, 2)))

    assert np.all(line.pull()[1] == 10)


def test_api2_2_3_each_follows_the_stream(make_bridge, write_noting, journal):
    line = make_bridge(write_noting(EACH_TEXT), channels=4)
    for channels in (4, 1, 3):
        line.set_format(channels)
        line.play()
        line.push(np.ones((BLOCK, channels)))
        assert np.all(line.pull()[1] == 1)
        line.pipeline.set_state(line.gst.State.READY)

    line.stop()

    # the format of the time before comes first, and is changed at once
    called = [name for name, _ in journal()]
    assert called.count("start") == called.count("stop") == 13
    assert journal()[-3:] == [["stop", 1]] * 3


def test_api2_2_3_one_that_does_not_start_stops_the_others(
    run, write_noting, journal
):
    path = write_noting(
        """
        from nda import EACH, Processor
        class P(Processor):
            channels = EACH
            n = 0
            def start(self):
                P.n += 1
                note("start", P.n)
                if P.n == 3:
                    raise OSError("no third")
            def stop(self): note("stop")
            def process(self, block): pass
        """
    )

    outcome = run(path, [np.zeros((BLOCK, 4))], channels=4)

    assert "OSError: no third" in outcome.error.message
    assert journal() == [["start", 1], ["start", 2], ["start", 3]] + [
        ["stop"]
    ] * 2


def test_api2_2_3_each_has_frames_and_a_rate_of_its_own(
    run, write_noting, journal
):
    path = write_noting(
        """
        from nda import EACH, Processor
        class P(Processor):
            rate, frames, channels = 16000, 160, EACH
            def start(self): note("start", self.rate, self.frames)
            def process(self, block): note(list(block.shape))
        """
    )
    frames = np.zeros((4800, 3), np.float32)

    outcome = run(path, [frames], channels=3)

    assert outcome.error is None
    assert outcome.frames.shape == frames.shape
    calls = journal()
    assert calls[:3] == [["start", 16000, 160]] * 3
    assert len(calls[3:]) % 3 == 0 and len(calls[3:]) >= 3 * 10
    assert all(call == [[1, 160]] for call in calls[3:])


@pytest.mark.parametrize("n_frames", [480, 96000])
def test_api2_2_2_long_calls_cross_in_one_piece(run, write, noise, n_frames):
    path = write(
        f"""
        from nda import Processor
        class P(Processor):
            frames = {n_frames}
            def process(self, block):
                assert block.shape == (4, {n_frames})
                return block * 0.5
        """
    )
    frames = noise(2 * n_frames + 7, 4)

    outcome = run(path, [frames], channels=4)

    assert outcome.error is None
    assert np.array_equal(outcome.frames, frames * np.float32(0.5))


def test_api2_2_2_an_analyser_hears_16_khz_and_leaves_the_sound(
    run, write_noting, journal, noise
):
    path = write_noting(
        """
        from nda import Analyser
        class A(Analyser):
            rate, frames, channels = 16000, 512, 1
            def analyse(self, block):
                note(list(block.shape))
                block[:] = 0
        """
    )
    frames = noise(48000)

    outcome = run(path, [frames])

    assert outcome.error is None
    assert np.array_equal(outcome.frames, frames)
    assert journal().count([[1, 512]]) == len(journal()) >= 16000 // 512


def test_api2_2_4_two_elements_share_no_globals(gst, write, isolation):
    path = write(
        """
        n = 0
        def process(block):
            global n
            n += 1
            block[:] = n
        """
    )
    py = f"ndapybridge plugin={path} isolation={isolation}"
    pipeline = gst.parse_launch(
        "audiotestsrc num-buffers=3 samplesperbuffer=512 ! audio/x-raw,"
        f"rate=48000,channels=1,format=F32LE ! {py} ! {py} ! "
        "appsink name=sink sync=false"
    )
    from lines import read_sample

    sink = pipeline.get_by_name("sink")
    pipeline.set_state(gst.State.PLAYING)
    levels = []
    while (one := read_sample(sink.emit("pull-sample"))) is not None:
        levels.append(one[1][0, 0])
    pipeline.set_state(gst.State.NULL)

    assert levels == [1, 2, 3]


def test_api2_2_4_a_reload_makes_another_instance(
    make_bridge, write_noting, journal
):
    path = write_noting(
        """
        from nda import Float, Processor
        class P(Processor):
            gain = Float(1, 0, 9)
            def __init__(self): note("init")
            def process(self, block): block[:] = self.gain + 0
        """
    )
    line = make_bridge(path, parameters="gain=3")
    line.play()
    line.push(np.zeros((BLOCK, 2)))
    assert np.all(line.pull()[1] == 3)
    path.write_text(path.read_text().replace("+ 0", "+ 10"))
    assert line.element.emit("reload")
    line.push(np.zeros((BLOCK, 2)))

    assert np.all(line.pull()[1] == 13)
    assert journal() == [["init"]] * 2


def test_api2_2_4_a_picked_class_is_picked_again_when_reloaded(
    make_bridge, write
):
    path = write(
        """
        def process(block): block[:] = 1
        def other(block): block[:] = 2
        """
    )
    line = make_bridge(f"{path}:other")
    line.play()
    path.write_text(path.read_text().replace("= 2", "= 3"))
    assert line.element.emit("reload")
    line.push(np.zeros((BLOCK, 2)))

    assert np.all(line.pull()[1] == 3)


def test_api2_10_2_a_plugin_that_exits_ends_no_process(run, write, noise):
    outcome = run(
        write("import sys\ndef process(block):\n    sys.exit(3)\n"),
        [noise(BLOCK)],
    )

    assert "SystemExit: 3" in outcome.error.message


def test_api2_a_plugin_is_found_by_its_name(launch_bridge, write, tmp_path):
    write("raise AssertionError('this one is not run')\n", name="another")
    write("def process(block): pass\n", name="mine")

    result = launch_bridge("mine", env={"NDA_PLUGIN_PATH": str(tmp_path)})

    assert result.returncode == 0, result.stderr.decode()


def test_api2_12_2_the_names_of_plugins_are_told_without_running_them(
    launch_bridge, write, tmp_path
):
    write(
        f"""
        open({str(tmp_path / "ran")!r}, "w")
        from nda import Processor
        class P(Processor):
            def process(self, block): pass
        """,
        name="mine",
    )

    result = launch_bridge("Nobody", env={"NDA_PLUGIN_PATH": str(tmp_path)})

    assert b"mine (\xe2\x80\x9cmine\xe2\x80\x9d)" in result.stderr
    assert not (tmp_path / "ran").exists()


def test_api2_2_1_the_package_is_typed_and_told():
    import nda
    import nda.parameters
    import nda.roles

    folder = os.path.dirname(nda.__file__)
    assert os.path.exists(os.path.join(folder, "py.typed"))
    for name in ("Processor", "Analyser", "Source", "Sink"):
        assert getattr(nda, name).__doc__
        assert getattr(nda, name).start.__doc__
    for name in ("Float", "Int", "Bool", "Text", "Choice", "Secret"):
        assert getattr(nda, name).__doc__


def shown():
    """The plugins that the page on plugins shows."""
    page = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```", page.read_text())
    return [b for b in blocks if re.search(r"def (process|read|write) ?\(", b)]


@pytest.mark.parametrize("index", range(len(shown())))
def test_api2_a_plugin_that_the_page_shows_is_whole(
    run, make_source, write, noise, index
):
    text = shown()[index]
    path = write(text)
    if "def read" in text:
        line = make_source(path, num_buffers=4)
        line.play()
        assert len(line.pull_all()) == 4 * BLOCK
        return

    outcome = run(path, [noise(20 * BLOCK)])

    assert outcome.error is None and not outcome.warnings
    assert len(outcome.frames) == 20 * BLOCK


def test_there_are_plugins_on_the_page():
    assert len(shown()) >= 5


def test_api2_2_1_the_package_needs_no_numpy():
    import nda

    code = "import sys, nda; print('numpy' in sys.modules)"
    result = subprocess.run(
        ["/usr/bin/python3", "-c", code],
        env={"PYTHONPATH": os.path.dirname(os.path.dirname(nda.__file__))},
        capture_output=True,
        text=True,
    )

    assert result.stdout == "False\n", result.stderr
