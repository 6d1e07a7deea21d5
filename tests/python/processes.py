# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The processes, threads and descriptors of a test."""

import os
import subprocess
import sys

PATIENCE = 120  # seconds: of a program that hangs

# The address space has no room for the stack of one more thread
NO_THREAD = """
import resource, sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
element = Gst.parse_launch(sys.argv[1])
bus = Gst.Bus()
element.set_bus(bus)
with open("/proc/self/statm") as statm:
    size = int(statm.read().split()[0]) * resource.getpagesize()
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
resource.setrlimit(resource.RLIMIT_AS, (size + 4 * 2**20, hard))
result = element.set_state(Gst.State.READY)
resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
assert result == Gst.StateChangeReturn.FAILURE
print(bus.pop_filtered(Gst.MessageType.ERROR).parse_error()[0].message)
element.set_state(Gst.State.NULL)
assert element.set_state(Gst.State.READY) == Gst.StateChangeReturn.SUCCESS
element.set_state(Gst.State.NULL)
"""


def error_without_threads(description):
    """What an element says that finds no thread on its way to READY. It gets
    there as soon as there is one."""
    done = subprocess.run(
        [sys.executable, "-c", NO_THREAD, description],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _parents():
    """Every process, zombies too, and its parent."""
    found = {}
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat") as stat:
                parent = stat.read().rpartition(")")[2].split()[1]
            found[int(name)] = int(parent)
        except (OSError, ValueError):
            continue
    return found


def _name(pid):
    try:
        with open(f"/proc/{pid}/comm") as comm:
            return comm.read().strip()
    except OSError:
        return ""


def _all_children(pid):
    pid = pid or os.getpid()
    return [child for child, parent in _parents().items() if parent == pid]


def children(pid=None):
    """The processes that plugins run in, by their number."""
    found = _all_children(pid)
    return [child for child in found if _name(child) != "nda-py-mould"]


def only_child():
    """The process of the only plugin that runs: one that has just ended is
    waited for, so that no signal goes to it."""
    wait_until(lambda: len(children()) == 1)
    (child,) = children()
    return child


def moulds(pid=None):
    """The processes that these are forked from."""
    found = _all_children(pid)
    return [child for child in found if _name(child) == "nda-py-mould"]


def descendants(pid=None):
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def shared_memory():
    """The descriptors of memory that is shared with a plugin's process, or of
    the process itself."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            link = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if "memfd:nda" in link or "pidfd" in link:
            found.append(link)
    return found


def wait_until(is_so):
    while not is_so():
        os.sched_yield()
