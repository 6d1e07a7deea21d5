# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rule 6 of the plugin contract: blocks, and what they may return."""

import warnings

import numpy as np
import pytest

BLOCK = 512


def blocks(noise, n_blocks=8):
    return np.split(noise(BLOCK * n_blocks), n_blocks)


def test_6_1_1_buffer_is_made_anew_only_for_another_shape(
    make_bridge, write_noting_plugin, journal
):
    bridge = make_bridge(
        write_noting_plugin(
            """
            kept = []
            def process_audio(self, buffer):
                if not any(buffer is one for one in kept):
                    kept.append(buffer)
                    note("new", *buffer.data.shape)
                return True
            Plugin.process_audio = process_audio
            """
        )
    )
    bridge.play()
    for channels in (2, 2, 1, 1):
        bridge.set_format(channels)
        bridge.push(np.zeros((BLOCK, channels)))
        bridge.pull()

    assert [what for name, *what in journal() if name == "new"] == [
        [2, BLOCK],
        [1, BLOCK],
    ]


def test_6_1_2_array_is_planar_float32_and_always_the_same(
    run, write_plugin, noise
):
    path = write_plugin(
        """
        def process_audio(self, buffer):
            data = buffer.data
            assert data.shape == (3, 512) and data.dtype == np.float32
            assert data.flags.c_contiguous and data.flags.writeable
            assert data.flags.aligned
            self.seen = getattr(self, "seen", (buffer, data))
            assert self.seen == (buffer, data) or self.seen[1] is data
            assert self.seen[0] is buffer
            data[0], data[1] = data[1].copy(), data[0].copy()
            return True
        Plugin.process_audio = process_audio
        """
    )
    pushed = noise(BLOCK * 3, 3)

    outcome = run(path, np.split(pushed, 3), channels=3)

    assert outcome.error is None
    assert np.array_equal(outcome.frames, pushed[:, [1, 0, 2]])


def test_6_1_2_bytes_of_the_array_are_channel_after_channel(
    run, write_plugin
):
    path = write_plugin(
        """
        def process_audio(self, buffer):
            left, right = np.arange(512), np.arange(512) + 1000
            assert buffer.data.tobytes() == (
                np.concatenate([left, right]).astype("=f4").tobytes())
            assert (buffer.get_channel_data(1) == right).all()
            assert buffer.get_frame_count() == 512
            assert buffer.get_channel_count() == 2
            return True
        Plugin.process_audio = process_audio
        """
    )
    ramp = np.arange(BLOCK)

    assert run(path, [np.stack([ramp, ramp + 1000], axis=1)]).error is None


def test_6_1_2_nothing_is_clipped(run, write_plugin, noise):
    path = write_plugin(
        """
        def process_audio(self, buffer):
            assert buffer.data.max() > 99
            buffer.data *= 2
            return True
        Plugin.process_audio = process_audio
        """
    )
    pushed = noise(BLOCK) * np.float32(100)

    assert np.array_equal(run(path, [pushed]).frames, pushed * 2)


@pytest.mark.parametrize("channels", [1, 2, 3, 64])
def test_6_1_3_bits_survive(run, channels):
    bits = np.random.default_rng(1).integers(
        0, 2**32, (BLOCK * 4 + 100, channels), dtype=np.uint32
    )
    bits[0, 0], bits[1, 0], bits[2, 0] = 0x7FA00001, 0x00000001, 0xFF800000
    outcome = run("passthrough", [bits.view(np.float32)], channels=channels)

    assert np.array_equal(outcome.frames.view(np.uint32), bits)


REBINDS = """
def process_audio(self, buffer):
    self.own = getattr(self, "own", buffer.data)
    assert buffer.data is self.own  # it was put back
    {rebind}
    return True
Plugin.process_audio = process_audio
"""


def check_rebind(run, write_plugin, pushed, rebind, expected):
    path = write_plugin(REBINDS.format(rebind=rebind))

    outcome = run(path, np.split(pushed, 2))

    assert outcome.error is None
    assert outcome.frames.tobytes() == expected.tobytes()


def test_6_1_4_rebind_same_dtype(run, write_plugin, noise):
    pushed = noise(BLOCK * 2)
    rebind = "buffer.data = buffer.data * np.float32(0.5)"

    check_rebind(run, write_plugin, pushed, rebind, pushed * np.float32(0.5))


def test_6_1_4_rebind_same_dtype_keeps_bits(run, write_plugin):
    bits = np.full((BLOCK * 2, 2), 0x7FA12345, np.uint32).view(np.float32)
    rebind = "buffer.data = buffer.data.copy()"

    check_rebind(run, write_plugin, bits, rebind, bits)


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "int16", "uint8", "bool", ">f4"]
)
def test_6_1_4_rebind_other_dtype(run, write_plugin, dtype):
    pushed = np.ones((BLOCK * 2, 2), np.float32)
    rebind = f"buffer.data = buffer.data.astype('{dtype}')"

    check_rebind(run, write_plugin, pushed, rebind, pushed)


@pytest.mark.parametrize(
    "layout",
    [
        "np.asfortranarray(buffer.data)",
        "buffer.data[::-1][::-1]",
        "np.repeat(buffer.data, 2, axis=1)[:, ::2]",
        "[list(row) for row in buffer.data]",
    ],
)
def test_6_1_4_rebind_other_layout(run, write_plugin, noise, layout):
    pushed = noise(BLOCK * 2)

    check_rebind(
        run, write_plugin, pushed, f"buffer.data = {layout}", pushed
    )


@pytest.mark.parametrize(
    "overlap",
    [
        "buffer.data[::-1]",
        "buffer.data[:, ::-1]",
        "np.broadcast_to(buffer.data[1], (2, 512))",
    ],
)
def test_6_1_4_rebind_to_a_view_of_itself(run, write_plugin, noise, overlap):
    pushed = noise(BLOCK * 2)
    buffer = type("Buffer", (), {})()
    expected = []
    for block in np.split(pushed, 2):
        buffer.data = block.T
        expected.append(eval(overlap, {"buffer": buffer, "np": np}).T)

    check_rebind(
        run,
        write_plugin,
        pushed,
        f"buffer.data = {overlap}",
        np.ascontiguousarray(np.concatenate(expected)),
    )


def test_6_1_4_rebind_float64_beyond_float32_is_infinite(run, write_plugin):
    pushed = np.ones((BLOCK * 2, 2), np.float32)
    rebind = "buffer.data = buffer.data.astype(float) * 1e300"

    check_rebind(run, write_plugin, pushed, rebind, pushed * np.inf)


def test_6_1_5_kept_view_stays_valid(run, write_plugin, noise):
    path = write_plugin(
        """
        kept = []
        def process_audio(self, buffer):
            kept.append(buffer.data[:, ::2])
            kept.append(memoryview(buffer.data))
            return True
        def shutdown(self):
            kept[0][:] = 1
            assert kept[1][0, 0] == 1
        Plugin.process_audio, Plugin.shutdown = process_audio, shutdown
        """
    )

    assert run(path, np.split(noise(BLOCK * 4), 4)).error is None


def test_6_1_5_what_is_kept_does_not_see_the_stream_s_memory(
    run, write_plugin, noise
):
    # scribbling over it after the call changes nothing that went out
    path = write_plugin(
        """
        kept = []
        def process_audio(self, buffer):
            kept.append(buffer.data)
            return True
        def stop(self):
            kept[0][:] = 7
        Plugin.process_audio, Plugin.stop = process_audio, stop
        """
    )
    pushed = noise(BLOCK * 4)

    outcome = run(path, np.split(pushed, 4))

    assert np.array_equal(outcome.frames, pushed)


def test_6_1_6_block_is_there_on_entry(run, write_noting_plugin, journal):
    path = write_noting_plugin(
        """
        def process_audio(self, buffer):
            note("block", float(buffer.data.min()), float(buffer.data.max()))
            buffer.data[:] = -1  # must not be seen again
            return True
        Plugin.process_audio = process_audio
        """
    )

    run(path, [np.full((BLOCK, 2), n) for n in range(3)])

    assert [what for name, *what in journal() if name == "block"] == [
        [n, n] for n in range(3)
    ]


def test_6_1_7_short_last_block_is_padded_and_trimmed(
    run, write_plugin, noise
):
    path = write_plugin(
        """
        def process_audio(self, buffer):
            assert buffer.data.shape == (2, 512)
            self.n_blocks += 1
            if self.n_blocks == 2:
                assert not buffer.data[:, 100:].any()
                assert buffer.data[:, :100].all()
            buffer.data += 1
            return True
        Plugin.process_audio = process_audio
        """
    )
    pushed = noise(BLOCK + 100)

    outcome = run(path, [pushed])

    assert [len(block) for block in outcome.blocks] == [BLOCK, 100]
    assert np.array_equal(outcome.frames, pushed + np.float32(1))


@pytest.mark.parametrize(
    "value", ["True", "np.bool_(True)", "1", "'yes'", "[0]", "np.ones(1)"]
)
def test_6_2_anything_true_is_success(run, write_plugin, noise, value):
    path = write_plugin(f"Plugin.process_audio = lambda self, buffer: {value}")

    assert run(path, [noise(BLOCK)]).error is None


FAIL_AT_FOURTH = """
def process_audio(self, buffer):
    self.n_blocks += 1
    if self.n_blocks != 4:
        return True
    buffer.data[:] = 7
    {failure}
Plugin.process_audio = process_audio
"""

BLOCK_FAILURES = {
    "raise ValueError('bad block')": "ValueError: bad block",
    "import sys; sys.exit(1)": "SystemExit: 1",
    "raise KeyboardInterrupt()": "KeyboardInterrupt",
    "return False": "returned False",
    "return None": "returned None; end it with “return True”",
    "return np.bool_(False)": "returned False",
    "return np.zeros(2)": "ValueError: The truth value of an array",
    "buffer.data = np.zeros((2, 3)); return True": (
        "it bound an array of shape (2, 3) to buffer.data, but the block has "
        "shape (2, 512)"
    ),
    "buffer.data = None; return True": "it bound an array of shape ()",
    "del buffer.data; return True": "AttributeError",
    "buffer.data = np.zeros((2, 512), dtype=complex); return True": (
        "TypeError"
    ),
}


@pytest.mark.parametrize("failure", BLOCK_FAILURES)
def test_6_3_failed_block_stops_the_stream(run, write_plugin, noise, failure):
    path = write_plugin(FAIL_AT_FOURTH.format(failure=failure))
    pushed = blocks(noise)

    outcome = run(path, pushed)

    assert f"The plugin “{path}” failed: " in outcome.error.message
    assert BLOCK_FAILURES[failure] in outcome.error.message
    assert outcome.error.domain == "gst-library-error-quark"
    # what came before it came out, and nothing of it
    assert np.array_equal(outcome.frames, np.concatenate(pushed[:3]))
    assert outcome.stats.get_value("num-failures") == 1


@pytest.mark.parametrize("failure", BLOCK_FAILURES)
def test_6_3_failed_block_is_silenced(gst, run, write_plugin, noise, failure):
    path = write_plugin(FAIL_AT_FOURTH.format(failure=failure))
    pushed = blocks(noise)

    outcome = run(path, pushed, on_error="silence")

    pushed[3] = np.zeros_like(pushed[3])
    assert outcome.error is None
    assert np.array_equal(outcome.frames, np.concatenate(pushed))
    assert outcome.buffers[3].has_flags(gst.BufferFlags.GAP)
    assert outcome.stats.get_value("num-failures") == 1
    assert len(outcome.warnings) == 1
    assert "Silence took the place" in outcome.warnings[0][0].message


@pytest.mark.parametrize("failure", BLOCK_FAILURES)
def test_6_3_failed_block_passes_unchanged(run, write_plugin, noise, failure):
    path = write_plugin(FAIL_AT_FOURTH.format(failure=failure))
    pushed = blocks(noise)

    outcome = run(path, pushed, on_error="passthrough")

    assert outcome.error is None
    assert np.array_equal(outcome.frames, np.concatenate(pushed))
    assert outcome.stats.get_value("num-failures") == 1
    assert "passed unchanged" in outcome.warnings[0][0].message


def test_6_3_burst_of_failures_is_reported_once(run, write_plugin, noise):
    path = write_plugin("Plugin.process_audio = lambda self, buffer: False")

    outcome = run(path, blocks(noise, 30), on_error="silence")

    assert outcome.stats.get_value("num-failures") == 30
    assert len(outcome.warnings) == 1


@pytest.mark.parametrize("what", ["buffer.data", "buffer.data.base"])
def test_6_1_5_memory_of_the_array_does_not_move(
    run, write_plugin, noise, what
):
    path = write_plugin(
        f"""
        def process_audio(self, buffer):
            before = buffer.data.__array_interface__["data"][0]
            try:
                {what}.resize((2, 300000), refcheck=False)
            except (AttributeError, ValueError, BufferError):
                pass
            after = buffer.data.__array_interface__["data"][0]
            return before == after and not buffer.data.flags.owndata
        Plugin.process_audio = process_audio
        """
    )
    frames = noise(BLOCK)

    outcome = run(path, [frames])

    assert outcome.error is None and np.array_equal(outcome.frames, frames)


def memory_can_be_given():
    """Whether this NumPy lets an array have other memory."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.zeros(1, np.uint8).data = bytearray(1)
    except AttributeError:
        return False
    return True


@pytest.mark.skipif(
    not memory_can_be_given(), reason="NumPy gives no array other memory"
)
def test_6_1_5_memory_of_the_array_outlives_the_array(
    run, write_plugin, noise
):
    path = write_plugin(
        """
        def process_audio(self, buffer):
            memory = buffer.data
            while isinstance(memory, (np.ndarray, memoryview)):
                is_view = isinstance(memory, memoryview)
                memory = memory.obj if is_view else memory.base
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                buffer.data.data = bytearray(buffer.data.nbytes)
            try:
                memory.append(0)  # moves what nobody holds any more
            except (AttributeError, BufferError):
                return True
        import warnings, numpy as np
        Plugin.process_audio = process_audio
        """
    )

    outcome = run(path, [noise(BLOCK)])

    assert outcome.error is None
