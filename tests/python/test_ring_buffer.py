# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`AudioRingBuffer`, rule 2.6 of the plugin contract."""

import sys
import threading

import numpy as np
import pytest

from nda import AudioRingBuffer, RingBufferStats

UNTOUCHED = -1.0


def count_up(first, n_frames, channels=2):
    """Frames numbered from `first`; channel c holds number + c / 4."""
    numbers = np.arange(first, first + n_frames, dtype=np.float32)
    return numbers + np.arange(channels, dtype=np.float32)[:, None] / 4


def read(ring, n_frames):
    """Read up to `n_frames`; check that nothing else was touched."""
    out = np.full((ring.get_channels(), n_frames), UNTOUCHED, np.float32)
    n_read = ring.read_into(out)
    assert (out[:, n_read:] == UNTOUCHED).all()
    return out[:, :n_read]


def stats(ring):
    now = ring.get_stats()
    return now.dropped_frames, now.overflow_events


def test_2_6_stats_default_to_zero():
    assert RingBufferStats() == RingBufferStats(
        dropped_frames=0, overflow_events=0
    )
    assert RingBufferStats(3, 2).dropped_frames == 3
    assert RingBufferStats(3, 2).overflow_events == 2


@pytest.mark.parametrize("channels, capacity", [(0, 0), (-3, -1), (1, 1)])
def test_2_6_constructor_numbers_are_floored_at_1(channels, capacity):
    ring = AudioRingBuffer(channels, capacity)

    assert (ring.get_channels(), ring.get_capacity_frames()) == (1, 1)


def test_2_6_starts_empty():
    ring = AudioRingBuffer(2, 8)

    assert ring.get_available_frames() == 0
    assert ring.get_free_frames() == 8
    assert read(ring, 4).shape == (2, 0)
    assert stats(ring) == (0, 0)


def test_2_6_frames_come_out_in_order_across_the_seam():
    ring = AudioRingBuffer(2, 7)
    got = []

    for first in range(0, 60, 3):
        ring.write(count_up(first, 3))
        assert ring.get_available_frames() + ring.get_free_frames() == 7
        got.append(read(ring, 2 + first // 3 % 3))
    got.append(read(ring, 7))

    assert (np.hstack(got) == count_up(0, 60)).all()
    assert stats(ring) == (0, 0)


def test_2_6_read_takes_what_fits_and_leaves_the_rest():
    ring = AudioRingBuffer(2, 8)
    ring.write(count_up(0, 5))

    assert (read(ring, 2) == count_up(0, 2)).all()
    assert ring.get_available_frames() == 3
    assert (read(ring, 100) == count_up(2, 3)).all()
    assert ring.get_available_frames() == 0


def test_2_6_overflow_drops_the_oldest_and_counts():
    ring = AudioRingBuffer(2, 8)
    ring.write(count_up(0, 6))

    ring.write(count_up(6, 5))

    assert stats(ring) == (3, 1)
    assert ring.get_free_frames() == 0
    assert (read(ring, 8) == count_up(3, 8)).all()


def test_2_6_filling_to_the_brim_is_no_overflow():
    ring = AudioRingBuffer(2, 8)

    ring.write(count_up(0, 3))
    ring.write(count_up(3, 5))

    assert stats(ring) == (0, 0)
    assert (read(ring, 8) == count_up(0, 8)).all()


def test_2_6_a_block_beyond_the_capacity_replaces_everything():
    ring = AudioRingBuffer(2, 8)
    ring.write(count_up(0, 5))

    ring.write(count_up(100, 19))

    assert stats(ring) == (11, 1)
    assert (read(ring, 100) == count_up(111, 8)).all()


def test_2_6_a_block_of_the_capacity_replaces_everything():
    ring = AudioRingBuffer(2, 8)
    ring.write(count_up(0, 5))
    read(ring, 3)

    ring.write(count_up(100, 8))

    assert stats(ring) == (0, 1)
    assert (read(ring, 100) == count_up(100, 8)).all()


def test_2_6_every_overflow_is_one_event():
    ring = AudioRingBuffer(1, 4)

    for first in range(0, 30, 3):
        ring.write(count_up(first, 3, channels=1))

    assert stats(ring) == (26, 9)
    assert (read(ring, 4) == count_up(26, 4, channels=1)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.int16, ">f4"])
def test_2_6_other_types_are_converted(dtype):
    ring = AudioRingBuffer(1, 8)

    ring.write(np.array([[1, -2, 3]], dtype=dtype))
    ring.write([[4, 5]])

    got = read(ring, 8)
    assert got.dtype == np.float32
    assert got.tolist() == [[1, -2, 3, 4, 5]]


def test_2_6_frames_are_kept_bit_by_bit():
    ring = AudioRingBuffer(1, 3)
    # A signalling NaN with a payload, minus infinity, a denormal
    bits = np.array([[0x7FA12345, 0xFF800000, 1]], dtype=np.uint32)
    ring.write(np.zeros((1, 2)))
    read(ring, 2)

    ring.write(bits.view(np.float32)[:, :2])
    ring.write(bits.view(np.float32)[:, 2:])

    assert (read(ring, 3).view(np.uint32) == bits).all()


def test_2_6_the_ring_keeps_a_copy():
    ring = AudioRingBuffer(2, 8)
    block = count_up(0, 4)

    ring.write(block)
    block[:] = 99

    assert (read(ring, 8) == count_up(0, 4)).all()


def test_2_6_empty_blocks_are_ignored():
    ring = AudioRingBuffer(2, 2)
    ring.write(count_up(0, 2))
    before = stats(ring)

    ring.write(np.zeros((2, 0)))

    assert stats(ring) == before
    assert ring.get_available_frames() == 2
    assert ring.read_into(np.zeros((2, 0), np.float32)) == 0


@pytest.mark.parametrize(
    "shape", [(), (4,), (1, 4), (3, 4), (1, 0), (2, 4, 1)]
)
def test_2_6_wrong_shapes_raise_and_change_nothing(shape):
    ring = AudioRingBuffer(2, 8)
    ring.write(count_up(0, 4))
    out = np.full(shape, UNTOUCHED, np.float32)

    with pytest.raises(ValueError, match=r"\(2, frames\)"):
        ring.write(out)
    with pytest.raises(ValueError, match=r"\(2, frames\)"):
        ring.read_into(out)

    assert (out == UNTOUCHED).all()
    assert stats(ring) == (0, 0)
    assert (read(ring, 8) == count_up(0, 4)).all()


def test_2_6_read_into_needs_an_array():
    ring = AudioRingBuffer(2, 8)
    ring.write(count_up(0, 4))

    with pytest.raises(ValueError, match="not list"):
        ring.read_into([[0.0], [0.0]])

    assert ring.get_available_frames() == 4


def test_2_6_reset_changes_the_shape_and_zeroes_everything():
    ring = AudioRingBuffer(2, 4)
    ring.write(count_up(0, 9))

    ring.reset(3, 0)

    assert (ring.get_channels(), ring.get_capacity_frames()) == (3, 1)
    assert ring.get_available_frames() == 0
    assert stats(ring) == (0, 0)


def test_2_6_clear_keeps_stats_and_shape():
    ring = AudioRingBuffer(2, 4)
    ring.write(count_up(0, 9))

    ring.clear()

    assert (ring.get_channels(), ring.get_capacity_frames()) == (2, 4)
    assert (ring.get_available_frames(), ring.get_free_frames()) == (0, 4)
    assert stats(ring) == (5, 1)
    ring.write(count_up(20, 2))
    assert (read(ring, 4) == count_up(20, 2)).all()


def test_2_6_get_stats_returns_a_copy():
    ring = AudioRingBuffer(2, 4)
    first = ring.get_stats()

    first.dropped_frames = 7
    ring.write(count_up(0, 6))

    assert first == RingBufferStats(7, 0)
    assert stats(ring) == (2, 1)


def run_threads(*functions):
    """Run all at once; raise here what one of them raised."""
    errors = []

    def guard(function):
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=guard, args=(function,))
        for function in functions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


# The switch interval only makes it likelier that the threads meet in the
# middle of something; what is asserted holds however they do.
@pytest.fixture
def many_switches():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def test_2_6_reader_and_writer_at_once(many_switches):
    ring = AudioRingBuffer(2, 1000)
    total = 300_000
    written = threading.Event()
    got = []

    def write():
        # Sizes from 1 to 97, so that every seam is met
        first = 0
        while first < total:
            n_frames = min(1 + first % 97, total - first)
            ring.write(count_up(first, n_frames))
            first += n_frames
        written.set()

    def read_all():
        done = False
        while not done:
            # In this order: what comes after the last write is empty
            done = written.is_set()
            block = read(ring, 128)
            got.append(block)
            done = done and block.shape[1] == 0

    run_threads(write, read_all)

    frames = np.hstack(got)
    assert frames.shape[1] + ring.get_stats().dropped_frames == total
    assert (np.diff(frames[0]) > 0).all()
    assert (frames[1] == frames[0] + 0.25).all()
    assert frames[0, -1] == total - 1


def test_2_6_two_writers_lose_no_count(many_switches):
    ring = AudioRingBuffer(1, 64)
    block = np.zeros((1, 7), dtype=np.float32)

    def write():
        for _ in range(3000):
            ring.write(block)

    run_threads(write, write)

    # Nine of 7 frames fit into 64; the tenth drops 6, every later one 7.
    assert stats(ring) == (2 * 3000 * 7 - 64, 2 * 3000 - 9)
    assert ring.get_available_frames() == 64
