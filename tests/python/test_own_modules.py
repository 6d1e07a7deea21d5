# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Modules beside a plugin are its own: no plugin changes another's."""

import numpy as np
import pytest

BLOCK = 512

# Sets every sample to what its helper says
USES_HELPER = """
import pickle
import helper

class Thing: pass

def process_audio(self, buffer):
    buffer.data += helper.LEVEL
    return True
def get_parameter(self, key):
    if key == "pickle":
        names = [pickle.loads(pickle.dumps(thing)).__class__.__name__
                 for thing in (self, Thing(), helper.Kind())]
        return " ".join(names)
    import helper as late
    return f"{late.LEVEL} {late.package.sub.LEVEL} {late is helper}"
Plugin.process_audio = process_audio
Plugin.get_parameter = get_parameter
"""
HELPER = """
from __future__ import annotations
import dataclasses
import package.sub
from package import sub

LEVEL = {level}

@dataclasses.dataclass
class Kind:
    level: int = LEVEL
"""


@pytest.fixture
def make_folder(tmp_path, write_plugin):
    """A folder with a plugin `effect` and modules beside it."""

    def make(name, level, text=""):
        folder = tmp_path / name
        (folder / "package").mkdir(parents=True)
        (folder / "helper.py").write_text(HELPER.format(level=level))
        (folder / "package" / "__init__.py").write_text("from . import sub")
        (folder / "package" / "sub.py").write_text(f"LEVEL = {-level}")
        path = folder / "effect.py"
        path.write_text(write_plugin(USES_HELPER + text).read_text())
        return path

    return make


@pytest.fixture
def play_two(gst, make_bridge):
    """Two plugins at once: what they add to a block, and the bridges."""

    def play(*paths):
        bridges = [make_bridge(path) for path in paths]
        levels = []
        for bridge in bridges:
            assert bridge.play() != gst.StateChangeReturn.FAILURE
        for bridge in bridges:
            bridge.push(np.zeros((BLOCK, 2)))
            levels.append(bridge.pull()[1][0, 0])
        return levels, [bridge.element for bridge in bridges]

    return play


def test_modules_of_one_name_in_two_folders_are_two(make_folder, play_two):
    levels, elements = play_two(make_folder("a", 1), make_folder("b", 2))

    assert levels == [1, 2]
    said = [each.emit("get-parameter", "late") for each in elements]
    assert said == ["1 -1 True", "2 -2 True"]


def test_plugins_of_one_name_can_be_pickled(make_folder, play_two):
    _, elements = play_two(make_folder("a", 1), make_folder("b", 2))

    for each in elements:
        assert each.emit("get-parameter", "pickle") == "Plugin Thing Kind"


def test_instances_of_one_file_can_be_pickled(make_folder, play_two):
    path = make_folder("a", 1)
    _, elements = play_two(path, path)

    assert elements[1].emit("get-parameter", "pickle") == "Plugin Thing Kind"


def test_plugin_named_like_a_standard_module_is_nobody_else_s(
    gst, make_bridge, tmp_path, write_plugin
):
    folder = tmp_path / "standard"
    folder.mkdir()
    (folder / "netrc.py").write_text(write_plugin().read_text())
    (folder / "asks.py").write_text(
        write_plugin(
            """
            import netrc, colorsys
            def get_parameter(self, key):
                return str(hasattr(netrc, "create_plugin"))
            Plugin.get_parameter = get_parameter
            """
        ).read_text()
    )
    (folder / "colorsys.py").write_text("raise OSError")
    for name, key in ("netrc", ""), ("asks", "False"):
        bridge = make_bridge(folder / f"{name}.py")
        assert bridge.pipeline.set_state(gst.State.READY) == (
            gst.StateChangeReturn.SUCCESS
        )
        assert bridge.element.emit("get-parameter", "x") == key


def test_edited_module_is_loaded_anew(make_folder, make_bridge):
    path = make_folder("a", 1)
    bridge = make_bridge(path)
    bridge.play()
    bridge.push(np.zeros((BLOCK, 2)))
    assert (bridge.pull()[1] == 1).all()

    (path.parent / "helper.py").write_text(HELPER.format(level=3))
    assert bridge.element.emit("reload")

    bridge.push(np.zeros((BLOCK, 2)))
    assert (bridge.pull()[1] == 3).all()


def test_what_a_plugin_adds_to_the_builtins_is_there(run, write_plugin):
    path = write_plugin(
        """
        import gettext
        gettext.install("nobody")
        def process_audio(self, buffer):
            buffer.data[:] = len(_("four"))
            return True
        Plugin.process_audio = process_audio
        """
    )

    outcome = run(path, [np.zeros((BLOCK, 2))])

    assert outcome.error is None and (outcome.frames == 4).all()
