# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes of plugins that are forked from a mould, and those that are not.
"""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from processes import children, moulds, only_child, wait_until
from sandboxes import forbidding

BLOCK = 512
MAX_PSS_KIB = 8 * 1024

# Tells what it is asked for, as a parameter: a Python expression
TELLING = """
import os, random, sys, threading
def get_parameter(self, key):
    return str(eval(key))
Plugin.get_parameter = get_parameter
"""


@pytest.fixture
def isolation():
    return "process"


@pytest.fixture
def make_telling(make_bridge, write_plugin):
    """Bridges with a plugin that tells things of its process."""

    def make(begin="", **props):
        path = write_plugin(TELLING + textwrap.dedent(begin))
        bridge = make_bridge(path, on_error="silence", **props)
        bridge.play()
        return bridge

    return make


def ask(bridge, expression):
    return bridge.element.emit("get-parameter", expression)


def plays(bridge):
    bridge.push(np.full((BLOCK, 2), 0.5, np.float32))
    return bridge.pull()[1].all()


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        line = next(line for line in rollup if line.startswith("Pss:"))
    return int(line.split()[1])


def test_workers_are_our_own_children_from_one_mould(make_telling):
    bridges = [make_telling() for _ in range(3)]

    (mould,) = moulds()
    pids = [int(ask(bridge, "os.getpid()")) for bridge in bridges]
    assert sorted(pids) == sorted(children())
    assert {ask(b, "os.getppid()") for b in bridges} == {str(os.getpid())}
    assert len(os.listdir(f"/proc/{mould}/task")) == 1
    assert all(os.getpgid(pid) == pid for pid in pids)
    assert all(map(plays, bridges))


def test_mould_has_four_descriptors_however_many_it_forked(make_telling):
    for _ in range(3):
        make_telling()

    (mould,) = moulds()
    assert len(os.listdir(f"/proc/{mould}/fd")) == 4


def test_mould_ends_with_the_last_that_needs_it(make_telling):
    first, second = make_telling(), make_telling()
    first.stop()
    assert len(moulds()) == 1

    second.stop()
    assert moulds() == [] and children() == []


def test_mould_that_dies_takes_nothing_along_and_is_replaced(make_telling):
    bridge = make_telling()
    (dead,) = moulds()
    os.kill(dead, 9)
    wait_until(lambda: not os.path.exists(f"/proc/{dead}/fd/0"))
    assert plays(bridge)

    os.kill(only_child(), 9)
    wait_until(lambda: bridge.get_stat("num-restarts") == 1)
    assert plays(bridge)
    assert [pid for pid in moulds() if pid != dead]
    bridge.stop()
    assert moulds() == [] and children() == []


def test_mould_that_died_outlives_the_one_in_its_place(make_telling):
    first = make_telling()
    (dead,) = moulds()
    os.kill(dead, 9)
    wait_until(lambda: not os.path.exists(f"/proc/{dead}/fd/0"))
    second = make_telling()
    assert [pid for pid in moulds() if pid != dead]
    second.stop()

    assert plays(first)
    first.stop()
    assert moulds() == [] and children() == []


def test_mould_that_does_not_answer_is_replaced(make_telling):
    import signal

    bridge = make_telling()
    (stopped,) = moulds()
    os.kill(stopped, signal.SIGSTOP)
    other = make_telling()

    assert plays(bridge) and plays(other)
    assert len([pid for pid in moulds() if pid != stopped]) == 1


def test_mould_that_forks_and_does_not_say_so_leaves_no_twin(
    make_telling, tmp_path, monkeypatch
):
    once = str(tmp_path / "once")
    (tmp_path / "silent_module.py").write_text(
        textwrap.dedent(
            f"""
            import os, signal
            def hang_once():
                if not os.path.exists({once!r}):
                    open({once!r}, "w").close()
                    signal.pause()
            os.register_at_fork(after_in_parent=hang_once)
            """
        )
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    bridge = make_telling("nda_preload = 'silent_module'")

    assert os.path.exists(once)
    (worker,) = children()
    assert ask(bridge, "os.getpid()") == str(worker)
    assert plays(bridge)
    bridge.stop()
    assert moulds() == [] and children() == []


def test_random_numbers_of_two_are_not_the_same(make_telling):
    import numpy.random  # noqa: F401

    first, second = make_telling(), make_telling()

    for source in ("random.random()", "np.random.random()"):
        assert ask(first, source) != ask(second, source)


def test_each_has_its_mark_in_the_environment_that_others_see(make_telling):
    seen = "open('/proc/self/environ').read().split('\\0')"
    mark = "os.environ['NDA_PYTHON_PROCESS']"
    told = f"'NDA_PYTHON_PROCESS=' + {mark} in {seen}"
    first, second = make_telling(), make_telling()

    assert ask(first, mark) != ask(second, mark)
    assert ask(first, told) == ask(second, told) == "True"


def test_child_that_it_forked_ends_with_it(make_telling):
    bridge = make_telling(
        """
        def fork():
            child = os.fork()
            if not child:
                os.setsid()
                threading.Event().wait()
            return child
        """
    )
    child = int(ask(bridge, "fork()"))
    bridge.stop()

    assert not os.path.exists(f"/proc/{child}/fd/0")


def test_it_is_in_the_folder_that_the_program_is_in(
    make_telling, tmp_path, monkeypatch
):
    make_telling()
    monkeypatch.chdir(tmp_path)
    second = make_telling()

    assert len(moulds()) == 1
    assert ask(second, "os.getcwd()") == str(tmp_path)


def test_another_environment_is_another_mould(make_telling, monkeypatch):
    make_telling()
    monkeypatch.setenv("NDA_TEST_MOULD", "second")
    second = make_telling()

    assert len(moulds()) == 2
    assert ask(second, "os.environ['NDA_TEST_MOULD']") == "second"


def test_another_limit_is_another_mould(make_telling):
    import resource

    make_telling()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        second = make_telling()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    limit = "__import__('resource').getrlimit(7)[0]"
    assert ask(second, limit) == str(soft - 1)


def test_plugin_can_opt_out(make_telling):
    bridge = make_telling("nda_fork = False")

    assert moulds() == []
    assert plays(bridge)


def test_plugin_can_name_what_is_loaded_before_the_fork(make_telling):
    bridge = make_telling(
        """
        was_there = "colorsys" in sys.modules, "nosuchmodule" in sys.modules
        nda_preload = "colorsys, nosuchmodule"
        """
    )

    assert len(moulds()) == 1
    assert ask(bridge, "was_there") == "(True, False)"


def test_what_starts_a_thread_is_not_forked(
    make_telling, tmp_path, monkeypatch
):
    (tmp_path / "threading_module.py").write_text(
        "import threading\n"
        "thread = threading.Thread(target=threading.Event().wait, daemon=True)"
        "\nthread.start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    bridge = make_telling("nda_preload = 'threading_module'")

    assert moulds() == []
    assert plays(bridge)


def test_interpreter_that_is_a_script_is_not_forked(make_telling, tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    bridge = make_telling(python=python)

    assert moulds() == []
    assert plays(bridge)


def test_each_beyond_the_first_takes_little_memory(make_telling):
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("AddressSanitizer has memory of its own")
    bridges = [make_telling()]
    few = sum(map(pss_kib, moulds() + children()))
    bridges += [make_telling() for _ in range(4)]
    assert all(map(plays, bridges))

    many = sum(map(pss_kib, moulds() + children()))
    assert (many - few) / 4 <= MAX_PSS_KIB


PROGRAM = """
    import os, sys
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
    Gst.init(None)
    bridge = Gst.ElementFactory.make("ndapybridge")
    bridge.set_property("plugin", sys.argv[1])
    Gst.util_set_object_arg(bridge, "isolation", "process")
    assert bridge.set_state(Gst.State.READY) == Gst.StateChangeReturn.SUCCESS
    print(bridge.emit("get-parameter", "os.getppid()") == str(os.getpid()))
    bridge.set_state(Gst.State.NULL)
"""


def test_system_without_clone3(write_plugin):
    program = forbidding("clone3", "ENOSYS") + textwrap.dedent(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-c", program, write_plugin(TELLING)],
        stdout=subprocess.PIPE,
        timeout=120,
    )

    assert done.returncode == 0
    assert done.stdout == b"True\n"
