# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The latency that is reported, measured by a clock that only the test moves.

A live source gives each block when its last frame is due. What leaves the
plugins then has waited for as long as they say, to the frame: it leaves with
the input that completes it, and not one later.
"""

import pytest

from delays import BLOCK, SECOND, delaying, frames_of

N_BLOCKS = 40

# frames and look-ahead of each plugin, and what they hold back together
CHAINS = {
    "whole blocks": ([(512, 0)], 0),
    "480": ([(480, 0)], 448),
    "look-ahead of 72": ([(512, 72)], 72),
    "960": ([(960, 0)], 896),
    "three": ([(480, 0), (512, 72), (960, 5)], 448 + 72 + 901),
}


@pytest.fixture
def clock(gst):
    import gi

    gi.require_version("GstCheck", "1.0")
    from gi.repository import GstCheck

    return GstCheck.TestClock.new()


@pytest.fixture
def make_live_line(make_line, clock, tmp_path):
    """A live source, the plugins, and an appsink; `py` is the last one."""

    def make(formats):
        paths = []
        for n, (frames, latency) in enumerate(formats):
            paths.append(tmp_path / f"delay{n}.py")
            paths[-1].write_text(delaying(frames=frames, latency=latency))
        return make_line(
            "ndapysrc plugin=sine is-live=true ! "
            + "".join(f"ndapybridge plugin={path} ! " for path in paths[:-1])
            + "ndapybridge name=py ! appsink name=sink sync=false",
            paths[-1],
            clock=clock,
        )

    return make


def latency_of(gst, line):
    """In frames, at the element's source pad, and without the source's."""
    query = gst.Query.new_latency()
    assert line.element.get_static_pad("src").query(query)
    is_live, least, _ = query.parse_latency()
    assert is_live
    return frames_of(least) - BLOCK


@pytest.mark.parametrize("chain", CHAINS)
def test_21_a_block_leaves_with_the_input_that_completes_it(
    gst, make_live_line, clock, chain
):
    formats, held = CHAINS[chain]
    line = make_live_line(formats)
    began = clock.get_time()
    left = []  # the end of each block, and when it left, in frames

    def note(_pad, info):
        buffer = info.get_buffer()
        end = frames_of(buffer.pts + buffer.duration)
        left.append((end, frames_of(clock.get_time() - began)))
        return gst.PadProbeReturn.OK

    line.element.get_static_pad("src").add_probe(
        gst.PadProbeType.BUFFER, note
    )
    line.play()

    for n in range(1, N_BLOCKS + 1):
        clock.wait_for_next_pending_id()
        clock.crank()
        if n * BLOCK > held:
            sample = line.sink.emit("try-pull-sample", 60 * SECOND)
            assert sample is not None, "a block leaves later than it could"
    clock.wait_for_next_pending_id()

    assert [at for _, at in left] == [
        n * BLOCK for n in range(1, N_BLOCKS + 1) if n * BLOCK > held
    ]
    assert {at - end for end, at in left} == {held}
    assert latency_of(gst, line) == held
