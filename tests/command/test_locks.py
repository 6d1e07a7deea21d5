# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two runs of the command in one build directory."""

import fcntl
import os
import subprocess
import sys

import pytest

from nda.command.checkout import lock

HOLD = """
import sys
from pathlib import Path
from nda.command.checkout import lock
with lock.{how}:
    print("got it", flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "build" / "nda-logs").mkdir(parents=True)
    return tmp_path / "build" / "nda-logs"


def start(how):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD.format(how=how)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_second_run_waits_for_the_first_and_says_so(folder):
    with lock.alone(folder, "test"):
        second = start(f"alone(Path({str(folder)!r}), 'build')")
        said = second.stderr.readline()
        assert f"“./nda test” (process {os.getpid()})" in said
        assert "waits" in said
        assert second.poll() is None

    assert second.communicate()[0] == "got it\n"
    assert second.returncode == 0


def test_nobody_who_is_alone_waits(folder):
    out, err = start(f"alone(Path({str(folder)!r}), 'build')").communicate()

    assert (out, err) == ("got it\n", "")


def test_a_build_in_use_is_not_removed(folder):
    descriptor = lock.share(folder)
    second = start(f"unused(Path({str(folder)!r}))")
    assert "waits for their end" in second.stderr.readline()
    assert second.poll() is None

    os.close(descriptor)

    assert second.communicate()[0] == "got it\n"


def test_several_use_a_build_at_once(folder):
    descriptors = [lock.share(folder), lock.share(folder)]

    with pytest.raises(BlockingIOError):
        third = lock.open_lock(folder / "used")
        fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for descriptor in [*descriptors, third]:
        os.close(descriptor)


def test_it_stays_in_use_by_the_program_that_takes_over(folder):
    descriptor = lock.share(folder)

    assert os.get_inheritable(descriptor)
    os.close(descriptor)


def test_a_lock_whose_folder_was_removed_meanwhile_is_taken_anew(folder):
    first = lock.open_lock(folder / "lock")
    fcntl.flock(first, fcntl.LOCK_EX)
    second = start(f"alone(Path({str(folder)!r}), 'build')")
    second.stderr.readline()
    (folder / "lock").unlink()
    folder.rmdir()

    os.close(first)

    assert second.communicate()[0] == "got it\n"
    assert (folder / "lock").exists()
