# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules 10 and 11 of the plugin contract: output and environment."""

import os

import numpy as np
import pytest

BLOCK = 512

PRINTS = """
def process_audio(self, buffer):
    print("ünïcödé \\u2603 " * 2000)
    return True
Plugin.process_audio = process_audio
"""


@pytest.fixture
def full_pipe():
    """The write end of a pipe that is full and that nobody reads."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(write_end, bytes(65536))
    os.set_blocking(write_end, True)
    yield write_end
    os.close(read_end)
    os.close(write_end)


def test_10_1_unicode_in_the_c_locale_with_stdout_full(
    launch_bridge, write_plugin, full_pipe
):
    result = launch_bridge(
        write_plugin(PRINTS), stdout=full_pipe, env={"LC_ALL": "C"}
    )

    assert result.returncode == 0
    assert "ünïcödé \u2603" in result.stderr.decode()


def test_10_1_every_way_to_print_reaches_the_log(launch_bridge, write_plugin):
    path = write_plugin(
        """
        import sys, threading, traceback, warnings
        def process_audio(self, buffer):
            if self.n_blocks:
                return True
            self.n_blocks = 1
            print("flushed \\u2603", flush=True)
            print("lone \\udc80 surrogate")
            sys.stdout.write("in two ")
            sys.stdout.write("halves\\n")
            sys.stdout.writelines(["as ", "lines\\n"])
            sys.stdout.buffer.write(b"as bytes\\n")
            warnings.warn("a warning")
            try:
                1 / 0
            except ZeroDivisionError:
                traceback.print_exc()
            thread = threading.Thread(target=print, args=["from a thread"])
            thread.start()
            thread.join()
            return not sys.stdout.isatty() and sys.stdout.encoding == "utf-8"
        Plugin.process_audio = process_audio
        """
    )

    result = launch_bridge(path, env={"LC_ALL": "C"})

    text = result.stderr.decode()
    assert result.returncode == 0, text
    for line in (
        "flushed \u2603",
        "lone \\udc80 surrogate",
        "in two halves",
        "as lines",
        "as bytes",
        "UserWarning: a warning",
        "ZeroDivisionError: division by zero",
        "from a thread",
    ):
        assert line in text


def test_10_1_text_without_an_end_of_line_is_not_hoarded(
    launch_bridge, write_plugin
):
    path = write_plugin(
        """
        def process_audio(self, buffer):
            for _ in range(1000):
                print("all one line", end=" ")
            return True
        Plugin.process_audio = process_audio
        """
    )

    result = launch_bridge(path)

    assert result.stderr.count(b"all one line") > 10000


def test_10_1_data_on_stdout_stays_clean(launch_bridge, write_plugin):
    result = launch_bridge(write_plugin(PRINTS), sink="fdsink fd=1")

    assert len(result.stdout) == 20 * BLOCK * 2 * 4


def test_10_1_output_can_be_inherited(launch_bridge, write_plugin):
    result = launch_bridge(
        write_plugin(PRINTS),
        env={"NDA_PYTHON_STDIO": "inherit", "LC_ALL": "C"},
    )

    assert "ünïcödé \u2603" in result.stdout.decode()


EXITS = ["sys.exit(1)", "raise KeyboardInterrupt", "raise GeneratorExit"]


@pytest.mark.parametrize("leave", EXITS)
@pytest.mark.parametrize("method", ["initialize", "start", "process_audio"])
def test_10_2_leaving_is_a_failure(
    launch_bridge, write_plugin, method, leave
):
    path = write_plugin(
        f"""
        import sys
        def leave(self, *args):
            {leave}
        Plugin.{method} = leave
        """
    )

    result = launch_bridge(path)

    text = result.stderr.decode()
    assert result.returncode > 0  # gst-launch's own: no signal
    assert f"The plugin “{path}” failed" in text


@pytest.mark.parametrize("leave", EXITS)
@pytest.mark.parametrize(
    "method",
    [
        "stop",
        "shutdown",
        "get_info",
        "set_parameter",
        "get_parameter",
        "get_processing_latency",
    ],
)
def test_10_2_leaving_elsewhere_does_not_even_stop_the_stream(
    make_bridge, write_plugin, noise, method, leave
):
    path = write_plugin(
        f"""
        import sys
        def leave(self, *args):
            {leave}
        Plugin.{method} = leave
        """
    )
    bridge = make_bridge(path, parameters="a=b")
    pushed = noise(BLOCK)

    for _ in range(2):
        bridge.play()
        bridge.push(pushed)
        assert bridge.element.emit("get-parameter", "a") == ""
        assert np.array_equal(bridge.pull()[1], pushed)
        bridge.stop()


SPOILED = """
class Spoiled:
    def __bool__(self):
        raise ValueError("neither true nor false")
    __float__ = __str__ = __bool__
    def __getattr__(self, name):
        raise ValueError("no such thing")
def spoil(self, *args):
    return Spoiled()
Plugin.{method} = spoil
import ctypes
def process_audio(self, buffer):
    # fails where an error is pending: ctypes looks for one after the call
    ctypes.pythonapi.PyErr_Occurred()
    return True
Plugin.process_audio = process_audio
"""


@pytest.mark.parametrize(
    "method",
    ["stop", "set_parameter", "get_parameter", "get_processing_latency"],
)
def test_10_3_no_error_is_pending_after_a_spoiled_result(
    make_bridge, write_plugin, noise, method
):
    bridge = make_bridge(
        write_plugin(SPOILED.format(method=method)), parameters="a=b"
    )

    for _ in range(2):
        bridge.play()
        for _ in range(3):
            bridge.element.emit("set-parameter", "c", "d")
            bridge.push(noise(BLOCK))
            assert bridge.pull()
            assert bridge.element.emit("get-parameter", "a") == ""
        bridge.pipeline.set_state(bridge.gst.State.READY)


def test_10_3_error_of_a_block_is_not_there_in_the_next(
    run, write_plugin, noise
):
    path = write_plugin(
        """
        import ctypes
        class Spoiled:
            def __bool__(self):
                raise ValueError("neither true nor false")
        def process_audio(self, buffer):
            ctypes.pythonapi.PyErr_Occurred()
            self.n_blocks += 1
            return Spoiled() if self.n_blocks % 2 else True
        Plugin.process_audio = process_audio
        """
    )

    outcome = run(path, np.split(noise(BLOCK * 8), 8), on_error="passthrough")

    assert outcome.error is None
    assert outcome.stats.get_value("num-failures") == 4
    assert "neither true nor false" in outcome.warnings[0][0].message


PROFILE = {
    "NDA_PROFILE": "yes",
    "NDA_PROFILE_PYPLUGINS": "On",
    "NDA_PROFILE_PYPLUGINS_INTERVAL_MS": "250",
    "NDA_NOT_ASCII": "schön",
}


def test_11_1_environment_is_seen_in_the_constructor(
    launch_bridge, write_plugin
):
    path = write_plugin(
        f"""
        import os
        def __init__(self):
            self.channels, self.n_blocks = 2, 0
            for name, value in {PROFILE!r}.items():
                assert os.environ[name] == value, os.environ.get(name)
            assert "NDA_NOT_SET" not in os.environ
        Plugin.__init__ = __init__
        """
    )

    result = launch_bridge(path, env={**PROFILE, "LC_ALL": "C"})

    assert result.returncode == 0, result.stderr.decode()


def test_11_1_environment_of_a_python_application_is_seen(
    run, write_plugin, monkeypatch
):
    monkeypatch.setenv("NDA_PROFILE", "yes")
    path = write_plugin(
        """
        import os
        Plugin.initialize = lambda self: os.environ["NDA_PROFILE"] == "yes"
        """
    )

    assert run(path, []).error is None
