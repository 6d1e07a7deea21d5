# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sources and sinks of API 2: any length in, blocks out, and an end."""

import numpy as np
import pytest
from second import BLOCK, make_source, write, write_noting  # noqa: F401

COUNT = """
import numpy as np

def count(at, n):
    return np.arange(at, at + n, dtype=np.float32)

def read(*, lengths="{lengths}"):
    at = 0
    for n in map(int, lengths.split()):
        yield count(at, n)
        at += n
"""

LENGTHS = [
    "512 512 512",
    "1",
    "511 1 512",
    "513 1000 24",
    "100000",
    "7 " * 300,
    "0 300 0 300",
]


@pytest.mark.parametrize("lengths", LENGTHS)
def test_api2_1_5_arrays_of_any_length_lose_nothing(
    gst, make_source, write, lengths
):
    n_frames = sum(map(int, lengths.split()))
    line = make_source(write(COUNT.replace("{lengths}", lengths)))
    line.play()

    at = 0
    while (pulled := line.pull()) is not None:
        buffer, frames = pulled
        assert buffer.pts == at * gst.SECOND // 48000
        assert np.array_equal(frames[:, 0], np.arange(at, at + len(frames)))
        assert len(frames) == min(BLOCK, n_frames - at)
        at += len(frames)
    assert at == n_frames
    assert line.wait_for_end() is None
    assert line.get_stat("num-retries") == (
        lengths.split()[1:].count("0")
    )
    assert line.get_stat("num-failures") == 0


def test_api2_1_5_a_source_can_be_played_again(make_line, write):
    line = make_line(
        "ndapysrc name=py ! fakesink",
        write(COUNT.replace("{lengths}", "700")),
        is_live=False,
    )

    for n in (1, 2):
        line.play()
        assert line.wait_for_end() is None
        assert line.get_stat("num-frames") == n * 700
        line.pipeline.set_state(line.gst.State.READY)


def test_api2_1_5_another_rate_keeps_its_length(make_source, write):
    path = write(
        """
        import numpy as np
        from nda import Source
        class Tone(Source):
            rate = 44100
            def read(self):
                for n in range(10):
                    yield np.full(441, 0.25)
        """
    )
    line = make_source(path)
    line.play()

    frames = line.pull_all()

    assert len(frames) == 4800
    assert np.allclose(frames[500:4300], 0.25, atol=1e-6)
    assert line.wait_for_end() is None


@pytest.mark.parametrize(
    "text, channels",
    [("[0.5] * 700", 1), ("np.full((3, 700), 0.5)", 3)],
)
def test_api2_1_5_the_first_array_has_the_channels(
    make_source, write, text, channels
):
    line = make_source(
        write(f"import numpy as np\ndef read():\n    yield {text}\n")
    )
    line.play()

    frames = line.pull_all()

    assert frames.shape == (700, channels)
    assert np.all(frames == 0.5)


def test_api2_1_5_the_generator_may_use_its_array_again(make_source, write):
    path = write(
        """
        import numpy as np
        own = np.zeros(300, np.float32)
        def read():
            for n in range(5):
                own[:] = n
                yield own
        """
    )
    line = make_source(path)
    line.play()

    assert np.array_equal(
        line.pull_all()[:, 0], np.repeat(np.arange(5), 300)
    )


def test_api2_1_5_none_is_nothing_yet(make_source, write):
    path = write(
        """
        import numpy as np
        def read():
            for n in range(4):
                yield None
                yield np.full(256, n)
        """
    )
    line = make_source(path)
    line.play()

    assert np.array_equal(
        line.pull_all()[:, 0], np.repeat(np.arange(4), 256)
    )
    assert line.get_stat("num-retries") >= 3


def test_api2_1_5_a_wrong_shape_is_a_failure(make_source, write):
    path = write(
        """
        import numpy as np
        def read():
            yield np.zeros((2, 512))
            yield np.zeros((512, 2))
        """
    )
    line = make_source(path)
    line.play()

    message = line.wait(line.gst.MessageType.WARNING)

    assert (
        "its read () gave an array of shape (512, 2), which is not "
        "(2, frames) or (frames,)" in message.parse_warning()[0].message
    )


def test_api2_1_5_what_fails_before_its_first_array_does_not_start(
    make_source, write
):
    line = make_source(
        write("def read():\n    raise OSError('no card')\n    yield\n")
    )
    line.play()

    error = line.wait_for_end()

    assert "OSError: no card" in error.message
    assert "line 2" in error.message


def test_api2_1_5_each_call_may_give_an_array(make_source, write):
    path = write(
        """
        n = 0
        def read():
            global n
            n += 1
            return [n] * 100
        """
    )
    line = make_source(path, num_buffers=2)
    line.play()

    assert np.array_equal(
        line.pull_all()[:, 0], np.repeat(np.arange(1, 12), 100)[: 2 * BLOCK]
    )


@pytest.mark.parametrize("n_frames", [100, 512, 1000])
def test_api2_2_1_a_source_may_fill_blocks(make_source, write, n_frames):
    path = write(
        f"""
        import numpy as np
        from nda import Source
        class Ramp(Source):
            frames, channels = {n_frames}, 2
            at = 0
            def read(self, block):
                assert block.shape == (2, {n_frames}) and not block.any()
                block[:] = np.arange(self.at, self.at + {n_frames})
                self.at += {n_frames}
        """
    )
    line = make_source(path, num_buffers=4)
    line.play()

    frames = line.pull_all()

    assert np.array_equal(frames[:, 1], np.arange(4 * BLOCK))


def test_api2_2_1_a_source_is_closed_when_it_stops(
    make_source, write_noting, journal
):
    path = write_noting(
        """
        def read():
            try:
                while True:
                    yield [0.0] * 512
            finally:
                note("closed")
        """
    )
    line = make_source(path, num_buffers=2)
    line.play()
    line.pull_all()
    line.stop()

    assert journal() == [["closed"]]


SINK = """
from nda import Sink
class Keep(Sink):
    {attributes}
    def write(self, block):
        note(block.shape[0], block[-1].tolist())
"""


@pytest.mark.parametrize("n_frames", [100, 512, 1000, 2048])
@pytest.mark.parametrize("channels", [1, 3])
def test_api2_2_1_a_sink_gets_its_own_blocks_and_a_short_last(
    make_line, write_noting, journal, n_frames, channels
):
    path = write_noting(
        SINK.format(attributes=f"frames = {n_frames}"),
    )
    line = make_line(
        "appsrc name=src format=time ! ndapysink name=py sync=false", path
    )
    line.set_format(channels)
    line.play()
    frames = np.repeat(np.arange(2500)[:, None], channels, 1)
    line.push(frames)
    line.src.emit("end-of-stream")
    assert line.wait_for_end() is None
    line.stop()

    kept = journal()
    assert {n for n, _ in kept} == {channels}
    assert [len(block) for _, block in kept[:-1]] == [n_frames] * (
        len(kept) - 1
    )
    assert sum((block for _, block in kept), []) == list(range(2500))


def test_api2_2_1_a_full_sink_gets_the_same_block_again(
    make_line, write_noting, journal
):
    path = write_noting(
        """
        n = 0
        def write(block):
            global n
            n += 1
            note(block[0, 0].item())
            return False if n % 3 else None
        """
    )
    line = make_line(
        "appsrc name=src format=time ! ndapysink name=py sync=false", path
    )
    line.set_format(1)
    line.play()
    line.push(np.repeat(np.arange(3), BLOCK)[:, None])
    line.src.emit("end-of-stream")
    assert line.wait_for_end() is None
    line.stop()

    assert journal() == [[n] for n in (0, 0, 0, 1, 1, 1, 2, 2, 2)]


@pytest.mark.parametrize("n_arrays", [0, 1])
def test_api2_a_read_that_returns_nothing_is_told(
    gst, make_source, write, n_arrays
):
    """One that has given an array may have nothing for as long as it likes."""
    line = make_source(
        write(
            f"""
            import numpy as np
            n_calls = 0
            def read():
                global n_calls
                n_calls += 1
                if n_calls <= {n_arrays}:
                    return np.zeros(512)
                if n_calls > 900:
                    raise StopIteration
            """
        ),
    )

    line.play()

    if n_arrays:
        while line.pull() is not None:
            pass
        assert line.wait_for_end() is None
        assert line.get_stat("num-failures") == 0
        return
    said = line.wait(gst.MessageType.WARNING).parse_warning()[0].message
    assert "returned None 500 times, and no array so far" in said
    assert "end it with “return” and the array" in said
