# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module `base_plugin` and the package `nda`, rule by rule.

The number in a test's name is the rule of the plugin contract it holds to.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import nda

base_plugin = sys.modules[nda.BasePlugin.__module__]

COMMON = {
    "initialize",
    "shutdown",
    "start",
    "stop",
    "get_info",
    "set_parameter",
    "get_parameter",
}
FORMAT = {
    "get_sample_rate",
    "set_sample_rate",
    "get_channel_count",
    "set_channel_count",
}
ABSTRACT = {
    "BasePlugin": COMMON | {"get_type"},
    "AudioSourcePlugin": COMMON
    | FORMAT
    | {"set_audio_callback", "read_audio"},
    "AudioSinkPlugin": COMMON
    | FORMAT
    | {
        "write_audio",
        "get_buffer_size",
        "set_buffer_size",
        "get_available_space",
    },
    "AudioProcessorPlugin": COMMON | FORMAT | {"process_audio"},
}
ROLES = {
    "AudioSourcePlugin": "AudioSource",
    "AudioSinkPlugin": "AudioSink",
    "AudioProcessorPlugin": "Processor",
}


def derive(base, without=(), **members):
    """Return a class that fills in what `base` asks for."""
    stubs = {
        name: lambda self, *args: None
        for name in base.__abstractmethods__
        if name not in without
    }
    return type("Derived", (base,), {**stubs, **members})


def run_python(code, *args):
    """Run `code` in a fresh interpreter and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_2_1_exports():
    assert set(base_plugin.__all__) == {
        "PluginType",
        "PluginState",
        "PluginInfo",
        "AudioBuffer",
        "BasePlugin",
        "AudioSourcePlugin",
        "AudioSinkPlugin",
        "AudioProcessorPlugin",
        "AudioSourceCallback",
    }
    assert all(hasattr(base_plugin, name) for name in base_plugin.__all__)


def test_2_1_any_callable_is_a_source_callback():
    assert isinstance(print, base_plugin.AudioSourceCallback)
    assert not isinstance(1, base_plugin.AudioSourceCallback)


def test_2_2_plugin_type_values():
    assert {m.name: m.value for m in base_plugin.PluginType} == {
        "AUDIO_SOURCE": "AudioSource",
        "AUDIO_SINK": "AudioSink",
        "PROCESSOR": "Processor",
    }


def test_2_2_plugin_state_values():
    assert {m.name: m.value for m in base_plugin.PluginState} == {
        "UNLOADED": "Unloaded",
        "LOADED": "Loaded",
        "INITIALIZED": "Initialized",
        "RUNNING": "Running",
        "ERROR": "Error",
    }


def test_2_3_plugin_info_by_position():
    processor = base_plugin.PluginType.PROCESSOR

    info = base_plugin.PluginInfo("n", "v", "a", "d", processor)

    assert vars(info) == {
        "name": "n",
        "version": "v",
        "author": "a",
        "description": "d",
        "type": processor,
        "api_version": 1,
    }


def test_2_3_plugin_info_by_keyword():
    info = base_plugin.PluginInfo(
        api_version=2,
        plugin_type=base_plugin.PluginType.AUDIO_SINK,
        description="d",
        author="a",
        version="v",
        name="n",
    )

    assert info.type is base_plugin.PluginType.AUDIO_SINK
    assert (info.name, info.version, info.author) == ("n", "v", "a")
    assert (info.description, info.api_version) == ("d", 2)
    assert repr(info) == (
        "PluginInfo('n', 'v', 'a', 'd', PluginType.AUDIO_SINK, 2)"
    )


@pytest.mark.parametrize("channels, frames", [(1, 1), (2, 512), (64, 513)])
def test_2_4_data_is_a_silent_planar_float32_array(channels, frames):
    data = base_plugin.AudioBuffer(channels, frames).data

    assert type(data) is np.ndarray
    assert data.shape == (channels, frames)
    assert data.dtype == np.float32 and data.dtype.isnative
    assert data.flags.c_contiguous and data.flags.aligned
    assert data.flags.writeable
    assert not data.any()


def test_2_4_negative_sizes_are_refused():
    with pytest.raises(ValueError):
        base_plugin.AudioBuffer(-1, 512)
    with pytest.raises(ValueError):
        base_plugin.AudioBuffer(2, -1)


def test_2_4_get_channel_data_is_a_view():
    buffer = base_plugin.AudioBuffer(2, 4)

    buffer.get_channel_data(1)[2] = 0.5

    assert buffer.data[1, 2] == 0.5
    assert np.count_nonzero(buffer.data) == 1
    with pytest.raises(IndexError):
        buffer.get_channel_data(2)


def test_2_4_counts_follow_a_rebound_array():
    buffer = base_plugin.AudioBuffer(2, 512)
    assert (buffer.get_channel_count(), buffer.get_frame_count()) == (2, 512)

    buffer.data = np.zeros((1, 7), dtype=np.float32)

    assert (buffer.get_channel_count(), buffer.get_frame_count()) == (1, 7)


def test_2_4_clear_is_in_place():
    buffer = base_plugin.AudioBuffer(2, 4)
    data = buffer.data
    data[:] = np.nan

    buffer.clear()

    assert buffer.data is data
    assert data.tobytes() == bytes(data.nbytes)


def test_2_4_copy_from_keeps_the_array_and_the_bits():
    buffer = base_plugin.AudioBuffer(1, 4)
    data = buffer.data
    other = base_plugin.AudioBuffer(1, 4)
    # A signalling NaN with a payload, minus infinity, a denormal, minus zero
    bits = np.array([[0x7FA12345, 0xFF800000, 1, 0x80000000]], np.uint32)
    other.data.view(np.uint32)[:] = bits

    buffer.copy_from(other)

    assert buffer.data is data
    assert (data.view(np.uint32) == bits).all()


def test_2_4_copy_from_does_not_broadcast():
    stereo = base_plugin.AudioBuffer(2, 4)
    mono = base_plugin.AudioBuffer(1, 4)
    mono.data[:] = 1

    with pytest.raises(ValueError, match=r"\(1, 4\) into one of shape \(2"):
        stereo.copy_from(mono)

    assert not stereo.data.any()


@pytest.mark.parametrize("name", ABSTRACT)
def test_2_5_abstract_members(name):
    base = getattr(base_plugin, name)

    assert base.__abstractmethods__ == ABSTRACT[name]
    derive(base)()


@pytest.mark.parametrize(
    "name, missing",
    [(name, member) for name in ABSTRACT for member in sorted(ABSTRACT[name])],
)
def test_2_5_missing_an_abstract_member_is_not_instantiable(name, missing):
    incomplete = derive(getattr(base_plugin, name), without=[missing])

    with pytest.raises(TypeError, match=missing):
        incomplete()


@pytest.mark.parametrize("name", ROLES)
def test_2_5_roles_know_their_type(name):
    plugin = derive(getattr(base_plugin, name))()

    assert isinstance(plugin, base_plugin.BasePlugin)
    assert plugin.get_type().value == ROLES[name]


@pytest.mark.parametrize("name", ABSTRACT)
def test_2_5_constructors_take_nothing_and_start_unloaded(name):
    base = getattr(base_plugin, name)

    plugin = derive(base)()

    assert vars(plugin) == {"state": base_plugin.PluginState.UNLOADED}
    with pytest.raises(TypeError):
        derive(base)(1)


def test_2_5_get_state_returns_the_attribute():
    plugin = derive(base_plugin.BasePlugin)()

    plugin.state = base_plugin.PluginState.ERROR

    assert plugin.get_state() is base_plugin.PluginState.ERROR


@pytest.mark.parametrize("name", ABSTRACT)
def test_2_5_skipping_the_base_constructor(name):
    plugin = derive(getattr(base_plugin, name), __init__=lambda self: None)()

    assert plugin.get_state() is base_plugin.PluginState.UNLOADED


@pytest.mark.parametrize("name", ROLES)
def test_2_5_channel_aliases(name):
    asked = []
    plugin = derive(
        getattr(base_plugin, name),
        get_channel_count=lambda self: 6,
        set_channel_count=lambda self, channels: asked.append(channels),
    )()

    plugin.set_channels(3)

    assert asked == [3]
    assert plugin.get_channels() == 6


def test_2_5_source_block_size_is_512_whatever_is_asked():
    source = derive(base_plugin.AudioSourcePlugin)()

    source.set_buffer_size(64)

    assert source.get_buffer_size() == 512


def test_2_5_processor_has_no_latency():
    latency = derive(
        base_plugin.AudioProcessorPlugin
    )().get_processing_latency()

    assert latency == 0.0 and isinstance(latency, float)


def test_2_6_names_are_reachable_from_package_and_module():
    printed = run_python(
        """
        import sys, nda
        sys.path.append(nda.api_path())
        import nda_py_utils
        from nda_py_utils.audio_ring_buffer import (
            AudioRingBuffer, RingBufferStats)
        print(nda_py_utils.AudioRingBuffer is AudioRingBuffer,
              nda.AudioRingBuffer is AudioRingBuffer,
              nda.RingBufferStats is RingBufferStats)
        """
    )

    assert printed == ["True"] * 3


def test_2_7_api_directory_holds_nothing_else():
    names = set(os.listdir(nda.api_path())) - {"__pycache__"}

    assert names == {"base_plugin.py", "nda_py_utils"}


def test_2_7_import_nda_imports_and_appends_nothing():
    printed = run_python(
        """
        import sys
        before = list(sys.path)
        import nda
        print(before == sys.path, *(name in sys.modules for name in
              ("numpy", "base_plugin", "nda_py_utils")))
        """
    )

    assert printed == ["True", "False", "False", "False"]


def test_2_7_api_directory_is_appended_last_and_once():
    printed = run_python(
        """
        import sys, nda
        nda.AudioBuffer, nda.AudioRingBuffer, nda.BasePlugin
        print(sys.path[-1], sys.path.count(nda.api_path()))
        """
    )

    assert printed == [nda.api_path(), "1"]


def test_2_7_only_one_base_plugin_per_interpreter():
    printed = run_python(
        """
        import sys, nda
        sys.path.append(nda.api_path())
        import base_plugin
        print(nda.BasePlugin is base_plugin.BasePlugin,
              [name for name in sys.modules if "base_plugin" in name])
        """
    )

    assert printed == ["True", "['base_plugin']"]


def test_2_7_a_plugins_own_copy_wins(tmp_path):
    (tmp_path / "base_plugin.py").write_text("class AudioBuffer: own = 1\n")

    printed = run_python(
        """
        import sys, nda
        sys.path.append(sys.argv[1])
        sys.path.append(nda.api_path())
        import base_plugin
        print(base_plugin.__file__, nda.AudioBuffer.own)
        """,
        tmp_path,
    )

    assert printed == [str(tmp_path / "base_plugin.py"), "1"]


def test_2_7_a_copy_that_lacks_something_is_not_papered_over(tmp_path):
    (tmp_path / "base_plugin.py").write_text("")

    printed = run_python(
        """
        import sys, nda
        sys.path.insert(0, sys.argv[1])
        try:
            nda.AudioBuffer
        except AttributeError as error:
            print("base_plugin" in str(error), nda.api_path() in sys.path)
        """,
        tmp_path,
    )

    assert printed == ["True", "False"]


def test_2_7_a_copy_that_does_not_import_is_reported(tmp_path):
    (tmp_path / "base_plugin.py").write_text("import no_such_module\n")

    printed = run_python(
        """
        import sys, nda
        sys.path.insert(0, sys.argv[1])
        try:
            nda.AudioBuffer
        except ModuleNotFoundError as error:
            print(error.name, nda.api_path() in sys.path)
        """,
        tmp_path,
    )

    assert printed == ["no_such_module", "False"]


def test_nda_lists_and_resolves_all_its_names():
    assert set(nda.__all__) <= set(dir(nda))
    assert all(getattr(nda, name) is not None for name in nda.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        nda.no_such_name


def test_nda_paths_exist():
    assert Path(nda.api_path(), "base_plugin.py").is_file()
    assert Path(nda.plugins_path(), "gain.py").is_file()


@pytest.mark.skipif(
    "NDA_VERSION" not in os.environ, reason="needs NDA_VERSION from Meson"
)
def test_nda_has_the_version_of_the_project():
    assert nda.__version__ == os.environ["NDA_VERSION"]
