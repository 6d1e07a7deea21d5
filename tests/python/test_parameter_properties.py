# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a plugin declares are properties of the element's child `plugin`."""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

BLOCK = 512
N_CHANGES_A_BLOCK = 11
N_BLOCKS = 94  # a second

# Each half of a block says what its parameter is then.
LEVEL = '''
"""Puts out its level."""
from nda import Bool, Choice, Float, Int, Processor, Secret, Text


class Level(Processor):
    level = Float(0.5, -1, 1, unit="FS", help="what each sample becomes")
    order = Int(2, 1, 8)
    soft = Bool(True)
    mode = Choice("one", ["one", "two three"])
    long_text = Text("a, b", help="words")
    name = Text("x")
    token = Secret(help="what the service wants")

    def process(self, block):
        block[:, :256] = self.level
        block[:, 256:] = self.level
'''

SOURCE = '''
"""A source that gives its level."""
import numpy as np
from nda import Float, Source


class Level(Source):
    channels = 1
    level = Float(0.5, -1, 1)

    def read(self, block):
        block[:] = self.level
'''


SINK = '''
"""A sink that notes its level."""
import os
from nda import Float, Sink


class Level(Sink):
    channels = 1
    level = Float(0.5, -1, 1)

    def write(self, block):
        with open(os.environ["NDA_TEST_NOTES"], "a") as notes:
            notes.write(f"{self.level!r} ")
'''


@pytest.fixture
def level_plugin(write_plugin):
    return write_plugin(LEVEL, base="")


@pytest.fixture
def make_level(make_bridge, level_plugin):
    return lambda **props: make_bridge(level_plugin, **props)


def child_of(line):
    return line.element.get_child_by_name("plugin")


def level_of(line):
    """What one block becomes, which is one level from end to end."""
    line.push(np.zeros((BLOCK, 2)))
    frames = line.pull()[1]
    assert len(frames) == BLOCK
    assert (frames == frames[0, 0]).all(), "a torn call"
    return float(frames[0, 0])


def warnings_of(gst, line):
    texts = []
    bus = line.pipeline.get_bus()
    while (m := bus.pop_filtered(gst.MessageType.WARNING)) is not None:
        texts.append(m.parse_warning()[0].message)
    return texts


# --- what they are -----------------------------------------------------------


def test_each_has_its_type_range_default_and_unit(make_level):
    child = child_of(make_level())
    specs = {spec.name: spec for spec in child.list_properties()}

    level, order = specs["level"], specs["order"]
    assert level.value_type.name == "gdouble"
    assert (level.minimum, level.maximum, level.default_value) == (-1, 1, 0.5)
    assert level.blurb == "what each sample becomes (in FS)"
    assert order.value_type.name == "gint"
    assert (order.minimum, order.maximum, order.default_value) == (1, 8, 2)
    assert specs["soft"].value_type.name == "gboolean"
    assert specs["long-text"].value_type.name == "gchararray"
    assert child.props.long_text == "a, b"
    assert child.props.mode.value_nick == "one"
    assert child.props.level == 0.5 and child.props.soft


def test_they_can_be_controlled_and_changed_while_playing(gst, make_level):
    child = child_of(make_level())
    for name in ("level", "order", "soft", "mode"):
        flags = child.find_property(name).flags
        assert int(flags) & gst.PARAM_CONTROLLABLE, name
        assert int(flags) & gst.PARAM_MUTABLE_PLAYING, name


def test_a_name_that_each_object_has_gets_another(make_level):
    child = child_of(make_level())

    assert child.props.name == "plugin"
    assert child.props.parameter_name == "x"


def test_two_elements_with_one_plugin_have_one_type(make_level):
    first, second = child_of(make_level()), child_of(make_level())
    first.props.level = 0.25

    assert first.__gtype__ == second.__gtype__
    assert second.props.level == 0.5


# --- when they are there -----------------------------------------------------


def test_a_value_set_in_null_is_there_from_the_first_block(make_level):
    line = make_level()
    child = child_of(line)
    child.props.level = -0.25
    line.play()

    assert level_of(line) == -0.25
    assert child_of(line) is child
    line.stop()
    assert child.props.level == -0.25


def test_gst_child_proxy_set_works_right_after_the_plugin_is_named(
    gst, make_level
):
    line = make_level()
    ok, target, spec = gst.ChildProxy.lookup(line.element, "plugin::level")
    assert ok and spec.name == "level"
    gst.ChildProxy.set_property(line.element, "plugin::level", 0.75)
    line.play()

    assert level_of(line) == 0.75
    assert line.element.get_children_count() == 1
    assert line.element.get_child_by_index(0) is target


def test_another_plugin_has_another_child(make_level, write_plugin):
    line = make_level()
    before = child_of(line)
    before.props.level = 0.25
    other = write_plugin(
        '"""Half."""\ndef process(block, *, gain: float = 0.5):\n'
        "    block *= gain\n",
        name="other",
        base="",
    )
    line.element.set_property("plugin", str(other))

    child = child_of(line)
    assert child is not before
    assert child.props.gain == 0.5
    assert child.find_property("level") is None
    assert before.get_parent() is None


def test_a_plugin_that_is_broken_has_no_child(gst, make_bridge, write_plugin):
    line = make_bridge(write_plugin("def process(block) x", base=""))

    assert child_of(line) is None
    assert line.element.get_children_count() == 0
    assert line.play() == gst.StateChangeReturn.FAILURE


def test_api_1_has_a_child_without_properties(make_bridge, write_plugin):
    line = make_bridge(
        write_plugin(
            "def set_parameter(self, key, value): self.value = value\n"
            "def process_audio(self, buffer):\n"
            "    buffer.data[:] = float(self.value)\n"
            "    return True\n"
            "Plugin.set_parameter = set_parameter\n"
            "Plugin.process_audio = process_audio\n"
        ),
        parameters="anything=0.25",
    )
    assert child_of(line) is None  # asking it would open its device
    line.play()

    names = [spec.name for spec in child_of(line).list_properties()]
    assert sorted(names) == ["name", "parent"]
    assert level_of(line) == 0.25
    line.element.emit("set-parameter", "anything", "0.5")
    assert level_of(line) == 0.5


def test_describe_is_the_same_in_null_and_ready(gst, make_level):
    line = make_level()
    in_null = line.element.emit("describe")
    line.element.set_state(gst.State.READY)

    assert in_null == line.element.emit("describe")
    assert "[parameter level]" in in_null and "role=processor" in in_null


def test_describe_tells_why_a_plugin_does_not_say(gst, write_plugin):
    element = gst.ElementFactory.make("ndapybridge")
    element.set_bus(gst.Bus.new())
    path = write_plugin("def process(block) x", base="")
    element.set_property("plugin", str(path))

    assert element.emit("describe") is None

    message = element.get_bus().pop_filtered(gst.MessageType.ERROR)
    assert str(path) in message.parse_error()[0].message


@pytest.mark.parametrize(
    "words",
    [
        "plugin={} plugin::level=-0.5",
        "plugin::level=-0.5 plugin={}",
        "parameters=level=0.1 plugin={} plugin::level=-0.5",
    ],
    ids=["behind", "before", "behind-text"],
)
def test_gst_launch_sets_them(words, level_plugin, isolation, tmp_path):
    out = tmp_path / "out"
    where = f"isolation={isolation}"
    subprocess.run(
        ["gst-launch-1.0", "-q"]
        + "audiotestsrc num-buffers=3 samplesperbuffer=512 !"
        " audio/x-raw,format=F32LE,rate=48000,channels=1 !"
        f" ndapybridge {where} {words.format(level_plugin)} !"
        f" filesink location={out}".split(),
        check=True,
        timeout=120,
    )

    assert (np.fromfile(out, np.float32) == -0.5).all()
    assert out.stat().st_size == 3 * BLOCK * 4


# --- what fits, and what does not --------------------------------------------

WAYS = {
    "property": lambda line, text: setattr(
        child_of(line).props, "level", float(text)
    ),
    "set-parameter": lambda line, text: line.element.emit(
        "set-parameter", "level", text
    ),
    "parameters": lambda line, text: line.element.set_property(
        "parameters", f"level={text}"
    ),
    "child-proxy": lambda line, text: line.gst.ChildProxy.set_property(
        line.element, "plugin::level", float(text)
    ),
}


@pytest.fixture(params=WAYS)
def set_level(request):
    return WAYS[request.param]


def test_each_way_sets_the_same_value_and_notifies_once(make_level, set_level):
    line = make_level()
    line.play()
    child, notified = child_of(line), []
    child.connect(
        "notify", lambda c, spec: notified.append((spec.name, c.props.level))
    )

    set_level(line, "0.25")
    set_level(line, "0.25")

    assert child.props.level == 0.25
    assert level_of(line) == 0.25
    assert line.element.emit("get-parameter", "level") == "0.25"
    assert notified == [("level", 0.25)]


def test_a_value_out_of_range_is_refused_with_its_range(
    gst, make_level, set_level
):
    line = make_level()
    line.play()
    child, notified = child_of(line), []
    child.connect("notify", lambda *_: notified.append(1))
    child.props.level = 0.25

    set_level(line, "1.5")

    assert child.props.level == 0.25
    assert level_of(line) == 0.25
    assert line.element.emit("get-parameter", "level") == "0.25"
    assert len(notified) == 1
    [text] = warnings_of(gst, line)
    assert "level" in text and "1.5" in text
    assert "from -1 to 1 FS" in text


def test_a_value_refused_in_null_is_told_when_it_can_be_heard(
    gst, make_level, set_level
):
    line = make_level()
    child_of(line)
    if set_level is not WAYS["set-parameter"]:  # which needs a plugin
        set_level(line, "-7")
    else:
        assert set_level(line, "-7") is False
        child_of(line).props.level = -7
    line.play()

    [text] = warnings_of(gst, line)
    assert "-7" in text and "from -1 to 1 FS" in text
    assert level_of(line) == 0.5


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("level", "loud", "a number from -1 to 1 FS"),
        ("level", "nan", "a number from -1 to 1 FS"),
        ("order", "2.5", "a whole number from 1 to 8"),
        ("soft", "perhaps", "true or false"),
        ("mode", "three", "one of one, two three"),
        ("levl", "1", "no such parameter, but these: level, order"),
    ],
)
def test_text_of_another_type_is_refused(gst, make_level, key, text, said):
    line = make_level()
    line.play()

    assert line.element.emit("set-parameter", key, text) is False

    [warning] = warnings_of(gst, line)
    assert key in warning and said in warning


def test_a_secret_is_write_only_and_told_nowhere(gst, make_level):
    line = make_level()
    line.play()
    child = child_of(line)
    child.props.token = "s3cret"

    with pytest.raises(TypeError):
        child.props.token
    assert "s3cret" not in line.element.emit("get-parameter", "token")
    assert "s3cret" not in str(line.element.get_property("parameters"))
    assert warnings_of(gst, line) == []
    names = line.element.get_property_names()  # of presets
    assert "plugin::level" in names and "plugin::token" not in names


# --- while playing -----------------------------------------------------------


def test_1000_changes_a_second_from_another_thread(make_level):
    line = make_level()
    line.play()
    child = child_of(line)
    n = N_CHANGES_A_BLOCK * N_BLOCKS
    allowed, n_set = threading.Semaphore(0), 0

    def change():
        nonlocal n_set
        for i in range(n):
            allowed.acquire()
            child.props.level = (i + 1) / n
            n_set = i + 1

    setter = threading.Thread(target=change)
    setter.start()
    before = 0.5 / n
    for _ in range(N_BLOCKS):
        allowed.release(N_CHANGES_A_BLOCK)
        n_before = n_set
        level = level_of(line) if n_before else 0.0
        n_in_block = round(level * n)
        assert n_in_block >= n_before, "a late change"
        assert not n_before or level >= before, "an older value"
        before = max(before, level)
    setter.join()

    assert n >= 1000
    assert level_of(line) == 1.0
    assert child.props.level == 1.0
    assert line.get_stat("num-failures") == 0


def control_linearly(child, gst):
    """The level goes from 0 to 1 in a second of the stream."""
    import gi

    gi.require_version("GstController", "1.0")
    from gi.repository import GstController

    source = GstController.InterpolationControlSource(
        mode=GstController.InterpolationMode.LINEAR
    )
    source.set(0, 0.0)
    source.set(gst.SECOND, 1.0)
    assert child.add_control_binding(
        GstController.DirectControlBinding.new_absolute(child, "level", source)
    )
    return source


def test_a_controller_sets_each_block_at_its_time(gst, make_level):
    line = make_level(max_blocks=64)
    source = control_linearly(child_of(line), gst)
    line.play()
    for _ in range(N_BLOCKS):
        line.push(np.zeros((BLOCK, 2)))
    line.src.emit("end-of-stream")

    levels = []
    for _ in range(N_BLOCKS):
        buffer, frames = line.pull()
        assert (frames == frames[0, 0]).all(), "a torn call"
        levels.append(frames[0, 0])
        wanted = source.control_source_get_value(buffer.pts)[1]
        assert frames[0, 0] == np.float32(wanted), "a late change"
    assert len(set(levels)) == N_BLOCKS


def test_1000_changes_a_second_by_a_controller(gst, make_level):
    line = make_level(max_blocks=64)
    source = control_linearly(child_of(line), gst)
    source.unset_all()
    levels = np.random.default_rng(1).uniform(0, 1, 1000)
    for n, level in enumerate(levels):
        source.set(n * gst.MSECOND, level)
    source.props.mode = 0  # each value until the next one
    line.play()
    for _ in range(90):
        line.push(np.zeros((BLOCK, 2)))
    line.src.emit("end-of-stream")

    for _ in range(90):
        buffer, frames = line.pull()
        assert (frames == frames[0, 0]).all(), "a torn call"
        wanted = levels[buffer.pts // gst.MSECOND]
        assert frames[0, 0] == np.float32(wanted), "another change"
    assert line.get_stat("num-failures") == 0


def test_a_controller_out_of_range_is_told_once_not_each_block(
    gst, make_level
):
    line = make_level()
    source = control_linearly(child_of(line), gst)
    source.unset_all()
    source.set(0, 2.0)
    source.set(gst.SECOND, 3.0)
    line.play()

    assert [level_of(line) for _ in range(8)] == [0.5] * 8

    texts = warnings_of(gst, line)
    assert 1 <= len(texts) < 8
    assert "from -1 to 1 FS" in texts[0]


def test_a_controller_works_on_a_source(gst, make_line, write_plugin):
    line = make_line(
        "ndapysrc name=py is-live=false num-buffers=40 ! "
        "audio/x-raw,channels=1 ! appsink name=sink sync=false",
        write_plugin(SOURCE, base=""),
    )
    source = control_linearly(child_of(line), gst)
    line.play()

    for _ in range(40):
        buffer, frames = line.pull()
        wanted = source.control_source_get_value(buffer.pts)[1]
        assert (frames == np.float32(wanted)).all()


def test_a_controller_works_on_a_sink(
    gst, make_line, write_plugin, tmp_path, monkeypatch
):
    notes = tmp_path / "notes"
    monkeypatch.setenv("NDA_TEST_NOTES", str(notes))
    line = make_line(
        "audiotestsrc num-buffers=20 samplesperbuffer=512 ! "
        "audio/x-raw,format=F32LE,rate=48000,channels=1 ! "
        "ndapysink name=py sync=false",
        write_plugin(SINK, base=""),
    )
    source = control_linearly(child_of(line), gst)
    line.play()
    assert line.wait(gst.MessageType.EOS | gst.MessageType.ERROR).type == (
        gst.MessageType.EOS
    )
    line.stop()

    levels = [float(text) for text in notes.read_text().split()]
    wanted = [
        source.control_source_get_value(n * BLOCK * gst.SECOND // 48000)[1]
        for n in range(20)
    ]
    assert levels == pytest.approx(wanted, abs=1e-12)


# --- an edited plugin --------------------------------------------------------


def test_an_edited_plugin_that_declares_more_gets_another_child(
    make_level, write_plugin
):
    line = make_level()
    line.play()
    before, told = child_of(line), []
    before.props.level = 0.25
    line.element.connect("child-removed", lambda *a: told.append("removed"))
    line.element.connect("child-added", lambda *a: told.append("added"))
    write_plugin(
        LEVEL.replace("    order =", "    extra = Float(3)\n    order ="),
        base="",
    )

    assert line.element.emit("reload")
    assert level_of(line) == 0.25  # a thread's plugin is exchanged here
    child = child_of(line)

    assert told == ["removed", "added"]
    assert child.props.extra == 3 and child.props.level == 0.25
    child.props.level = -0.5
    assert level_of(line) == -0.5


def test_an_edited_plugin_that_declares_the_same_keeps_its_child(
    make_level, write_plugin
):
    line = make_level()
    line.play()
    child = child_of(line)
    child.props.level = 0.25
    write_plugin(LEVEL + "        block *= 2\n", base="")

    assert line.element.emit("reload")

    assert level_of(line) == 0.5
    assert child_of(line) is child


# --- presets -----------------------------------------------------------------


def test_presets_keep_what_is_no_secret(level_plugin, tmp_path, isolation):
    program = textwrap.dedent(
        f"""
        import gi
        gi.require_version("Gst", "1.0")
        from gi.repository import Gst
        Gst.init(None)
        def make():
            element = Gst.ElementFactory.make("ndapybridge")
            Gst.util_set_object_arg(element, "isolation", "{isolation}")
            return element
        one, other = make(), make()
        one.props.plugin = {str(level_plugin)!r}
        one.props.parameters = "token=in-the-text"
        child = one.get_child_by_name("plugin")
        child.props.level, child.props.token = 0.25, "s3cret"
        child.props.mode = "two three"
        assert one.save_preset("mine")
        assert other.load_preset("mine")
        child = other.get_child_by_name("plugin")
        assert other.props.plugin == one.props.plugin
        assert child.props.level == 0.25
        assert child.props.mode.value_nick == "two three"
        """
    )
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        timeout=120,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
    )

    [kept] = (tmp_path / "gstreamer-1.0" / "presets").glob("*.prs")
    text = kept.read_text()
    assert "plugin::level=0.25" in text
    assert "s3cret" not in text and "in-the-text" not in text
