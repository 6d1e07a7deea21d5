# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda install: a plugin's file is an element of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from conftest import PROCESSOR

BLOCK = 512
PATIENCE = 120

# Puts out its level; a marker tells that its code was run.
LEVEL = '''
"""Puts out its level."""
import os
from nda import Choice, Float, Processor, Secret
{imports}
with open(os.environ["NDA_TEST_MARKER"], "a") as marker:
    marker.write("run ")


class Level(Processor):
    rate, frames = 48000, 512
    level = Float({default}, -1, 1, unit="FS", help="what becomes of it")
    mode = Choice("plain", ["plain", "very odd"])
    deadline = Float(7, 0, 9)
    token = Secret()

    def process(self, block):
        block[:] = self.level * {factor}
'''

SINK = '''
"""Counts blocks."""
def write(block, *, name: str = "x"):
    pass
'''


@dataclass
class Installer:
    """The command, and GStreamer, with a folder of kept texts of its own."""

    folder: Path
    kept: Path
    env: dict

    def write(self, name, text=LEVEL, where="", **words):
        words = {"default": 0.5, "factor": 1, "imports": "", **words}
        path = self.folder / where / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(**words), encoding="utf-8")
        return path

    def run(self, *words, fails=False):
        result = subprocess.run(
            list(map(str, words)),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self.env,
            cwd=self.folder,
        )
        said = result.stdout + result.stderr
        assert (result.returncode != 0) == fails, said
        return said

    def nda(self, *words, fails=False):
        return self.run(sys.executable, "-m", "nda", *words, fails=fails)

    def inspect(self, element, fails=False):
        return self.run("gst-inspect-1.0", element, fails=fails)

    def launch(self, words, fails=False):
        return self.run("gst-launch-1.0", *words.split(), fails=fails)

    def levels(self, elements, n_blocks=3):
        """What blocks become, one level from end to end."""
        out = self.folder / "out"
        self.launch(
            f"-q audiotestsrc num-buffers={n_blocks} samplesperbuffer=512 ! "
            "audio/x-raw,format=F32LE,rate=48000,channels=1 ! "
            f"{elements} ! filesink location={out}"
        )
        frames = np.fromfile(out, np.float32)
        assert len(frames) == n_blocks * BLOCK
        assert (frames == frames[0]).all()
        return round(float(frames[0]), 4)

    def marks(self):
        marker = self.folder / "marker"
        return marker.read_text().split() if marker.exists() else []


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """One for the module: GStreamer's own plugins are looked at once."""
    return tmp_path_factory.mktemp("registry") / "registry.bin"


@pytest.fixture
def installer(tmp_path, registry):
    kept = tmp_path / "kept"
    env = {
        **os.environ,
        "NDA_INSTALLED_DIR": str(kept),
        "NDA_TEST_MARKER": str(tmp_path / "marker"),
        "GST_REGISTRY": str(registry),
        "LC_ALL": "C.UTF-8",
    }
    return Installer(tmp_path, kept, env)


def test_a_plugin_is_an_element_with_typed_properties(installer):
    installer.write("level.py")

    said = installer.nda("install", "level.py")
    assert "nda-level is an element of GStreamer now: a processor" in said
    assert "    Puts out its level." in said
    assert "Its parameters: level=0.5" in said
    assert "    gst-inspect-1.0 nda-level\n" in said
    assert "    gst-launch-1.0 ndasrc ! nda-level ! ndasink\n" in said

    text = installer.inspect("nda-level")
    assert "Puts out its level." in text
    assert "what becomes of it (in FS)" in text
    assert "Double. Range:              -1 -               1" in text
    assert "very odd" in text
    assert "NdaPyBridge" in text
    assert installer.levels("nda-level level=0.25") == 0.25
    assert installer.levels("nda-level isolation=process level=0.75") == 0.75
    assert installer.levels("nda-level plugin::level=-1") == -1
    assert installer.levels("nda-level parameters=level=-0.5") == -0.5
    assert installer.levels("nda-level") == 0.5


def test_a_property_that_the_element_has_keeps_its_name(installer):
    installer.write("level.py")
    installer.nda("install", "level.py")

    text = installer.inspect("nda-level")

    assert "parameter-deadline" in text
    assert "How long a block call may take" in text


def test_no_python_runs_while_gstreamer_looks(installer):
    installer.write("level.py")
    installer.nda("install", "level.py")
    n_marks = len(installer.marks())
    assert n_marks > 0  # it was asked

    installer.inspect("nda-level")
    installer.inspect("ndapython")

    assert len(installer.marks()) == n_marks


def test_a_value_out_of_range_is_refused_with_its_range(installer):
    installer.write("level.py")
    installer.nda("install", "level.py")

    text = installer.launch(
        "audiotestsrc num-buffers=2 ! nda-level level=7 ! fakesink"
    )

    assert "“7” is not a number from -1 to 1 FS" in text


def test_sources_and_sinks_are_elements_too(installer):
    installer.write("sink.py", SINK)
    installer.write(
        "ramp.py",
        '"""A ramp."""\nimport numpy as np\n'
        "def read(*, n: int = 2):\n"
        "    for i in range(n):\n"
        "        yield np.full((1, 512), 0.25)\n",
    )

    said = installer.nda("install", "sink.py", "ramp.py")
    assert "    gst-launch-1.0 ndasrc ! nda-sink\n" in said
    assert "    gst-launch-1.0 nda-ramp ! ndasink\n" in said

    out = installer.folder / "out"
    installer.launch(
        "-q nda-ramp is-live=false n=4 ! audio/x-raw,channels=1 ! tee name=t "
        f"! queue ! filesink location={out} "
        "t. ! queue ! nda-sink parameter-name=y sync=false"
    )
    frames = np.fromfile(out, np.float32)
    assert len(frames) == 4 * BLOCK and (frames == 0.25).all()


def test_an_api_1_plugin_keeps_its_text_parameters(installer):
    path = installer.folder / "old.py"
    path.write_text(
        '"""An old one."""\n'
        + PROCESSOR
        + "def set_parameter(self, key, value): self.value = float(value)\n"
        "def process_audio(self, buffer):\n"
        "    buffer.data[:] = self.value\n"
        "    return True\n"
        "Plugin.set_parameter = set_parameter\n"
        "Plugin.process_audio = process_audio\n"
    )
    installer.nda("install", path)

    assert installer.levels("nda-old parameters=any=0.125") == 0.125
    assert "An old one." in installer.inspect("nda-old")


def test_a_plugin_that_only_speaks_of_api_1_has_typed_properties(installer):
    text = LEVEL.replace("Puts out", "Unlike a create_plugin () it puts out")
    installer.write("level.py", text)

    installer.nda("install", "level.py")

    assert installer.levels("nda-level level=0.25") == 0.25


def test_two_plugins_have_a_utils_each_and_one_runs_twice(installer):
    for where, factor in (("one", 0.5), ("other", 0.25)):
        text = "FACTOR = {factor}\n"
        installer.write("utils.py", text, where, factor=factor)
        installer.write(
            f"{where}.py",
            where=where,
            imports="import utils",
            factor="utils.FACTOR",
            default=1,
        )

    installer.nda("install", "one/one.py", "other/other.py")

    assert installer.levels("nda-one") == 0.5
    assert installer.levels("nda-other") == 0.25
    assert installer.levels("nda-one ! nda-other ! nda-one") == 0.5
    assert installer.levels("nda-one ! nda-one level=0.5 ! nda-other") == 0.25
    assert installer.levels("nda-other level=1 ! nda-other level=0.5") == 0.125


def test_an_edited_plugin_says_what_to_run_and_is_installed_again(installer):
    path = installer.write("level.py")
    installer.nda("install", "level.py")
    installer.write("level.py", default=0.75)

    text = installer.launch(
        "audiotestsrc num-buffers=2 ! nda-level ! fakesink", fails=True
    )
    assert f"Run “nda install {path}” again" in text
    assert "was changed" in installer.nda("plugins", "--installed")

    installer.nda("install", "level.py")
    assert installer.levels("nda-level") == 0.75
    assert "0.75" in installer.inspect("nda-level")


def test_a_moved_plugin_says_what_to_run(installer):
    path = installer.write("level.py")
    installer.nda("install", "level.py")
    path.rename(installer.folder / "moved.py")

    text = installer.launch(
        "audiotestsrc num-buffers=2 ! nda-level ! fakesink", fails=True
    )
    assert str(path) in text and "nda install" in text

    installer.nda("install", "--name", "level", "moved.py")
    assert installer.levels("nda-level") == 0.5


def test_a_broken_file_beside_good_ones_loses_only_itself(installer):
    installer.write("one.py")
    installer.write("broken.py", "def process(block) oops\n")
    installer.write("other.py", default=0.25)

    text = installer.nda(
        "install", "one.py", "broken.py", "missing.py", "other.py", fails=True
    )

    assert "broken.py is not installed" in text and "SyntaxError" in text
    assert "missing.py is not installed" in text
    assert sorted(p.name for p in installer.kept.iterdir()) == [
        "one.ini",
        "other.ini",
    ]
    assert installer.levels("nda-one") == 0.5


@pytest.mark.parametrize(
    "text",
    ["rubbish", "", "[plugin]\nname=x\nrole=sink\n", "[plugin]\nname=\xff\n"],
    ids=["rubbish", "empty", "incomplete", "no-utf8"],
)
def test_a_broken_text_beside_good_ones_loses_only_itself(installer, text):
    installer.write("level.py")
    installer.nda("install", "level.py")
    (installer.kept / "broken.ini").write_text(text, encoding="latin-1")
    (installer.kept / "Bad Name.ini").write_text("[plugin]\n")

    assert installer.levels("nda-level") == 0.5
    installer.inspect("ndapybridge")
    assert "No such element" in installer.inspect("nda-broken", fails=True)
    assert "nda uninstall broken" in installer.nda("plugins", "--installed")


@pytest.mark.parametrize(
    "name", ["my_level", "./my_level.py", "nda-my-level"]
)
def test_a_plugin_is_uninstalled_by_the_name_of_its_file(installer, name):
    installer.write("my_level.py")
    installer.nda("install", "my_level.py")

    assert "nda-my-level" in installer.nda("uninstall", name)

    installer.inspect("nda-my-level", fails=True)


def test_an_uninstalled_plugin_is_no_element(installer):
    path = installer.write("level.py")
    installer.nda("install", "level.py")
    installer.inspect("nda-level")

    assert "nda-level" in installer.nda("uninstall", "nda-level")

    installer.inspect("nda-level", fails=True)
    assert path.exists()
    text = installer.nda("uninstall", "level", fails=True)
    assert "“level” is not installed" in text


@pytest.mark.parametrize("variable", ["HOME", "XDG_DATA_HOME"])
def test_a_folder_that_a_variable_names_is_watched(
    installer, tmp_path, variable
):
    for name in ("NDA_INSTALLED_DIR", "XDG_DATA_HOME"):
        installer.env.pop(name, None)
    place = tmp_path / "place"
    place.mkdir()
    installer.env[variable] = str(place)
    path = installer.write("level.py")
    installer.inspect("nda-level", fails=True)

    installer.nda("install", path)
    assert list(place.glob("**/level.ini"))
    installer.inspect("nda-level")

    installer.nda("uninstall", "level")
    installer.inspect("nda-level", fails=True)


def test_a_name_that_another_plugin_has_is_not_taken(installer):
    installer.write("level.py", where="one")
    installer.write("level.py", where="other", default=0.25)
    installer.nda("install", "one/level.py")

    text = installer.nda("install", "other/level.py", fails=True)

    assert "--name" in text and "one/level.py" in text
    installer.nda("install", "other/level.py", "--name", "Level 2")
    assert installer.levels("nda-level-2") == 0.25
    assert installer.levels("nda-level") == 0.5


def test_one_function_of_a_file_is_installed_by_its_name(installer):
    installer.write(
        "many.py",
        '"""Many."""\ndef half(block): block[:] = 0.5\n'
        "def process(block, *, by: float = 0.25): block[:] = by\n",
    )

    installer.nda("install", "many.py:half", "many.py:process")

    assert installer.levels("nda-half") == 0.5
    assert installer.levels("nda-process by=0.125") == 0.125


def test_an_interpreter_is_kept_with_the_plugin(installer):
    installer.write("level.py")

    installer.nda("install", "--python", sys.executable, "level.py")

    assert "process" in installer.inspect("nda-level")
    assert f"python={sys.executable}" in (
        installer.kept / "level.ini"
    ).read_text()
    assert installer.levels("nda-level level=0.25") == 0.25


def test_the_table_says_what_each_plugin_is(installer):
    path = installer.write("level.py")
    installer.nda("install", "level.py")

    head, *rows = installer.nda("plugins").splitlines()

    assert head.split() == (
        "name role rate frame parameters what where".split()
    )
    row = next(r for r in rows if r.startswith("nda-level "))
    for word in (
        "processor",
        "48000 Hz",
        "512",
        "level=0.5 FS, mode=plain, deadline=7, token",
        "Puts out its level.",
        str(path),
    ):
        assert word in row
    assert any(r.startswith("gain ") for r in rows)
