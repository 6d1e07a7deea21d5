# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A quantum that another program forces upon the desktop, live.

Run below `with-rig --server pipewire one`.
"""

import subprocess

import gi
import pytest

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

PATIENCE = 60 * Gst.SECOND
N_JUDGED = 64  # periods, after some at the start
WORDS = "works in periods of 1024 frames"


def force_quantum(n_frames: int) -> None:
    """By the command that the warning names."""
    subprocess.run(
        ["env", "-u", "LD_PRELOAD", "pw-metadata", "-n", "settings", "0",
         "clock.force-quantum", str(n_frames)],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def pipeline():
    Gst.init(None)
    pipeline = Gst.parse_launch("ndasrc name=src ! ndasink name=sink")
    pipeline.set_state(Gst.State.PLAYING)
    yield pipeline
    pipeline.set_state(Gst.State.NULL)
    force_quantum(0)


def pass_blocks(pipeline: Gst.Pipeline, n_blocks: int) -> list[str]:
    """Wait for so many more; return the warnings of the source meanwhile."""
    src, told = pipeline.get_by_name("src"), []

    def count() -> int:
        return src.get_property("stats").get_value("num-blocks")

    end = count() + n_blocks
    while count() < end:
        message = pipeline.get_bus().timed_pop_filtered(
            Gst.SECOND // 10, Gst.MessageType.WARNING | Gst.MessageType.ERROR
        )
        if message and message.type == Gst.MessageType.ERROR:
            pytest.fail(str(message.parse_error()))
        if message and message.src == src:
            told.append(message.parse_warning()[0].message)
    return told


def test_quantum_that_makes_50_ms_impossible_is_told_once(pipeline):
    before = pass_blocks(pipeline, 3 * N_JUDGED)
    force_quantum(1024)
    after = pass_blocks(pipeline, 8 * N_JUDGED)

    assert not any("periods of" in text for text in before)
    assert len([text for text in after if WORDS in text]) == 1
