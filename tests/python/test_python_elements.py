# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The elements written in Python as their users meet them: found, described,
beside ndapybridge, without a leak, and where something is missing."""

import gc
import os
import re
import signal
import subprocess

import pytest
from elements import (  # noqa: F401
    PATIENCE,
    complaints,
    launch,
    make_run,
    no_complaints,
)

ELEMENTS = ["ndatonesrc", "ndamicsrc", "ndaspectrum", "ndaspeakersink"]
N_BLOCKS = 10000


def inspect(name):
    return subprocess.run(
        ["gst-inspect-1.0", name],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("name", ELEMENTS)
def test_page_reads_like_that_of_a_c_element(name):
    result = inspect(name)

    assert result.returncode == 0 and complaints(result.stderr) == []
    page = result.stdout
    for title in ("Factory Details", "Pad Templates", "Element Properties"):
        assert title in page
    assert re.search(r"Author +the nda authors", page)
    assert re.search(r"Klass +\S+/Audio", page)
    properties = page.split("Element Properties:")[1].split("Element Act")[0]
    for line in re.findall(r"^  ([a-z-]+) +: *(.*)$", properties, re.M):
        assert line[1], f"{line[0]} says nothing"
    ours = {"freq", "wave", "volume", "bands", "interval", "threshold",
            "device", "cushion", "is-live", "location"}
    for name, flags in re.findall(
        r"^  ([a-z-]+) +: .*\n +flags: (.*)$", properties, re.M
    ):
        assert name not in ours or "changeable" in flags


def test_ctrl_c_ends_it():
    process = subprocess.Popen(
        ["gst-launch-1.0", "-e", "-m", *"ndatonesrc is-live=true ! "
         "ndaspectrum ! fakesink sync=true".split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = ""
    for line in process.stdout:
        said += line
        # Not before the pipeline plays: until then, gst-launch and live
        # sources may wait for each other in GStreamer 1.22.
        if "ndaspectrum, timestamp=" in line and "handling" not in said:
            process.send_signal(signal.SIGINT)
    errors = process.stderr.read()

    assert process.wait(PATIENCE) == 0, errors
    assert "Got EOS" in said
    assert complaints(errors) == []


# --- ten thousand blocks


def test_no_python_object_stays(make_run):
    def push_through():
        run = make_run(f"ndatonesrc num-buffers={N_BLOCKS} ! ndaspectrum")
        run.sink.set_property("drop", True)
        run.sink.set_property("wait-on-eos", False)
        run.sink.set_property("max-buffers", 1)
        run.play().wait(run.gst.MessageType.EOS)
        run.stop()
        while run.bus.pop():
            pass
        del run
        gc.collect()
        return len(gc.get_objects())

    first = push_through()
    second = push_through()

    # A run itself is kept by the fixture; a block left behind would be
    # thousands of objects.
    assert second - first < 500


def test_no_buffer_stays():
    result = launch(
        f"ndatonesrc num-buffers={N_BLOCKS} ! ndaspectrum ! fakesink",
        GST_TRACERS="leaks",
        GST_DEBUG="GST_TRACER:7",
        GST_DEBUG_NO_COLOR="1",
    )

    assert result.returncode == 0
    alive = re.findall(
        r"object-alive, type-name=\(string\)(\w+)", result.stderr
    )
    assert alive == []


# --- two owners of one interpreter


def test_gst_python_and_the_bridge_live_in_one_process():
    bridge = "ndapybridge plugin=passthrough"
    result = launch(
        f"ndatonesrc num-buffers=200 ! {bridge} ! ndaspectrum ! {bridge} ! "
        "fakesink",
    )

    assert result.returncode == 0, result.stderr
    assert "Got EOS" in result.stdout
    assert complaints(result.stderr) == []


def test_they_live_together_in_a_python_application(make_run, gst):
    run = make_run(
        "ndatonesrc num-buffers=200 ! ndapybridge plugin=passthrough ! "
        "ndaspectrum ! ndapybridge plugin=gain"
    ).play()

    assert len(run.pull_all()) == 200
    run.wait(gst.MessageType.EOS)


# --- what is missing


def without(tmp_path, module):
    folder = tmp_path / module
    folder.mkdir()
    (folder / "__init__.py").write_text(
        f"raise ImportError('No module named {module}')\n"
    )
    return {
        "PYTHONPATH": f"{tmp_path}:{os.environ['PYTHONPATH']}",
        "GST_REGISTRY": str(tmp_path / "registry"),
    }


@pytest.mark.parametrize("pipeline", [
    "ndatonesrc ! fakesink",
    "audiotestsrc ! ndaspectrum ! fakesink",
])
def test_without_numpy_the_error_says_so(tmp_path, pipeline):
    result = launch(pipeline, **without(tmp_path, "numpy"))

    assert result.returncode != 0
    told = [line for line in result.stderr.splitlines() if "NumPy" in line]
    assert len(told) == 1, result.stderr
    assert "apt-get install python3-numpy" in told[0]
    assert complaints(result.stderr) == []


def test_without_gi_one_line_says_so(tmp_path):
    environment = without(tmp_path, "gi")
    result = launch("ndatonesrc ! fakesink", **environment)
    other = launch("audiotestsrc num-buffers=1 ! fakesink", **environment)

    assert 'no element "ndatonesrc"' in result.stderr
    told = [line for line in result.stderr.splitlines() if "gi" in line]
    assert any("can't find gi" in line or "pygobject" in line for line in told)
    assert other.returncode == 0
