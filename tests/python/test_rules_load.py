# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules 2 and 3 of the plugin contract: loading a file."""

import colorsys
import importlib.machinery
import os
import py_compile
import sys
import textwrap

import numpy as np
import pytest

BLOCK = 512

LOAD_FAILURES = {
    "2.5 abstract method missing": (
        "from base_plugin import AudioProcessorPlugin\n"
        "class P(AudioProcessorPlugin): pass\n"
        "create_plugin = P\n",
        ["TypeError", "abstract"],
    ),
    "3.1 syntax error": (
        "def create_plugin(:\n",
        ["SyntaxError", "line 1"],
    ),
    "3.1 import error": (
        "\nimport no_such_module\n",
        ["ModuleNotFoundError", "no_such_module", "line 2"],
    ),
    "3.1 not text": ("\x00", ["cannot be loaded"]),
    "3.4 no create_plugin": (
        "x = 1\n",
        ["it has no function create_plugin ()"],
    ),
    "3.4 create_plugin not callable": (
        "create_plugin = 3\n",
        ["it has no function create_plugin ()"],
    ),
    "3.4 create_plugin returns None": (
        "def create_plugin(): pass\n",
        ["its create_plugin () returned None"],
    ),
    "3.4 create_plugin raises": (
        "def create_plugin():\n    raise OSError('no card')\n",
        ["OSError: no card", "line 2"],
    ),
    "10.2 sys.exit at import": (
        "import sys\nsys.exit(3)\n",
        ["SystemExit: 3"],
    ),
    "10.2 sys.exit in create_plugin": (
        "import sys\ndef create_plugin():\n    sys.exit(4)\n",
        ["SystemExit: 4", "line 3"],
    ),
}


@pytest.mark.parametrize("failure", LOAD_FAILURES)
def test_3_4_failure_names_file_line_and_reason(run, write_plugin, failure):
    text, reasons = LOAD_FAILURES[failure]
    path = write_plugin(text, base="")

    outcome = run(path, [])

    assert f"The plugin “{path}” cannot be loaded" in outcome.error.message
    for reason in reasons:
        assert reason in outcome.error.message
    assert "\n" not in outcome.error.message


def test_3_4_failure_carries_the_traceback(run, write_plugin):
    path = write_plugin("import no_such_module\n", base="")

    outcome = run(path, [])

    assert "Traceback (most recent call last)" in outcome.debug
    assert f'File "{path}", line 1' in outcome.debug


@pytest.mark.parametrize("version, warned", [("1", False), ("2", True)])
def test_2_3_another_api_version_is_warned_of(
    launch_bridge, write_plugin, version, warned
):
    path = write_plugin(
        f"""
        Plugin.get_info = lambda self: PluginInfo(
            "Test", "1.0", "nda", "", PluginType.PROCESSOR, {version})
        """
    )

    result = launch_bridge(path)

    assert result.returncode == 0
    assert (b"asks for API version 2; this is 1" in result.stderr) == warned


OWN_BASE = """
import base_plugin
assert base_plugin.__file__ == {path!r}, base_plugin.__file__

def process_audio(self, buffer):
    assert type(buffer) is base_plugin.AudioBuffer
    assert type(buffer).is_the_plugins_own
    print("ITS OWN", flush=True)
    return True
Plugin.process_audio = process_audio
"""


def test_2_7_the_plugin_s_own_base_plugin_wins(
    launch_bridge, write_plugin, tmp_path
):
    import nda

    own = tmp_path / "base_plugin.py"
    with open(f"{nda.api_path()}/base_plugin.py", encoding="utf-8") as source:
        own.write_text(
            source.read() + "\nAudioBuffer.is_the_plugins_own = True\n"
        )

    result = launch_bridge(write_plugin(OWN_BASE.format(path=str(own))))

    assert result.returncode == 0, result.stderr.decode()
    assert b"ITS OWN" in result.stderr


def test_3_1_module_has_its_name_before_its_body_runs(run, write_plugin):
    whole = write_plugin().read_text()
    path = write_plugin(
        textwrap.dedent(
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
        )
        + whole,
        name="named_plugin",
        base="",
    )

    assert run(path, []).error is None


def test_3_1_file_is_absolute_though_it_was_named_relatively(
    run, write_plugin, monkeypatch, tmp_path
):
    path = write_plugin("import os\nassert os.path.isabs(__file__)\n")
    monkeypatch.chdir(tmp_path)

    assert run(f"./{path.name}", []).error is None


def test_3_1_a_module_of_that_name_keeps_its_place(run, write_plugin):
    path = write_plugin(name="colorsys")

    assert run(path, []).error is None
    assert sys.modules["colorsys"] is colorsys


def test_3_2_parent_folder_can_be_imported_from(run, write_plugin, tmp_path):
    (tmp_path / "shared_by_plugins.py").write_text("GAIN = 0.5\n")
    folder = tmp_path / "sub"
    folder.mkdir()
    path = folder / "child.py"
    path.write_text(
        "import os, sys\n"
        "parent = os.path.dirname(os.path.dirname(__file__))\n"
        "sys.path.insert(0, parent)\n"
        "from shared_by_plugins import GAIN\n"
        + write_plugin().read_text()
        + "Plugin.start = lambda self: parent in sys.path\n"
    )

    assert run(path, [np.zeros((BLOCK, 2))]).error is None


def test_3_2_folder_comes_behind_the_standard_library_and_once(
    run, write_plugin, tmp_path
):
    (tmp_path / "stringprep.py").write_text("raise ImportError('not this')")
    (tmp_path / "beside_the_plugin.py").write_text("")
    path = write_plugin(
        """
        import os, sys, stringprep, beside_the_plugin
        assert sys.path.count(os.path.dirname(__file__)) == 1
        """
    )

    for _ in range(2):
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


DUCK = """
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
"""


def test_3_5_any_object_with_the_methods_will_do(run, write_plugin, noise):
    pushed = noise(BLOCK)

    outcome = run(write_plugin(DUCK, base=""), [pushed])

    assert np.array_equal(outcome.frames, pushed * np.float32(0.5))


def test_3_5_what_is_no_base_plugin_is_warned_of(launch_bridge, write_plugin):
    result = launch_bridge(write_plugin(DUCK, base=""))

    assert result.returncode == 0
    assert b"is not a BasePlugin" in result.stderr


ROLES = {
    "another enum": """
        import enum
        class Type(enum.Enum):
            P = "Processor"
        Plugin.get_info = lambda self: PluginInfo("", "", "", "", Type.P)
        """,
    "text is no enum": """
        Plugin.get_info = lambda self: PluginInfo("", "", "", "", "Processor")
        """,
    "None": "Plugin.get_info = lambda self: None",
    "raises": "Plugin.get_info = lambda self: 1 / 0",
    "exits": "import sys; Plugin.get_info = lambda self: sys.exit(1)",
}


@pytest.mark.parametrize("role", ROLES)
def test_3_6_role_is_compared_as_text_or_seen_by_the_methods(
    run, write_plugin, noise, role
):
    path = write_plugin(ROLES[role])

    outcome = run(path, [noise(BLOCK)])

    assert outcome.error is None
    assert len(outcome.blocks) == 1


def test_3_6_wrong_role_is_named(run, write_plugin):
    path = write_plugin(
        """
        Plugin.get_info = lambda self: PluginInfo(
            "Test", "1", "nda", "", PluginType.AUDIO_SOURCE)
        """
    )

    outcome = run(path, [])

    assert "is of the type “AudioSource”" in outcome.error.message
    assert "Use ndapysrc instead." in outcome.error.message
    assert "“Processor”" in outcome.error.message


def test_3_6_get_type_is_never_called(run, write_plugin, noise):
    path = write_plugin("Plugin.get_type = lambda self: 1 / 0")

    assert run(path, [noise(BLOCK)]).error is None


def test_3_7_get_info_is_called_once_and_not_before_initialize(
    run, write_noting_plugin, journal, noise
):
    path = write_noting_plugin(
        """
        def get_info(self):
            note("get_info")
            return PluginInfo("T", "1", "nda", "", PluginType.PROCESSOR)
        Plugin.get_info = get_info
        """
    )

    run(path, np.split(noise(BLOCK * 8), 8), parameters="a=b")

    called = [name for name, *_ in journal()]
    assert called.count("get_info") == 1
    assert called.index("get_info") == called.index("initialize") + 1


@pytest.mark.parametrize("name", ["None", "3", "b'bytes'", "object()"])
def test_3_7_fields_that_are_no_text_do_no_harm(run, write_plugin, name):
    path = write_plugin(
        f"""
        def get_info(self):
            info = PluginInfo({name}, {name}, {name}, {name},
                              PluginType.PROCESSOR)
            del info.version, info.api_version
            return info
        Plugin.get_info = get_info
        """
    )

    assert run(path, []).error is None


def test_3_8_missing_dependency_shows_in_initialize(
    launch_bridge, write_plugin
):
    path = write_plugin(
        """
        try:
            import no_such_module
        except ImportError:
            no_such_module = None
            print("at import", flush=True)
        def initialize(self):
            if no_such_module is None:
                print("install no_such_module")
                return False
            return True
        Plugin.initialize = initialize
        """
    )

    result = launch_bridge(path)

    assert result.returncode
    assert b"its initialize () did not return True" in result.stderr
    assert b"at import" in result.stderr
    assert b"install no_such_module" in result.stderr


def test_3_9_compiled_caches_are_ignored(run, write_plugin, noise):
    path = write_plugin("Plugin.process_audio = lambda self, buffer: 1 / 0")
    py_compile.compile(str(path))
    stale = path.stat()
    path.write_text(write_plugin(name="other").read_text())
    # as old as the compilation thinks, like a backup that was put back
    os.utime(path, ns=(stale.st_atime_ns, stale.st_mtime_ns))
    cache = path.parent / ".cython_cache"
    cache.mkdir()
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        for folder in (path.parent, cache):
            (folder / (path.stem + suffix)).write_bytes(b"\x7fELF no more")
    pushed = noise(BLOCK)

    outcome = run(path, [pushed])

    assert outcome.error is None
    assert np.array_equal(outcome.frames, pushed)
