# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What no plugin is to blame for: files, formats and segments."""

import os

import numpy as np
import pytest


def test_missing_file_is_named(run, tmp_path):
    outcome = run(tmp_path / "none.py", [])

    assert f"There is no plugin file “{tmp_path}/none.py”" in (
        outcome.error.message
    )
    assert outcome.error.domain == "gst-resource-error-quark"


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


def test_impossible_caps_are_not_negotiated(gst, write_plugin, make_bridge):
    bridge = make_bridge(write_plugin())
    bridge.set_format(2, rate=44100)
    bridge.play()
    bridge.push(np.zeros((512, 2)))

    message = bridge.wait(gst.MessageType.ERROR)

    assert "not-negotiated" in message.parse_error()[1]


def test_segment_of_another_rate_is_refused(gst, write_plugin, make_bridge):
    bridge = make_bridge(write_plugin())
    pad = bridge.element.get_static_pad("sink")
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


def test_a_plugin_path_that_is_not_there_is_told(run, tmp_path, noise):
    """Whether the plugin is found elsewhere or nowhere."""
    missing = tmp_path / "plug-ins"

    outcome = run("gain", [noise(512)], plugin_path=missing)

    assert outcome.error is None
    (warning,) = outcome.warnings
    assert f"There is no folder “{missing}”, which “plugin-path” names" in (
        warning[0].message
    )

    outcome = run("nosuch", [], plugin_path=f"{missing}:{tmp_path}")

    assert f"in {missing} (there is no such folder), {tmp_path}, " in (
        outcome.error.message
    )
