# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin in a sandbox: what it may, and what it may not."""

import ctypes
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from sandboxes import forbidding
from test_worker_python import PROGRAM

BLOCK = 512
has_landlock = ctypes.CDLL(None).syscall(444, 0, 0, 1) >= 1
VERSION = max(ctypes.CDLL(None).syscall(444, 0, 0, 1), 0)
needs_landlock = pytest.mark.skipif(
    not has_landlock, reason="this kernel has no Landlock"
)

# Each raises, unless the plugin may
ATTEMPTS = {
    "a socket": "socket.socket()",
    "a socket of this machine": "socket.socket(socket.AF_UNIX)",
    "a file that is new": "open(OUTSIDE + '/new', 'w')",
    "a file that is there": "open(OUTSIDE + '/old', 'a')",
    "the end of a file": "os.remove(OUTSIDE + '/old')",
    "another name": "os.rename(OUTSIDE + '/old', OUTSIDE + '/older')",
    "other rights": "os.chmod(OUTSIDE + '/old', 0o777)",
    "rights by a descriptor": "os.fchmod(open(OUTSIDE + '/old').fileno(), 0)",
    "another time": "os.utime(OUTSIDE + '/old')",
    "a folder": "os.mkdir(OUTSIDE + '/folder')",
    "a link": "os.symlink('/', OUTSIDE + '/link')",
    "memory of the host": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "environment of the host": "open(f'/proc/{os.getppid()}/environ')"
                               ".read()[0]",
    "ptrace": "call(101 if x86 else 117, 16, os.getppid(), 0, 0)",
    "io_uring": "call(425, 1, ctypes.create_string_buffer(200))",
    "a limit of the host": "resource.prlimit(os.getppid(), CORE, "
                           "resource.prlimit(os.getppid(), CORE))",
    "shared memory": "call(29 if x86 else 194, 0, 4096, 0o1600)",
    "a semaphore": "call(64 if x86 else 190, 0, 1, 0o1600)",
    "a queue of messages": "call(68 if x86 else 186, 0, 0o1600)",
    "a queue with a name": "call(240 if x86 else 180, b'nda', 0o100, 384, 0)",
    "an attribute": "os.setxattr(OUTSIDE + '/old', 'user.nda', b'')",
    "an attribute in a folder": "call(463, -100, OUTSIDE.encode() + b'/old', "
                                "0, b'user.nda', bytes(16), "
                                "ctypes.c_long(16))",
    "an attribute of a file": "call(469, -100, OUTSIDE.encode() + b'/old', "
                              "bytes(24), 24, 0)",
    "a namespace": "call(272 if x86 else 97, 0x10000000)",
    "in a child": "subprocess.run([sys.executable, '-c', 'import socket; "
                  "socket.socket()'], check=True, stderr=subprocess.DEVNULL)",
}
if VERSION >= 3:
    ATTEMPTS["an end of a file"] = "os.truncate(OUTSIDE + '/old', 0)"
if VERSION >= 6:
    ATTEMPTS["a signal to the host"] = "os.kill(os.getppid(), 0)"

TRY = """
import ctypes, json, os, resource, socket, subprocess, sys
CORE = resource.RLIMIT_CORE
x86 = os.uname().machine == "x86_64"
OUTSIDE, INSIDE = %r, %r
def call(*arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "syscall")
def start(self):
    try:
        %s
        note("may")
    except (OSError, IndexError, subprocess.CalledProcessError):
        note("may not")
    return True
Plugin.start = start
"""


@pytest.fixture
def isolation():
    return "process"


@pytest.fixture
def attempt(make_bridge, write_noting_plugin, tmp_path, monkeypatch):
    """What came of code that a plugin runs."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "old").write_text("text")
    journal_path = inside / "journal"

    def make(code, **props):
        monkeypatch.setenv("NDA_TEST_JOURNAL", str(journal_path))
        path = write_noting_plugin(TRY % (str(outside), str(inside), code))
        bridge = make_bridge(path, sandbox_folder=inside, **props)
        bridge.play()
        bridge.push(np.ones((BLOCK, 2), np.float32))
        assert bridge.pull()[1].all()
        text = journal_path.read_text()
        assert '["may"]' in text or '["may not"]' in text
        return '["may"]' in text

    return make


@needs_landlock
@pytest.mark.parametrize("what", ATTEMPTS)
def test_what_it_may_not(attempt, what):
    assert not attempt(ATTEMPTS[what], sandbox="on")


@needs_landlock
@pytest.mark.parametrize(
    "code",
    [
        "open(INSIDE + '/new', 'w').write('text')",
        "os.mkdir(INSIDE + '/folder')",
        "open('/dev/null', 'w').write('text')",
        "open(OUTSIDE + '/old').read()",
        "socket.socketpair()",
        "subprocess.run(['true'], check=True)",
        "__import__('threading').Thread(target=print).start()",
        "__import__('ctypes').CDLL(None)",
        "resource.setrlimit(CORE, (0, 0))",
        "resource.prlimit(os.getppid(), CORE)",
    ],
)
def test_what_it_may(attempt, code):
    assert attempt(code, sandbox="on")


@pytest.mark.parametrize(
    "what", ["a socket", "a file that is new", "other rights"]
)
def test_without_a_sandbox_it_may(attempt, what):
    assert attempt(ATTEMPTS[what])


@needs_landlock
def test_folder_that_is_not_there_is_told(gst, make_bridge, write_plugin):
    bridge = make_bridge(write_plugin(), sandbox="on", sandbox_folder="/no/1")
    change = bridge.pipeline.set_state(gst.State.READY)

    assert change == gst.StateChangeReturn.FAILURE
    error = bridge.wait(gst.MessageType.ERROR).parse_error()[0]
    assert "/no/1" in error.message and "sandbox" in error.message


def test_system_without_it_refuses_the_plugin(write_plugin, tmp_path):
    ran = tmp_path / "ran"
    path = write_plugin(f"open({str(ran)!r}, 'w')\n")
    program = textwrap.dedent(PROGRAM).replace(
        "ndapybridge ", "ndapybridge sandbox=on "
    )

    done = subprocess.run(
        [sys.executable, "-c", forbidding("landlock_create_ruleset")
         + program, path],
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
    )

    assert "cannot be put into a sandbox on this system" in done.stderr
    assert "sandbox=off" in done.stderr
    assert not ran.exists()
