# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each failure of a plugin ends in an error or a policy of its own."""

import os

import numpy as np
import pytest

BLOCK = 512


def blocks(noise, n_blocks=8):
    return np.split(noise(BLOCK * n_blocks), n_blocks)


def domain_of(error):
    return error.domain.replace("gst-", "").replace("-error-quark", "")


def test_missing_file_is_named(run, tmp_path):
    outcome = run(tmp_path / "none.py", [])

    assert f"There is no plugin file “{tmp_path}/none.py”" in (
        outcome.error.message
    )
    assert domain_of(outcome.error) == "resource"


def test_unknown_stem_says_where_it_was_looked_for(run, tmp_path):
    outcome = run("nosuch", [], plugin_path=tmp_path)

    assert "There is no plugin “nosuch”" in outcome.error.message
    assert str(tmp_path) in outcome.error.message


def test_no_plugin_says_which_property(run):
    outcome = run("", [])

    assert "Set the element's property “plugin”" in outcome.error.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads any file")
def test_unreadable_file_is_named(run, write_plugin):
    path = write_plugin()
    path.chmod(0)

    outcome = run(path, [])

    assert f"The plugin file “{path}” cannot be read" in outcome.error.message


def test_folder_in_the_place_of_a_file_is_named(run, tmp_path):
    (tmp_path / "folder.py").mkdir()

    outcome = run(tmp_path / "folder.py", [])

    assert f"“{tmp_path}/folder.py” cannot be read" in outcome.error.message


LOAD_FAILURES = {
    "syntax error": ("def create_plugin(:\n", ["SyntaxError", "line 1"]),
    "import error": (
        "\nimport no_such_module\n",
        ["ModuleNotFoundError", "no_such_module", "line 2"],
    ),
    "no create_plugin": ("x = 1\n", ["it has no function create_plugin ()"]),
    "create_plugin not callable": (
        "create_plugin = 3\n",
        ["it has no function create_plugin ()"],
    ),
    "create_plugin returns None": (
        "def create_plugin(): pass\n",
        ["its create_plugin () returned None"],
    ),
    "create_plugin raises": (
        "def create_plugin():\n    raise OSError('no card')\n",
        ["OSError: no card", "line 2"],
    ),
    "abstract method missing": (
        "from base_plugin import AudioProcessorPlugin\n"
        "class P(AudioProcessorPlugin): pass\n"
        "create_plugin = P\n",
        ["TypeError", "abstract"],
    ),
    "sys.exit at import": ("import sys\nsys.exit(3)\n", ["SystemExit: 3"]),
    "not text": ("\x00", ["cannot be loaded"]),
}


@pytest.mark.parametrize("failure", LOAD_FAILURES)
def test_load_failure_names_file_line_and_reason(run, write_plugin, failure):
    text, reasons = LOAD_FAILURES[failure]
    path = write_plugin(text, base="")

    outcome = run(path, [])

    assert f"The plugin “{path}” cannot be loaded" in outcome.error.message
    for reason in reasons:
        assert reason in outcome.error.message
    assert "\n" not in outcome.error.message


def test_load_failure_carries_the_traceback(run, write_plugin):
    path = write_plugin("import no_such_module\n", base="")

    outcome = run(path, [])

    assert "Traceback (most recent call last)" in outcome.debug
    assert f'File "{path}", line 1' in outcome.debug


def test_wrong_role_is_named(run, write_plugin):
    path = write_plugin(
        """
        Plugin.get_info = lambda self: PluginInfo(
            "Test", "1", "nda", "", PluginType.AUDIO_SOURCE)
        """
    )

    outcome = run(path, [])

    assert "is of the type “AudioSource”" in outcome.error.message
    assert "“Processor”" in outcome.error.message


@pytest.mark.parametrize("method", ["initialize", "start"])
def test_refusal_names_the_method(run, write_plugin, noise, method):
    path = write_plugin(f"Plugin.{method} = lambda self: False")

    outcome = run(path, blocks(noise))

    assert f"The plugin “{path}” refused" in outcome.error.message
    assert f"its {method} () did not return True" in outcome.error.message
    assert domain_of(outcome.error) == "library"
    assert outcome.blocks == []


@pytest.mark.parametrize("method", ["initialize", "start"])
def test_raise_names_method_and_line(run, write_plugin, noise, method):
    path = write_plugin(
        f"""
        def fail(self):
            raise RuntimeError("no device")
        Plugin.{method} = fail
        """
    )

    outcome = run(path, blocks(noise))

    assert f"failed in its {method} ()" in outcome.error.message
    assert "RuntimeError: no device" in outcome.error.message
    assert "Traceback" in outcome.debug


FAIL_AT_FOURTH = """
def process_audio(self, buffer):
    self.n_blocks += 1
    if self.n_blocks != 4:
        return True
    buffer.data[:] = 7
    {failure}
Plugin.process_audio = process_audio
"""

BLOCK_FAILURES = {
    "raise ValueError('bad block')": "ValueError: bad block",
    "import sys; sys.exit(1)": "SystemExit: 1",
    "raise KeyboardInterrupt()": "KeyboardInterrupt",
    "return False": "returned False",
    "return None": "returned False",
    "return np.bool_(False)": "returned False",
    "return np.zeros(2)": "ValueError: The truth value of an array",
    "buffer.data = np.zeros((2, 3)); return True": (
        "it bound an array of shape (2, 3) to buffer.data, but the block has "
        "shape (2, 512)"
    ),
    "buffer.data = None; return True": "it bound an array of shape ()",
    "del buffer.data; return True": "AttributeError",
    "buffer.data = np.zeros((2, 512), dtype=complex); return True": (
        "TypeError"
    ),
}


@pytest.mark.parametrize("failure", BLOCK_FAILURES)
def test_failed_block_stops_the_stream(run, write_plugin, noise, failure):
    path = write_plugin(FAIL_AT_FOURTH.format(failure=failure))
    pushed = blocks(noise)

    outcome = run(path, pushed)

    assert f"The plugin “{path}” failed: " in outcome.error.message
    assert BLOCK_FAILURES[failure] in outcome.error.message
    assert domain_of(outcome.error) == "library"
    # what came before it came out, and nothing of it
    assert np.array_equal(outcome.frames, np.concatenate(pushed[:3]))
    assert outcome.stats.get_value("num-failures") == 1


@pytest.mark.parametrize("failure", BLOCK_FAILURES)
def test_failed_block_is_silenced(gst, run, write_plugin, noise, failure):
    path = write_plugin(FAIL_AT_FOURTH.format(failure=failure))
    pushed = blocks(noise)

    outcome = run(path, pushed, on_error="silence")

    pushed[3] = np.zeros_like(pushed[3])
    assert outcome.error is None
    assert np.array_equal(outcome.frames, np.concatenate(pushed))
    assert outcome.buffers[3].has_flags(gst.BufferFlags.GAP)
    assert outcome.stats.get_value("num-failures") == 1
    assert len(outcome.warnings) == 1
    assert "Silence took the place" in outcome.warnings[0][0].message


@pytest.mark.parametrize("failure", BLOCK_FAILURES)
def test_failed_block_passes_unchanged(run, write_plugin, noise, failure):
    path = write_plugin(FAIL_AT_FOURTH.format(failure=failure))
    pushed = blocks(noise)

    outcome = run(path, pushed, on_error="passthrough")

    assert outcome.error is None
    assert np.array_equal(outcome.frames, np.concatenate(pushed))
    assert outcome.stats.get_value("num-failures") == 1
    assert "passed unchanged" in outcome.warnings[0][0].message


def test_burst_of_failures_is_reported_once(run, write_plugin, noise):
    path = write_plugin("Plugin.process_audio = lambda self, buffer: False")

    outcome = run(path, blocks(noise, 30), on_error="silence")

    assert outcome.stats.get_value("num-failures") == 30
    assert len(outcome.warnings) == 1


def test_raising_parameter_is_a_warning(run, write_plugin, noise):
    path = write_plugin(
        """
        def set_parameter(self, key, value):
            raise ValueError("not a number")
        Plugin.set_parameter = set_parameter
        """
    )

    outcome = run(path, blocks(noise), parameters="gain=x")

    assert outcome.error is None
    assert len(outcome.blocks) == 8
    assert "did not take the parameter gain" in (
        outcome.warnings[0][0].message
    )
    assert "ValueError: not a number" in outcome.warnings[0][0].message


def test_refused_parameter_is_a_warning(run, write_plugin, noise):
    path = write_plugin(
        "Plugin.set_parameter = lambda self, key, value: False"
    )

    outcome = run(path, blocks(noise), parameters="gain=x")

    assert "it returned False" in outcome.warnings[0][0].message


def test_secret_of_a_parameter_is_not_told(run, write_plugin, noise):
    path = write_plugin(
        """
        def set_parameter(self, key, value):
            raise ValueError("cannot use " + value)
        Plugin.set_parameter = set_parameter
        """
    )

    outcome = run(path, blocks(noise), parameters="key=abc123")

    error, debug = outcome.warnings[0]
    assert "ValueError" in error.message
    assert "abc123" not in error.message + debug


def test_secret_parameter_cannot_be_read_back(make_bridge, write_plugin):
    bridge = make_bridge(
        write_plugin(), parameters='gain=0.5,Key=abc123,x="a,b",passphrase="c"'
    )

    shown = bridge.bridge.get_property("parameters")

    assert shown == 'gain=0.5,Key=***,x="a,b",passphrase=***'


@pytest.mark.parametrize("text", ['key="abc123', 'key="abc123"x', "key=a,b"])
def test_malformed_secret_is_not_told(run, make_bridge, write_plugin, text):
    path = write_plugin()

    outcome = run(path, [], parameters=text)
    shown = make_bridge(path, parameters=text).bridge.get_property(
        "parameters"
    )

    assert "abc123" not in outcome.error.message + outcome.debug + shown
    assert shown.endswith("***")


@pytest.mark.parametrize(
    "text, reason",
    [
        ("gain", "are not of the form key=value,key=value"),
        ("=1", "are not of the form key=value,key=value"),
        ('name="a', "has no closing quote"),
        ('name="a"b', "a comma must follow"),
    ],
)
def test_malformed_parameters_are_refused(run, write_plugin, text, reason):
    outcome = run(write_plugin(), [], parameters=text)

    assert reason in outcome.error.message


def test_impossible_caps_are_not_negotiated(gst, write_plugin, make_bridge):
    bridge = make_bridge(write_plugin())
    bridge.set_format(2, rate=44100)
    bridge.play()
    bridge.push(np.zeros((512, 2)))

    message = bridge.wait(gst.MessageType.ERROR)

    assert "not-negotiated" in message.parse_error()[1]


def test_segment_of_another_rate_is_refused(gst, write_plugin, make_bridge):
    bridge = make_bridge(write_plugin())
    pad = bridge.bridge.get_static_pad("sink")
    bridge.play()
    bridge.push(np.zeros((512, 2)))
    bridge.pull()
    segment = gst.Segment()
    segment.init(gst.Format.TIME)
    segment.rate = 2.0

    assert not pad.send_event(gst.Event.new_segment(segment))

    message = bridge.wait(gst.MessageType.ERROR)
    assert "at the rate 2" in message.parse_error()[0].message


def test_half_a_frame_is_refused(gst, write_plugin, make_bridge):
    bridge = make_bridge(write_plugin())
    bridge.play()
    bridge.src.emit("push-buffer", gst.Buffer.new_wrapped(b"x" * 4097))

    message = bridge.wait(gst.MessageType.ERROR)

    assert "4097" in message.parse_error()[0].message


def test_bridge_recovers_after_a_failure(gst, write_plugin, make_bridge):
    path = write_plugin("Plugin.process_audio = lambda self, buffer: False")
    bridge = make_bridge(path)
    bridge.play()
    bridge.push(np.ones((512, 2)))
    assert bridge.wait(gst.MessageType.ERROR)
    bridge.stop()
    path.write_text(path.read_text() + "\nPlugin.process_audio = "
                    "lambda self, buffer: True\n")

    bridge.play()
    bridge.push(np.ones((512, 2)))

    assert np.array_equal(bridge.pull()[1], np.ones((512, 2)))
