# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin's process that does to the host what it can: the host stays."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from processes import descendants, shared_memory, wait_until

BLOCK = 512

# Behind a processor: it prints as fast as it can, for ever.
SPAM = """
import subprocess, sys, threading
SPAM = '''
import os
os.set_blocking(1, True)
while True:
    os.write(1, b"\\\\n" * 65536)
'''
def spam():
    while True:
        try:
            os.write(1, b"\\n" * 65536)
        except OSError:
            pass
def begin(how):
    if how == "thread":
        threading.Thread(target=spam, daemon=True).start()
    elif how == "thread that is waited for":
        threading.Thread(target=spam, daemon=False).start()
    else:
        subprocess.Popen([sys.executable, "-c", SPAM],
                         start_new_session=how == "session")
"""

# Behind a processor: the globals of the program that runs it.
PROGRAM = """
import os, sys
def program():
    frame = sys._getframe()
    while "serve_blocks" not in frame.f_globals:
        frame = frame.f_back
    return frame.f_globals
"""


@pytest.fixture
def isolation():
    return "process"


@pytest.fixture(autouse=True)
def nothing_left():
    """Neither a descriptor nor a process outlives the pipelines of a test."""
    yield
    assert descendants() == []
    assert shared_memory() == []


def loud(bridge, n_blocks=20, value=0.5):
    """Push and pull blocks; what came out."""
    out = []
    for _ in range(n_blocks):
        bridge.push(np.full((BLOCK, 2), value, np.float32))
        if (pulled := bridge.pull()) is None:
            break
        out.append(pulled[1])
    return out


def fail(gst, bridge):
    """The error that the change to READY fails with."""
    change = bridge.pipeline.set_state(gst.State.READY)
    assert change == gst.StateChangeReturn.FAILURE
    return bridge.wait(gst.MessageType.ERROR).parse_error()[0].message


# --- what comes from shared memory -------------------------------------------


def test_text_that_changes_while_it_is_judged(make_bridge, write_plugin):
    path = write_plugin(
        PROGRAM
        + textwrap.dedent(
            """
            import gc, mmap, threading
            def toggle(tail):
                while True:
                    for _ in range(200):
                        tail[:] = 255
                        tail[:] = 97
            class Long(Exception):
                def __str__(self): return "a" * 40000
            def process_audio(self, buffer):
                if not self.n_blocks:
                    memory = next(m for m in gc.get_objects()
                                  if isinstance(m, mmap.mmap))
                    data = np.frombuffer(memory, np.uint8)
                    threading.Thread(target=toggle, daemon=True,
                                     args=(data[32000:32767],)).start()
                self.n_blocks += 1
                raise Long()
            Plugin.process_audio = process_audio
            """
        )
    )
    bridge = make_bridge(path, on_error="silence")
    bridge.play()

    assert not np.any(loud(bridge, 100))


# --- what is answered --------------------------------------------------------

ANSWERS = {
    "nothing of a message": b"x",
    "a length beyond all bounds": b"\xff\xff\xff\xff\1\0\0\0",
    "another question": b"\2\0\0\0\7\0\0\0ok",
    "neither well nor ill": b"\3\0\0\0\1\0\0\0hmm",
    "half a problem": b"\x0c\0\0\0\1\0\0\0problem\0load",
    "texts that are not asked for": b"\5\0\0\0\1\0\0\0ok\0no",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_answer_to_loading_that_is_none(
    gst, make_bridge, write_plugin, answer
):
    path = write_plugin(
        f"""
        import os, time
        os.write(3, {ANSWERS[answer]!r})
        os.closerange(3, 7)
        while True:
            time.sleep(1000)
        """
    )

    assert "did not begin" in fail(gst, make_bridge(path))


def test_answer_to_loading_that_is_not_text(gst, make_bridge, write_plugin):
    text = b"problem\0load\0\xff\0caf\xe9 %n%s"
    head = len(text).to_bytes(4, "little") + b"\1\0\0\0"
    path = write_plugin(f"import os\nos.write(3, {head + text!r})\n")

    assert "caf� %n%s" in fail(gst, make_bridge(path))


def test_answer_of_a_group_that_is_not_text(gst, make_bridge, tmp_path):
    text = b"problem\0load\0\xff\0caf\xe9 %n%s"
    head = len(text).to_bytes(4, "little") + b"\1\0\0\0"
    python = tmp_path / "python"
    python.write_text(
        "#!/usr/bin/python3\nimport os, time\n"
        f"os.write(3, {head + text!r})\ntime.sleep(1000)\n"
    )
    python.chmod(0o755)

    bridge = make_bridge("gain", group="one", python=str(python))
    assert "caf� %n%s" in fail(gst, bridge)


@pytest.mark.parametrize(
    "taken",
    [
        (0, 2, 512),
        (1000, 2, 512),
        (768001, 2, 512),
        (48000, 2, 0),
        (48000, 0, 512),
        (48000, 65, 512),
        (48000, 2, 4294967295),
    ],
)
def test_start_with_a_format_that_no_plugin_can_have(
    gst, make_bridge, write_plugin, taken
):
    path = write_plugin(
        PROGRAM
        + textwrap.dedent(
            f"""
            def start(self):
                program()["Instance"].make_buffer = lambda *args: None
                program()["look_again"] = lambda *args: {taken}
                return True
            Plugin.start = start
            """
        )
    )
    bridge = make_bridge(path)
    bridge.play()
    bridge.push(np.ones((BLOCK, 2), np.float32))

    assert bridge.pull() is None
    error = bridge.wait(gst.MessageType.ERROR).parse_error()[0]
    assert "answers what was not asked" in error.message


@pytest.mark.parametrize("n_rings", [1, 2**64 - 2])
def test_doorbell_that_is_rung_for_no_reason(
    gst, make_bridge, write_plugin, n_rings
):
    path = write_plugin(
        f"""
        import os, time
        def process_audio(self, buffer):
            self.n_blocks += 1
            if self.n_blocks == 3:
                os.eventfd_write(6, {n_rings})
                time.sleep(1000)
            return True
        Plugin.process_audio = process_audio
        """
    )
    bridge = make_bridge(path, on_error="silence", restart="never")
    bridge.play()
    out = loud(bridge)

    assert np.all(out[:2]) and not np.any(out[2:])
    warning = bridge.wait(gst.MessageType.WARNING).parse_warning()[0]
    assert "answers what was not asked" in warning.message


@pytest.mark.parametrize(
    "change", [f"os.set_blocking({fd}, %s)" for fd in (3, 5, 6)]
)
@pytest.mark.parametrize("is_blocking", [True, False])
def test_deadline_holds_whatever_it_sets_about_its_descriptors(
    gst, make_bridge, write_plugin, change, is_blocking
):
    path = write_plugin(
        f"""
        import os, time
        def process_audio(self, buffer):
            self.n_blocks += 1
            if self.n_blocks == 3:
                {change % is_blocking}
                time.sleep(1000)
            return True
        Plugin.process_audio = process_audio
        """
    )
    bridge = make_bridge(
        path, on_error="silence", restart="never", deadline=50_000_000
    )
    bridge.play()
    out = loud(bridge)

    assert np.all(out[:2]) and not np.any(out[2:])


def test_descriptors_that_it_closes(gst, make_bridge, write_plugin):
    path = write_plugin(
        """
        import os
        def process_audio(self, buffer):
            self.n_blocks += 1
            if self.n_blocks == 3:
                os.closerange(3, 100)
            return True
        Plugin.process_audio = process_audio
        """
    )
    bridge = make_bridge(path, on_error="silence", restart="never")
    bridge.play()
    out = loud(bridge)

    assert np.all(out[:2]) and not np.any(out[2:])


# --- time --------------------------------------------------------------------


def test_signals_do_not_lengthen_a_wait(write_plugin, tmp_path):
    path = write_plugin(
        """
        import time
        def set_parameter(self, key, value):
            time.sleep(1000)
        Plugin.set_parameter = set_parameter
        """
    )
    program = """
        import ctypes, os, signal, sys, threading
        import gi
        gi.require_version("Gst", "1.0")
        from gi.repository import Gst
        Gst.init(None)
        bridge = Gst.ElementFactory.make("ndapybridge")
        bridge.set_property("plugin", sys.argv[1])
        Gst.util_set_object_arg(bridge, "isolation", "process")
        bridge.set_state(Gst.State.READY)
        n_alarms = 0
        # a handler in C, which does not return to Python
        ctypes.CDLL(None).signal(signal.SIGALRM, ctypes.CDLL(None).getpid)
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        bridge.emit("set-parameter", "x", "1")
        signal.setitimer(signal.ITIMER_REAL, 0)
        bridge.set_state(Gst.State.NULL)
        print("returned")
    """

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path],
        stdout=subprocess.PIPE,
        timeout=120,
    )

    assert done.stdout == b"returned\n"


@pytest.mark.parametrize(
    "how", ["thread", "thread that is waited for", "child", "session"]
)
def test_death_is_seen_however_much_is_printed(
    gst, make_bridge, write_plugin, how
):
    path = write_plugin(
        SPAM
        + textwrap.dedent(
            f"""
            import os
            def process_audio(self, buffer):
                self.n_blocks += 1
                if self.n_blocks == 3:
                    os._exit(3)
                return True
            def start(self):
                begin({how!r})
                return True
            Plugin.start, Plugin.process_audio = start, process_audio
            """
        )
    )
    bridge = make_bridge(path, on_error="silence")
    bridge.play()
    loud(bridge, 3)

    wait_until(lambda: bridge.get_stat("num-restarts") == 1)
    assert bridge.stop() == gst.StateChangeReturn.SUCCESS


def test_memory_is_seen_however_much_is_printed(
    gst, make_bridge, write_plugin
):
    path = write_plugin(
        SPAM
        + textwrap.dedent(
            """
            import os
            def process_audio(self, buffer):
                self.hoard = np.ones(50_000_000)
                return True
            def start(self):
                begin("thread")
                return True
            Plugin.start, Plugin.process_audio = start, process_audio
            """
        )
    )
    bridge = make_bridge(path, on_error="silence", memory_limit=200_000_000)
    bridge.play()
    loud(bridge, 1)

    wait_until(lambda: bridge.get_stat("num-restarts") == 1)


# --- what it leaves behind --------------------------------------------------


@pytest.mark.parametrize("is_session", [False, True])
@pytest.mark.parametrize(
    "end", ["os._exit(1)", "os.kill(os.getpid(), 9)", ""]
)
def test_what_it_started_ends_with_it(
    make_bridge, write_plugin, tmp_path, is_session, end
):
    pids = tmp_path / "pids"
    path = write_plugin(
        f"""
        import os, subprocess
        def start(self):
            child = subprocess.Popen(["sleep", "1000"],
                                     start_new_session={is_session})
            with open({str(pids)!r}, "a") as file:
                file.write(str(child.pid) + "\\n")
            return True
        def process_audio(self, buffer):
            {end or "pass"}
            return True
        Plugin.start, Plugin.process_audio = start, process_audio
        """
    )
    bridge = make_bridge(path, on_error="silence", restart="never")
    bridge.play()
    loud(bridge, 1)
    bridge.stop()

    (pid,) = pids.read_text().split()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}/fd/0"))


def test_memory_of_what_it_started_counts(make_bridge, write_plugin):
    path = write_plugin(
        """
        import subprocess, sys
        HOARD = "hoard = b'1' * 400_000_000; input()"
        def process_audio(self, buffer):
            self.child = subprocess.Popen([sys.executable, "-c", HOARD],
                                          stdin=subprocess.PIPE)
            return True
        Plugin.process_audio = process_audio
        """
    )
    bridge = make_bridge(path, on_error="silence", memory_limit=300_000_000)
    bridge.play()
    loud(bridge, 1)

    wait_until(lambda: bridge.get_stat("num-restarts") == 1)


def test_what_the_application_started_is_left_alone(
    make_bridge, write_plugin
):
    with subprocess.Popen(["sleep", "1000"]) as mine:
        bridge = make_bridge(write_plugin())
        bridge.play()
        loud(bridge, 1)
        bridge.stop()

        assert mine.poll() is None
        mine.send_signal(signal.SIGKILL)
