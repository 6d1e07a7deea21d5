# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Encrypted audio that is sought, played again, written from its middle, and
joined by those who come late."""

import os
import socket
import wave

import pytest

RATE = 48000
SECONDS = 10
FRAME = 4
AES = (
    "aesenc key=1f9423681beb9a79215820f6bda73d0f "
    "iv=e9aa8e834d8d70b7e0d254ff670dd718 ! "
    "aesdec key=1f9423681beb9a79215820f6bda73d0f"
)


@pytest.fixture(scope="module")
def said():
    """Frames that are all different."""
    return b"".join(i.to_bytes(4, "little") for i in range(SECONDS * RATE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, said):
    folder = tmp_path_factory.mktemp("seeking")
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(said)
    (folder / "key").touch(0o600)
    (folder / "key").write_bytes(os.urandom(32))
    return folder


class Player:
    """A pipeline with a fakesink “sink” and what came out of it."""

    def __init__(self, gst, text):
        self.gst = gst
        self.pipeline = gst.parse_launch(text)
        self.bus = self.pipeline.get_bus()
        self.clear()
        sink = self.pipeline.get_by_name("sink")
        if sink:
            sink.set_property("signal-handoffs", True)
            sink.connect("handoff", self.take)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.pipeline.set_state(self.gst.State.NULL)

    def clear(self):
        self.data = bytearray()
        self.times = []

    def take(self, sink, buffer, pad):
        self.data += buffer.extract_dup(0, buffer.get_size())
        self.times.append(buffer.pts)

    def wait(self, kind):
        message = self.bus.timed_pop_filtered(
            60 * self.gst.SECOND, kind | self.gst.MessageType.ERROR
        )
        assert message, "neither that nor an error"
        if message.type == self.gst.MessageType.ERROR:
            raise AssertionError(message.parse_error())
        return message

    def pause(self):
        self.pipeline.set_state(self.gst.State.PAUSED)
        self.wait(self.gst.MessageType.ASYNC_DONE)

    def seek(self, seconds, flags=None, stop=None):
        flags = flags or self.gst.SeekFlags.ACCURATE
        sought = self.pipeline.seek(
            1.0,
            self.gst.Format.TIME,
            flags | self.gst.SeekFlags.FLUSH,
            self.gst.SeekType.SET,
            int(seconds * self.gst.SECOND),
            self.gst.SeekType.SET if stop else self.gst.SeekType.NONE,
            int((stop or 0) * self.gst.SECOND),
        )
        assert sought
        self.wait(self.gst.MessageType.ASYNC_DONE)

    def position(self):
        return self.pipeline.query_position(self.gst.Format.TIME)[1]

    def finish(self):
        self.pipeline.set_state(self.gst.State.PLAYING)
        self.wait(self.gst.MessageType.EOS)


def pair(folder, framing):
    return (
        f"ndaencrypt key-file={folder}/key framing={framing} ! "
        f"ndadecrypt key-file={folder}/key"
    )


# --- both elements in one pipeline -------------------------------------------


def places_after_seeks(gst, folder, middle, places):
    """What is played and told after each of some seeks, then to the end."""
    found = []
    with Player(
        gst,
        f"filesrc location={folder}/a.wav ! wavparse ! {middle} ! "
        "fakesink name=sink sync=false",
    ) as player:
        player.pause()
        for place in places:
            player.seek(place)
            found.append(player.position())
        player.clear()
        player.finish()
        found.append((player.times[0], player.position(), bytes(player.data)))
    return found


@pytest.mark.parametrize("framing", ["stream", "packet"])
@pytest.mark.parametrize(
    "places",
    [
        pytest.param([3, 1, 6], id="simple_seeks"),
        pytest.param(list(range(0, 9)), id="seek_forward"),
        pytest.param([i / 4 for i in range(0, 36)], id="scrub_forward"),
    ],
)
def test_seeks_lead_where_they_lead_through_aes(
    gst, folder, said, framing, places
):
    """What gst-validate's scenarios of these names do."""
    if not gst.ElementFactory.find("aesenc"):
        pytest.skip("there is no aesenc")
    theirs = places_after_seeks(gst, folder, AES, places)
    ours = places_after_seeks(gst, folder, pair(folder, framing), places)

    assert ours[:-1] == theirs[:-1]
    first, end, data = ours[-1]
    assert (first, end) == theirs[-1][:2]
    # aesdec has what it had; the sink held one buffer at the seek
    assert said.endswith(data[-FRAME * RATE // 2:])
    assert len(said) - len(data) - places[-1] * RATE * FRAME < 8192 * FRAME


@pytest.mark.parametrize("framing", ["stream", "packet"])
def test_what_has_ended_is_played_again(gst, folder, said, framing):
    with Player(
        gst,
        f"filesrc location={folder}/a.wav ! wavparse "
        f"! {pair(folder, framing)} "
        "! fakesink name=sink sync=false",
    ) as player:
        player.finish()
        assert bytes(player.data) == said
        for _ in range(2):
            player.clear()
            player.seek(0)
            player.finish()
            assert bytes(player.data) == said


# --- files -------------------------------------------------------------------


def write_file(gst, folder, settings="", seek=None):
    path = folder / "a.nda"
    path.unlink(missing_ok=True)
    with Player(
        gst,
        f"filesrc location={folder}/a.wav ! wavparse ! ndaencrypt "
        f"key-file={folder}/key {settings} ! filesink location={path}",
    ) as player:
        if seek is not None:
            player.pause()
            player.seek(seek)
        player.finish()
    return path


def open_file(gst, folder, path):
    return Player(
        gst,
        f"filesrc location={path} ! ndadecrypt key-file={folder}/key ! "
        "fakesink name=sink sync=false",
    )


def test_a_file_that_is_written_from_its_middle_is_whole(gst, folder, said):
    path = write_file(gst, folder, seek=2)
    with open_file(gst, folder, path) as player:
        player.finish()
        assert bytes(player.data) == said[2 * RATE * FRAME:]


@pytest.mark.parametrize("block_frames", [512, 1000, 4096])
def test_a_file_says_how_long_it_is(gst, folder, block_frames):
    path = write_file(gst, folder, f"block-frames={block_frames}")
    with open_file(gst, folder, path) as player:
        player.pause()
        known, duration = player.pipeline.query_duration(gst.Format.TIME)
        query = gst.Query.new_seeking(gst.Format.TIME)
        assert known and duration == SECONDS * gst.SECOND
        assert player.pipeline.query(query)
        assert query.parse_seeking()[1:] == (True, 0, duration)


@pytest.mark.parametrize("settings", ["", "session-records=100"])
@pytest.mark.parametrize("place", [0, 0.004, 0.5, 3, 7.77, 9.9999, 10, 12])
def test_a_file_is_sought(gst, folder, said, settings, place):
    path = write_file(gst, folder, settings)
    with open_file(gst, folder, path) as player:
        player.pause()
        player.clear()
        player.seek(place)
        player.clear()
        player.finish()
        data = bytes(player.data)
        # what was prerolled came at the seek
        assert said.endswith(data)
        missing = len(said) - len(data)
        near = min(place, SECONDS) * RATE * FRAME
        slack = (3 if settings else 1) * 512 * FRAME
        assert abs(missing - near) <= 512 * FRAME + slack
        if player.times and not settings:
            frame = missing // FRAME
            assert abs(player.times[0] - frame * gst.SECOND // RATE) <= 1


def test_a_part_of_a_file_is_played(gst, folder, said):
    path = write_file(gst, folder)
    with open_file(gst, folder, path) as player:
        player.pause()
        player.seek(4, stop=5)
        player.clear()
        player.finish()
        assert player.times[-1] < 5 * gst.SECOND
        at = said.index(bytes(player.data))
        assert abs(at - 4 * RATE * FRAME) <= 1024 * FRAME


def test_seeks_without_end_go_back_and_forth(gst, folder, said):
    path = write_file(gst, folder, "session-records=300")
    with open_file(gst, folder, path) as player:
        player.pause()
        for place in [8, 2, 9.5, 0, 5, 5, 1, 0.2]:
            player.seek(place)
        player.clear()
        player.finish()
        assert said.endswith(bytes(player.data))
        assert abs(len(player.data) - 9.8 * RATE * FRAME) <= 2048 * FRAME


# --- coming late -------------------------------------------------------------


def find_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_who_comes_late_hears_what_is_said_from_then_on(gst, folder):
    port = find_port()
    with Player(
        gst,
        "audiotestsrc is-live=true samplesperbuffer=512 ! "
        "audio/x-raw,format=S16LE,rate=48000,channels=1 ! "
        f"ndaencrypt name=e key-file={folder}/key ! "
        f"tcpserversink host=127.0.0.1 port={port}",
    ) as server:
        server.pipeline.set_state(gst.State.PLAYING)
        encrypt = server.pipeline.get_by_name("e")
        while encrypt.get_property("stats").get_uint64("num-records")[1] < 20:
            server.bus.timed_pop_filtered(
                gst.MSECOND * 20, gst.MessageType.ERROR
            )
        check_late_reader(gst, folder, port)


def check_late_reader(gst, folder, port):
    with Player(
        gst,
        f"tcpclientsrc host=127.0.0.1 port={port} ! ndadecrypt name=d "
        f"key-file={folder}/key "
        "! fakesink name=sink sync=false num-buffers=20",
    ) as player:
        player.finish()
        stats = player.pipeline.get_by_name("d").get_property("stats")
        assert stats.get_uint64("num-lost")[1] >= 10
        assert stats.get_uint64("num-blocks")[1] >= 19


def test_who_has_enough_is_not_told_of_an_end_that_is_missing(gst, folder):
    path = write_file(gst, folder)
    with Player(
        gst,
        f"filesrc location={path} ! ndadecrypt key-file={folder}/key ! "
        "fakesink name=sink num-buffers=20",
    ) as player:
        player.finish()
        assert len(player.times) <= 20
