# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interpreter in a process that is not a test's own.

Each test here is a trap that others fell into; what matters is the whole
process, so each runs one.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
from gi.repository import GObject

PIPELINE = (
    "audiotestsrc num-buffers=20 samplesperbuffer=512 ! "
    "audio/x-raw,format=F32LE,rate=48000,channels=2 ! "
)
# A pipeline that ends hangs no longer than this, in seconds, if it hangs
PATIENCE = 120

PRELUDE = """
import ctypes, os, sys, threading
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)

def run(text):
    pipeline = Gst.parse_launch(text)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    assert message.type == Gst.MessageType.EOS, message.parse_error()
    return pipeline
"""


def launch(description, **options):
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run(
        ["gst-launch-1.0", *description.split()],
        capture_output=True,
        env=environment,
        timeout=PATIENCE,
        **options,
    )


def python(text, **env):
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(text)],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=PATIENCE,
    )


REPORT = """
import ctypes, gc, sys
def process_audio(self, buffer):
    libc = ctypes.CDLL(None)
    self.slack = libc.prctl(30)  # PR_GET_TIMERSLACK
    return True
def shutdown(self):
    print("REPORT", sys.getswitchinterval(), gc.isenabled(),
          gc.get_freeze_count() > 0, self.slack, flush=True)
Plugin.process_audio, Plugin.shutdown = process_audio, shutdown
"""


def report_of(result):
    text = result.stderr.decode() + result.stdout.decode()
    found = re.search(r"REPORT (\S+) (\S+) (\S+) (\S+)", text)
    assert found, text
    return found.groups()


LOG = {"GST_DEBUG": "ndapython:4", "GST_DEBUG_NO_COLOR": "1"}


def test_interpreter_of_ours_is_made_quick(write_plugin):
    result = launch(
        f"{PIPELINE} ndapybridge plugin={write_plugin(REPORT)} ! fakesink",
        env=LOG,
    )

    interval, *rest = report_of(result)
    assert float(interval) == pytest.approx(3e-5)
    assert rest == ["False", "True", "1"]


@pytest.mark.parametrize(
    "variable, field, value",
    [
        ("NDA_PYTHON_SWITCH_INTERVAL", 0, "0.005"),
        ("NDA_PYTHON_GC", 1, "True"),
        ("NDA_PYTHON_TIMER_SLACK", 3, "50000"),
    ],
)
def test_each_of_it_can_be_left_alone(write_plugin, variable, field, value):
    result = launch(
        f"{PIPELINE} ndapybridge plugin={write_plugin(REPORT)} ! fakesink",
        env={**LOG, variable: "default"},
    )

    assert report_of(result)[field] == value


def test_1_3_interpreter_of_an_application_is_left_alone(write_plugin):
    result = python(
        f"""
        import gc
        before = sys.getswitchinterval(), gc.isenabled(), gc.get_threshold()
        out, err = sys.stdout, sys.stderr
        pipeline = run("{PIPELINE} ndapybridge name=b "
                       "plugin={write_plugin()} ! fakesink")
        assert before == (sys.getswitchinterval(), gc.isenabled(),
                          gc.get_threshold())
        assert gc.get_freeze_count() == 0
        assert (out, err) == (sys.stdout, sys.stderr)
        pipeline.set_state(Gst.State.NULL)
        """
    )

    assert result.returncode == 0, result.stderr


def test_a_python_application_is_told_once_of_processes():
    bridges = "ndapybridge plugin=gain ! ndapybridge plugin=gain ! fakesink"
    play = f'run("{PIPELINE} {bridges}").set_state(Gst.State.NULL)'
    told = python(play, **LOG)
    ours = launch(PIPELINE + bridges, env=LOG)

    advice = "isolation=process keeps them apart"
    assert told.returncode == 0 and told.stderr.count(advice) == 1
    assert ours.returncode == 0 and advice.encode() not in ours.stderr


def test_python_is_the_system_s_whatever_comes_first_on_path(
    write_plugin, tmp_path
):
    other = tmp_path / "bin"
    other.mkdir()
    for name in ("python3", "python3-config", "python"):
        (other / name).write_text("#!/bin/sh\nexit 1\n")
        (other / name).chmod(0o755)
    path = write_plugin(
        """
        import sys
        def initialize(self):
            print("PREFIX", sys.prefix, sys.executable, flush=True)
            return True
        Plugin.initialize = initialize
        """
    )

    result = launch(
        f"{PIPELINE} ndapybridge plugin={path} ! fakesink",
        env={**LOG, "PATH": f"{other}:{os.environ['PATH']}"},
    )

    assert result.returncode == 0, result.stderr.decode()
    assert f"PREFIX {sys.base_prefix} ".encode() in result.stderr


def test_1_3_t1_gil_is_free_while_the_application_idles(write_plugin):
    # the main thread never runs Python again; plugins' threads must
    path = write_plugin(
        """
        import threading
        def start(self):
            done = threading.Event()
            threading.Thread(target=done.set).start()
            return done.wait(60)
        Plugin.start = start
        """
    )

    result = launch(f"{PIPELINE} ndapybridge plugin={path} ! fakesink")

    assert result.returncode == 0, result.stderr.decode()


def test_t2_broken_gst_python_is_an_error_and_no_hang(tmp_path, write_plugin):
    loader = next(
        (
            os.path.join(folder, "libgstpython.so")
            for folder in os.environ.get("GST_PLUGIN_PATH_1_0", "").split(":")
            if os.path.exists(os.path.join(folder, "libgstpython.so"))
        ),
        None,
    )
    if not loader:
        pytest.skip("gstreamer1.0-python3-plugin-loader is not installed")
    gi = tmp_path / "gi"
    gi.mkdir()
    (gi / "__init__.py").write_text("raise ImportError('broken on purpose')")

    result = launch(
        f"{PIPELINE} ndapybridge plugin={write_plugin()} ! fakesink",
        env={
            "PYTHONPATH": str(tmp_path),
            "GST_REGISTRY": str(tmp_path / "registry"),
            "GST_REGISTRY_FORK": "no",
            "G_DEBUG": "",
        },
    )

    # either the broken plugin kept the GIL, or this GStreamer gives it back
    if result.returncode:
        assert "keeps Python's lock for itself" in result.stderr.decode()


def test_t7_application_may_end_while_it_plays(write_plugin):
    result = python(
        f"""
        pipeline = Gst.parse_launch("audiotestsrc is-live=true ! "
            "audio/x-raw,format=F32LE,rate=48000,channels=2 ! ndapybridge "
            "name=b plugin={write_plugin()} ! fakesink name=sink")
        pipeline.set_state(Gst.State.PLAYING)
        bridge = pipeline.get_by_name("b")
        while bridge.props.stats["num-blocks"] < 3:
            os.sched_yield()
        print("END", flush=True)
        """
    )

    assert "END" in result.stdout
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("where", ["import", "block"])
def test_t8_ctrl_c_ends_gst_launch(write_plugin, tmp_path, where):
    path = write_plugin(
        """
        import asyncio, signal
        signal.getsignal(signal.SIGINT)
        """
        if where == "import"
        else """
        def process_audio(self, buffer):
            import asyncio, signal
            return True
        Plugin.process_audio = process_audio
        """
    )
    out = tmp_path / "out.raw"
    process = subprocess.Popen(
        ["gst-launch-1.0", "-e"]
        + (
            "audiotestsrc is-live=true ! audio/x-raw,format=F32LE,rate=48000"
            f" ! ndapybridge plugin={path} ! filesink buffer-mode=2 "
            f"location={out}"
        ).split(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not out.exists() or out.stat().st_size < 3 * 2048:
        assert process.poll() is None, process.stderr.read()
        os.sched_yield()

    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0, errors
    assert b"EOS" in output
    assert out.stat().st_size % 4 == 0


def test_t9_application_that_holds_the_gil_may_change_the_state(
    write_plugin,
):
    # PyDLL keeps the GIL over a call, as a synchronous handler does
    result = python(
        f"""
        library = ctypes.PyDLL("libgstreamer-1.0.so.0")
        change = library.gst_element_set_state
        change.argtypes = [ctypes.c_void_p, ctypes.c_int]
        pipeline = Gst.parse_launch("audiotestsrc ! audio/x-raw,rate=48000,"
            "format=F32LE,channels=2 ! ndapybridge name=b "
            "plugin={write_plugin()} ! fakesink")
        bridge = pipeline.get_by_name("b")
        for state in (4, 3, 4, 1, 4, 1):
            # 0: failure
            assert change(hash(pipeline), state) != 0
            while state == 4 and bridge.props.stats["num-blocks"] < 3:
                os.sched_yield()
        """
    )

    assert result.returncode == 0, result.stderr


TELLS = """
import ctypes, os, sys
def initialize(self):
    print("TOLD", {what}, flush=True)
    return True
Plugin.initialize = initialize
"""


@pytest.mark.parametrize(
    "what, value",
    [
        ("sys.argv", "['']"),
        ("sys.flags.utf8_mode", "1"),
        ("sys.getfilesystemencoding()", "utf-8"),
        ("os.getcwd() == os.environ['PWD']", "True"),
    ],
)
def test_1_3_interpreter_of_ours_is_as_the_contract_says(
    write_plugin, tmp_path, what, value
):
    path = write_plugin(TELLS.format(what=what))

    result = launch(
        f"{PIPELINE} ndapybridge plugin={path} ! fakesink",
        env={**LOG, "LC_ALL": "C", "PWD": str(tmp_path)},
        cwd=tmp_path,
    )

    assert f"TOLD {value}\n" in result.stderr.decode()


def test_1_3_pythonpath_is_honoured(write_plugin, tmp_path):
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "only_on_pythonpath.py").write_text("")
    path = write_plugin("import only_on_pythonpath")

    result = launch(
        f"{PIPELINE} ndapybridge plugin={path} ! fakesink",
        env={"PYTHONPATH": f"{folder}:{os.environ['PYTHONPATH']}"},
    )

    assert result.returncode == 0, result.stderr.decode()


def version_name():
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def assert_is_used(root, write_plugin, more="os"):
    """Check that a plugin has the packages of the environment at `root`, and
    the modules `more`."""
    packages = root / "lib" / version_name() / "site-packages"
    (packages / "only_in_environment.py").write_text("")
    path = write_plugin(
        f"import only_in_environment, sys, {more}\n"
        f"assert sys.prefix == {str(root)!r}, sys.prefix\n"
    )

    result = launch(
        f"{PIPELINE} ndapybridge plugin={path} ! fakesink",
        env={"VIRTUAL_ENV": str(root)},
    )

    assert result.returncode == 0, result.stderr.decode()


def test_1_3_selected_virtual_environment_is_used(write_plugin, tmp_path):
    root = tmp_path / "environment"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "venv",
            "--without-pip",
            "--system-site-packages",
            root,
        ],
        check=True,
    )

    assert_is_used(root, write_plugin)


def test_1_3_environment_of_another_installation_has_its_packages_alone(
    write_plugin, tmp_path
):
    # As uv and pyenv make them: the same version, built elsewhere. Its own
    # standard library belongs to another libpython.
    version = version_name()
    other, root = tmp_path / "other", tmp_path / "environment"
    for folder in (other, root):
        (folder / "bin").mkdir(parents=True)
    (other / "lib" / version / "lib-dynload").mkdir(parents=True)
    (other / "lib" / version / "os.py").write_text("raise SystemError(1)")
    shutil.copy(os.path.realpath(sys.executable), other / "bin" / "python3")
    (root / "bin" / "python3").symlink_to(other / "bin" / "python3")
    (root / "pyvenv.cfg").write_text(
        f"home = {other / 'bin'}\ninclude-system-site-packages = true\n"
    )
    (root / "lib" / version / "site-packages").mkdir(parents=True)

    assert_is_used(root, write_plugin, "os, ssl")


def test_1_1_plugins_live_in_the_main_interpreter(write_plugin):
    path = write_plugin(
        TELLS.format(
            what="ctypes.pythonapi.PyInterpreterState_Get() == "
            "ctypes.pythonapi.PyInterpreterState_Main(), id(sys.modules)"
        )
    )

    result = launch(
        f"{PIPELINE} ndapybridge plugin={path} ! "
        f"ndapybridge plugin={path} ! fakesink",
        env=LOG,
    )

    told = re.findall(r"TOLD True (\d+)", result.stderr.decode())
    assert len(told) == 2 and len(set(told)) == 1


def test_1_4_libpython_can_be_seen_by_extension_modules(write_plugin):
    path = write_plugin(
        TELLS.format(what="hasattr(ctypes.CDLL(None), 'Py_IsInitialized')")
    )

    result = launch(
        f"{PIPELINE} ndapybridge plugin={path} ! fakesink", env=LOG
    )

    assert b"TOLD True" in result.stderr


def test_1_5_files_with_relative_names_go_to_the_current_directory(
    write_plugin, tmp_path
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = write_plugin("open('relative', 'w').close()")

    result = launch(
        f"{PIPELINE} ndapybridge plugin={path} ! fakesink", cwd=elsewhere
    )

    assert result.returncode == 0
    assert [entry.name for entry in elsewhere.iterdir()] == ["relative"]


def test_1_3_wrong_pythonhome_is_an_error_that_says_so(write_plugin, tmp_path):
    result = launch(
        f"{PIPELINE} ndapybridge plugin={write_plugin()} ! fakesink",
        env={"PYTHONHOME": str(tmp_path)},
    )

    assert result.returncode
    assert "PYTHONHOME" in result.stderr.decode()


ELEMENTS = [
    "ndasrc",
    "ndasink",
    "ndapybridge",
    "ndapysrc",
    "ndapysink",
    "ndaresample",
    "ndaencrypt",
    "ndadecrypt",
]


@pytest.fixture(params=ELEMENTS)
def element(gst, request):
    """The name of each element in turn."""
    if not gst.ElementFactory.find(request.param):
        pytest.skip(f"{request.param} is not built")
    return request.param


# With this a Python that starts tells of every module it imports
TELLTALE = {"PYTHONVERBOSE": "1"}


def test_1_2_inspecting_starts_no_python_and_opens_no_device(element):
    result = subprocess.run(
        ["gst-inspect-1.0", element],
        capture_output=True,
        text=True,
        env={**os.environ, **TELLTALE},
    )

    assert result.returncode == 0
    assert "import " not in result.stderr
    assert "ALSA" not in result.stderr


def test_1_2_python_that_starts_would_have_been_seen(write_plugin):
    result = launch(
        f"{PIPELINE} ndapybridge plugin={write_plugin()} ! fakesink",
        env=TELLTALE,
    )

    assert b"import " in result.stderr


def test_every_property_and_value_has_a_useful_blurb(gst, element):
    made = gst.ElementFactory.make(element)
    own = [
        pspec
        for pspec in made.list_properties()
        if pspec.owner_type.name.startswith("Nda")
    ]

    assert own
    for pspec in own:
        assert len(pspec.blurb) > 30, pspec.name
        assert pspec.blurb != pspec.nick
        if pspec.value_type.is_a(GObject.TYPE_ENUM):
            values = type(made.get_property(pspec.name)).__enum_values__
            for value in values.values():
                assert not value.value_name.startswith("NDA_"), value
