# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda check-plugin: what it says of good plugins, and of broken ones."""

import re
import subprocess
import sys
import wave
from pathlib import Path

import pytest

import nda
from conftest import PATIENCE
from roles import SINK, SOURCE

READY = sorted(
    path.stem
    for path in Path(nda.plugins_path()).glob("*.py")
    if not path.stem.startswith("_")
)
DEVICES = {"microphone", "speaker"}
# One of each role is looked at in both isolations: each rule begins a process
IN_BOTH = {"gain", "sine", "null_sink"}
THREAD = ["--isolation", "thread"]


def check(*words, folder=None):
    return subprocess.run(
        [sys.executable, "-m", "nda", "check-plugin", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        timeout=2 * PATIENCE,
    )


def broken_rules(output):
    """The rules that the table says do not hold, by number and isolation."""
    found = {}
    for line in output.splitlines():
        row = re.fullmatch(r"([\d.]*) +(\S.*?)((?: {7,}(?:ok|NO|-))+)", line)
        marks = row[3].split() if row else []
        if "NO" in marks:
            found[row[1]] = tuple(mark == "NO" for mark in marks)
    return found


@pytest.mark.parametrize("name", [n for n in READY if n not in DEVICES])
def test_ready_made_plugin_keeps_all_rules(name, tmp_path):
    parameters = []
    if name == "wav_player":
        with wave.open(str(tmp_path / "in.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(48000)
            file.writeframes(bytes(range(256)) * 64)
        parameters = ["filename=in.wav", "loop=true"]
    elif name == "wav_recorder":
        parameters = ["filename=out.wav", "overwrite=true"]
    path = Path(nda.plugins_path(), name + ".py")
    options = [] if name in IN_BOTH else THREAD

    done = check(path, *parameters, *options, folder=tmp_path)

    assert broken_rules(done.stdout) == {}, done.stdout
    assert done.returncode == 0, done.stdout
    assert "hold." in done.stdout


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_without_a_device_it_says_what_the_plugin_printed(name, tmp_path):
    path = Path(nda.plugins_path(), name + ".py")

    done = check(path, "device=no such device", *THREAD, folder=tmp_path)

    assert done.returncode == 1
    assert set(broken_rules(done.stdout)) == {"4.1"}, done.stdout
    assert "no such device" in done.stdout


BOTH = (True, True)

# What is wrong with it, the rules that it breaks, and what is said
BROKEN = {
    "no factory": ("del create_plugin", {"3.4"}, "no function create_plugin"),
    "raises": (
        "def create_plugin(): raise OSError('no dongle')",
        {"3.4"},
        "no dongle",
    ),
    "refuses": (
        "Plugin.initialize = lambda self: print('no licence')",
        {"3.4"},
        "no licence",
    ),
    "does not start": (
        "Plugin.start = lambda self: print('no device')",
        {"4.1"},
        "no device",
    ),
    "no info": (
        "Plugin.get_info = lambda self: None",
        {"3.6", "3.7", "2.3", "12.2"},
        "the type's value is None",
    ),
    "no answer": (
        """
        def get_info(self):
            raise OSError("no licence")
        Plugin.get_info = get_info
        """,
        {"3.6", "3.7", "2.3", "12.2"},
        "get_info () raised OSError: no licence",
    ),
    "another version": (
        "Plugin.get_info = lambda self: PluginInfo('Test', '1', 'a', 'b', "
        "PluginType.PROCESSOR, 2)",
        {"2.3"},
        "it asks for 2",
    ),
    "starts once": (
        """
        def start(self):
            self.n_starts = getattr(self, "n_starts", 0) + 1
            return self.n_starts == 1
        Plugin.start = start
        """,
        {"4.2", "5.7"},
        "start () did not return True",
    ),
    "only makes a coroutine": (
        """
        async def process_audio(self, buffer):
            buffer.data *= 0.5
            return True
        Plugin.process_audio = process_audio
        """,
        {"4.1"},
        "process_audio () is a coroutine or a generator",
    ),
    "only makes a generator of its stop ()": (
        """
        def stop(self):
            yield
        Plugin.stop = stop
        """,
        {""},
        "stop () is a generator: nothing of it runs",
    ),
    "forgets its return": (
        """
        def process_audio(self, buffer):
            buffer.data *= 0.5
        Plugin.process_audio = process_audio
        """,
        {"4.1"},
        "its process_audio () returned None; end it with “return True”",
    ),
    "two channels only": (
        """
        def process_audio(self, buffer):
            buffer.data[1] *= 0.5
            return True
        Plugin.process_audio = process_audio
        """,
        {"5.3", "5.7"},
        "IndexError",
    ),
    "unknown parameter": (
        """
        def get_parameter(self, key):
            return {"gain": "1"}[key]
        Plugin.get_parameter = get_parameter
        """,
        {"7.6"},
        "KeyError",
    ),
    "no text": (
        "Plugin.get_parameter = lambda self, key: None",
        {"7.6"},
        "NoneType",
    ),
    "latency": (
        "Plugin.get_processing_latency = lambda self: float('nan')",
        {"8.1"},
        "it is nan",
    ),
    "shutdown": (
        """
        def shutdown(self):
            self.stream.close()
        Plugin.shutdown = shutdown
        """,
        {"4.1"},
        "shutdown () raised AttributeError",
    ),
    "binds another shape": (
        """
        def process_audio(self, buffer):
            buffer.data = buffer.data[:, :100]
            return True
        Plugin.process_audio = process_audio
        """,
        {"4.1"},
        "shape",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_plugin_is_told_what_to_mend(what, write_plugin, tmp_path):
    text, rules, said = BROKEN[what]

    done = check(write_plugin(text), *THREAD, folder=tmp_path)

    assert set(broken_rules(done.stdout)) == rules, done.stdout
    assert said in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    "line, said",
    [
        ("def oops(:", "SyntaxError: "),
        ("import nosuch", "ModuleNotFoundError: No module named 'nosuch'"),
        ("half = 1 / 0", "ZeroDivisionError: division by zero"),
        ("import json; json.loads('{')", "JSONDecodeError: "),
        ("def create_plugin(): raise OSError('none')", "OSError: none"),
    ],
)
def test_line_that_keeps_it_from_loading_is_told(
    line, said, write_plugin, tmp_path
):
    path = write_plugin(line)
    number = path.read_text().splitlines().index(line) + 1

    done = check(path, folder=tmp_path)

    assert broken_rules(done.stdout) == {"3.4": BOTH}, done.stdout
    assert f"\n    {path}:{number}: {said}" in done.stdout
    assert "cannot be loaded" not in done.stdout


def test_line_of_a_module_beside_it_is_told(write_plugin, tmp_path):
    path = write_plugin("import beside")
    beside = tmp_path / "beside.py"
    beside.write_text("\nhalf = 1 / 0\n")

    done = check(path, *THREAD, folder=tmp_path)

    assert f"\n    {beside}:2: ZeroDivisionError: " in done.stdout


@pytest.mark.parametrize(
    "fault, in_thread, in_process",
    [
        ("import os; os._exit(0)", "with status 0", "exited with status 0"),
        # which, other than a segmentation fault, no sanitizer tells itself
        ("import os; os.abort()", "SIGABRT", "killed by signal 6"),
    ],
)
def test_plugin_that_takes_the_program_down_is_survived(
    fault, in_thread, in_process, write_plugin, tmp_path
):
    path = write_plugin(
        f"""
        def process_audio(self, buffer):
            {fault}
        Plugin.process_audio = process_audio
        """
    )

    done = check(path, folder=tmp_path)

    assert broken_rules(done.stdout) == {"4.1": BOTH}, done.stdout
    assert in_thread in done.stdout and in_process in done.stdout
    assert done.returncode == 1


def test_broken_source_is_told(write_plugin, tmp_path):
    path = write_plugin(
        """
        def get_buffer_size(self):
            raise RuntimeError("later")
        Plugin.get_buffer_size = get_buffer_size
        Plugin.get_parameter = lambda self, key: ""
        """,
        base=SOURCE,
    )

    done = check(path, folder=tmp_path)

    assert broken_rules(done.stdout) == {"5.6": BOTH}, done.stdout


def test_broken_sink_is_told(write_plugin, tmp_path):
    path = write_plugin(
        """
        Plugin.get_available_space = lambda self: "plenty"
        Plugin.keep = lambda self, buffer: None
        Plugin.get_parameter = lambda self, key: ""
        """,
        base=SINK,
    )

    done = check(path, folder=tmp_path)

    assert broken_rules(done.stdout) == {"6.2.2": BOTH}, done.stdout


@pytest.mark.parametrize(
    "words, said",
    [
        (["nothing.py"], "there is no file “nothing.py”"),
        ([__file__, "loud"], "not of the form KEY=VALUE"),
    ],
)
def test_wrong_words_are_refused(words, said, tmp_path):
    done = check(*words, folder=tmp_path)

    assert done.returncode == 2
    assert said in done.stdout


def test_value_with_a_comma_arrives_whole(write_plugin, tmp_path):
    path = write_plugin(
        """
        def set_parameter(self, key, value):
            if key == "name":
                self.name = value
        def start(self):
            return self.name == 'a,"b"'
        Plugin.set_parameter, Plugin.start = set_parameter, start
        """
    )

    done = check(path, 'name=a,"b"', *THREAD, folder=tmp_path)

    assert done.returncode == 0, done.stdout


def test_only_what_the_plugin_printed_is_shown(write_plugin, tmp_path):
    """Neither what nda logs, nor a traceback in nda's own files."""
    path = write_plugin(
        """
        import sys

        def start(self):
            print("no device")
            print("it is busy", file=sys.stderr)
        Plugin.start = start

        def get_parameter(self, key):
            raise KeyError(key)
        Plugin.get_parameter = get_parameter
        Plugin.get_info = lambda self: 1 / 0
        """
    )

    for isolation in ("thread", "process"):
        done = check(path, "--isolation", isolation, folder=tmp_path)

        said = done.stdout.partition("It printed:\n\n")[2]
        printed = said.partition("\n\n")[0].splitlines()
        assert set(printed) == {"    no device", "    it is busy"}, said
