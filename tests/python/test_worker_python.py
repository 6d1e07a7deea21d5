# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interpreter of a plugin's process: which it is, and what runs in it."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from processes import children, only_child, wait_until
from sandboxes import forbidding

BLOCK = 512
# What an interpreter, NumPy or the host imports, or might
MODULES = """abc ast base64 codecs collections contextlib ctypes datetime enum
functools gc importlib inspect io json keyword linecache locale logging math
mmap numpy operator os pathlib pickle platform posixpath random re resource
runpy select shutil signal site sitecustomize socket stat string struct
subprocess sysconfig tempfile textwrap threading time token tokenize traceback
types usercustomize warnings weakref zipimport base_plugin nda
nda_worker""".split()


@pytest.fixture
def isolation():
    return "process"


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A current directory with a module of each name, which tells that it was
    run; and the names of those that were."""
    folder, told = tmp_path / "here", tmp_path / "told"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text(
            f"open({str(told)!r}, 'a').write('{name} ')\n"
        )
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONSTARTUP", str(folder / "os.py"))
    monkeypatch.setenv("PYTHONINSPECT", "1")
    return lambda: told.read_text() if told.exists() else ""


def plays(bridge):
    bridge.play()
    bridge.push(np.ones((BLOCK, 2), np.float32))
    return bridge.pull()[1].all()


def test_nothing_of_the_current_directory_runs(
    make_bridge, write_plugin, trap
):
    path = write_plugin("import signal, logging, pickle, multiprocessing")

    assert plays(make_bridge(path))
    assert trap() == ""


def test_nothing_of_it_runs_in_a_look_for_a_name(
    make_bridge, write_plugin, trap, tmp_path
):
    folder = tmp_path / "plugins"
    folder.mkdir()
    path = write_plugin("name = 'T' + 'est'\n"
                        "Plugin.get_info = lambda self: PluginInfo(name, '1',"
                        " '', '', PluginType.PROCESSOR)\n")
    path.rename(folder / "one.py")
    bridge = make_bridge("Test", plugin_path=str(folder))

    assert plays(bridge)
    assert trap() == ""


def test_nothing_of_it_runs_in_the_checker(write_plugin, trap):
    begin = ("import sys; from nda.__main__ import main; "
             "sys.exit(main())")

    done = subprocess.run(
        [sys.executable, "-c", begin, "check-plugin", write_plugin()],
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )

    assert b"1.1" in done.stdout or b"ok" in done.stdout
    assert trap() == ""


def test_wrapper_without_exec(make_bridge, write_plugin, tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n{sys.executable} "$@"\n')
    python.chmod(0o755)
    path = write_plugin(
        """
        import os
        def process_audio(self, buffer):
            self.n_blocks += 1
            if self.n_blocks == 2:
                os._exit(3)
            return True
        Plugin.process_audio = process_audio
        """
    )
    bridge = make_bridge(
        path, python=python, on_error="silence", restart="never"
    )

    assert plays(bridge)
    bridge.push(np.ones((BLOCK, 2)))
    assert not bridge.pull()[1].any()
    warning = bridge.wait(bridge.gst.MessageType.WARNING).parse_warning()[0]
    assert "status 3" in warning.message
    bridge.stop()
    assert children() == []


def test_wrapper_that_is_killed_leaves_no_interpreter(
    make_bridge, write_plugin, tmp_path
):
    python, pid = tmp_path / "python", tmp_path / "pid"
    python.write_text(f'#!/bin/sh\n{sys.executable} "$@"\n')
    python.chmod(0o755)
    path = write_plugin(
        f"import os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n"
    )
    bridge = make_bridge(path, python=python, restart="never")
    assert plays(bridge)
    os.kill(only_child(), 9)
    bridge.stop()

    wait_until(lambda: not os.path.exists(f"/proc/{pid.read_text()}/fd/0"))


@pytest.mark.parametrize(
    "version, line",
    [("(2, 7, 18)", "2.7.18"), ("(3, 6, 15)", "3.6.15"),
     ("(3, 9, 99)", "3.9.99")],
)
def test_interpreter_that_is_too_old_is_told(
    gst, make_bridge, write_plugin, tmp_path, version, line
):
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"sys.version_info = {version}\n"
        f"sys.version = '{line} (old)'\n"
        "exec(sys.argv[-1])\n"
    )
    python.chmod(0o755)
    bridge = make_bridge(write_plugin(), python=python)
    change = bridge.pipeline.set_state(gst.State.READY)

    assert change == gst.StateChangeReturn.FAILURE
    error = bridge.wait(gst.MessageType.ERROR).parse_error()[0]
    assert f"Python {line} is too old: 3.10 or later" in error.message


PROGRAM = """
    import sys
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
    Gst.init(None)
    line = Gst.parse_launch(
        "audiotestsrc num-buffers=20 ! audio/x-raw,format=F32LE,rate=48000,"
        "channels=2 ! ndapybridge isolation=process on-error=silence name=py "
        "! fakesink")
    line.get_by_name("py").set_property("plugin", sys.argv[1])
    line.set_state(Gst.State.PLAYING)
    message = line.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    n = line.get_by_name("py").get_property("stats").get_value("num-failures")
    line.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    print(n)
"""


@pytest.mark.parametrize("is_dying", [False, True])
def test_system_that_forbids_to_watch_a_process(write_plugin, is_dying):
    path = write_plugin(
        f"""
        import os
        def process_audio(self, buffer):
            self.n_blocks += 1
            if {is_dying} and self.n_blocks == 20:
                os._exit(3)
            return True
        Plugin.process_audio = process_audio
        """
    )

    done = subprocess.run(
        [sys.executable, "-c", forbidding("pidfd_open")
         + textwrap.dedent(PROGRAM), path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
    )

    assert done.stderr == ""
    assert (int(done.stdout) > 0) == is_dying


# --- what plugins do with it ------------------------------------------------


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("pool", ["multiprocessing", "concurrent.futures"])
def test_multiprocessing(make_bridge, write_plugin, journal, method, pool):
    path = write_plugin(
        f"""
        import concurrent.futures, json, multiprocessing, os
        def square(x):
            return x * x
        def start(self):
            context = multiprocessing.get_context("{method}")
            if "{pool}" == "multiprocessing":
                with context.Pool(2) as pool:
                    found = pool.map(square, range(4))
            else:
                with concurrent.futures.ProcessPoolExecutor(
                    2, mp_context=context
                ) as pool:
                    found = list(pool.map(square, range(4)))
            with open(os.environ["NDA_TEST_JOURNAL"], "a") as file:
                file.write(json.dumps(found) + "\\n")
            return True
        Plugin.start = start
        """
    )

    assert plays(make_bridge(path))
    assert journal() == [[0, 1, 4, 9]]


def test_streams_have_descriptors(make_bridge, write_plugin):
    path = write_plugin(
        """
        import faulthandler, subprocess, sys
        faulthandler.enable()
        subprocess.run(["true"], stdout=sys.stdout, stderr=sys.stderr,
                       check=True)
        assert (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)
        """
    )

    assert plays(make_bridge(path))
