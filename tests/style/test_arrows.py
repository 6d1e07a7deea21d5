# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What may call what: arrows between the rooms of the house run one way.

They are read from the #include lines. docs/architecture.md draws them.
"""

import re
import shutil

import pytest
from sources import C_CODE, TOP, list_files, name_of

# Each room, and the rooms whose headers it may include
ROOMS = {
    "gst/block": (),
    "gst/resample": ("gst/block",),
    "gst/realtime": (),
    "gst/ndaio": ("gst/resample", "gst/realtime", "gst/block"),
    "ext/soxr": ("gst/resample", "gst/block"),
    "ext/openssl/codec": (),
    "ext/openssl": ("ext/openssl/codec", "gst/resample", "gst/block"),
    "ext/python/host": ("gst/resample", "gst/block"),
    "ext/python/inprocess": ("ext/python/host", "gst/block"),
    "ext/python/process": ("ext/python/host", "gst/block"),
    "ext/python/elements": ("ext/python/host", "gst/realtime", "gst/block"),
    # ndapyrunners.c, which puts the rooms together
    "ext/python": (
        "ext/python/elements",
        "ext/python/host",
        "ext/python/inprocess",
        "ext/python/process",
    ),
}
# Headers of others, and the rooms that may include them
FOREIGN = {
    "Python.h": "ext/python/inprocess",
    "gst/": "gst ext/python ext/soxr ext/openssl -ext/openssl/codec",
    "openssl/": "ext/openssl",
    "soxr.h": "ext/soxr",
}
INCLUDE = re.compile(r'^#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def room_of(name):
    """The innermost room that the file `name` lies in, or None."""
    rooms = [room for room in ROOMS if name.startswith(room + "/")]
    return max(rooms, key=len, default=None)


def is_within(room, folders):
    """Whether `room` is in one of `folders`, and in none with a minus."""

    def is_in(folder):
        return room == folder or room.startswith(folder + "/")

    allowed = [name for name in folders.split() if name[0] != "-"]
    barred = [name[1:] for name in folders.split() if name[0] == "-"]
    return any(map(is_in, allowed)) and not any(map(is_in, barred))


def list_code(top):
    return [
        path
        for path in list_files(top)
        if path.suffix in (".c", ".h")
        and name_of(path, top).startswith(("gst/", "ext/"))
    ]


def list_includes(files, top):
    """File, line, own header or None, foreign header or None."""
    for path in files:
        for number, line in enumerate(path.read_text().split("\n"), 1):
            found = INCLUDE.match(line)
            if found:
                yield name_of(path, top), number, *found.groups()


def find_wrong_arrows(top):
    """Sentences, one for each include that no arrow allows."""
    files = list_code(top)
    headers = {path.name: name_of(path, top) for path in files}
    wrong = []
    for name, line, own, foreign in list_includes(files, top):
        room = room_of(name)
        if own and own in headers:
            target = room_of(headers[own])
            if target != room and target not in ROOMS.get(room, ()):
                wrong.append(
                    f"{name}:{line} includes {own}: the arrow {room} -> "
                    f"{target} is not allowed"
                )
        for prefix, folders in FOREIGN.items():
            if (foreign or "").startswith(prefix) and not is_within(
                room, folders
            ):
                wrong.append(
                    f"{name}:{line} includes {foreign}: {room} -> {prefix} "
                    "is not allowed"
                )
    return wrong


def stem_of(name):
    """What a .c, its .h and its private .h have in common."""
    return re.sub(r".*/|(priv(ate)?)?\.[ch]$", "", name)


def find_circles(top):
    """Chains of files that end at their beginning."""
    files = list_code(top)
    names = {path.name for path in files}
    graph = {}
    for name, line, own, foreign in list_includes(files, top):
        stem = stem_of(name)
        if own in names and stem_of(own) != stem:
            graph.setdefault(stem, set()).add(stem_of(own))
    circles, done = [], set()

    def follow(stem, way):
        if stem in way:
            circles.append(" -> ".join(way[way.index(stem) :] + [stem]))
        elif stem not in done:
            for other in sorted(graph.get(stem, ())):
                follow(other, way + [stem])
            done.add(stem)

    for stem in sorted(graph):
        follow(stem, [])
    return circles


@pytest.fixture
def copy(tmp_path):
    """A copy of the sources, to plant something wrong in."""
    for path in C_CODE:
        name = name_of(path)
        if name.startswith(("gst/", "ext/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / name)
    return tmp_path


def plant(top, name, line):
    """Put `line` behind the licence of the file `name`."""
    path = top / name
    text = path.read_text()
    path.write_text(text.replace(" */\n", f" */\n{line}\n", 1))


def test_every_file_is_in_a_room():
    names = [name_of(path) for path in list_code(TOP)]

    assert len(names) > 100
    assert [name for name in names if not room_of(name)] == []
    assert {room_of(name) for name in names} == set(ROOMS)


def test_no_two_headers_have_one_name():
    names = [path.name for path in list_code(TOP) if path.suffix == ".h"]

    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_arrows_between_rooms_run_one_way():
    wrong = find_wrong_arrows(TOP)

    assert not wrong, "\n".join(wrong)


def test_no_file_calls_one_that_calls_it():
    circles = find_circles(TOP)

    assert not circles, "\n".join(circles)


@pytest.mark.parametrize(
    "name, header, arrow",
    [
        (
            "ext/python/host/ndapyhost.c",
            "ndapyelement.h",
            "ext/python/host -> ext/python/elements",
        ),
        (
            "gst/block/ndablock.c",
            "ndapolyphase.h",
            "gst/block -> gst/resample",
        ),
        ("ext/soxr/ndasoxr.c", "ndarecord.h", "ext/soxr -> ext/openssl/codec"),
    ],
)
def test_an_arrow_that_is_turned_round_is_found(copy, name, header, arrow):
    before = find_wrong_arrows(copy)

    plant(copy, name, f'#include "{header}"')

    (found,) = [
        sentence
        for sentence in find_wrong_arrows(copy)
        if re.sub(r":\d+ ", " ", sentence)
        not in {re.sub(r":\d+ ", " ", known) for known in before}
    ]
    assert found.startswith(f"{name}:4 includes {header}")
    assert arrow in found


def test_gstreamer_in_the_codec_is_found(copy):
    plant(copy, "ext/openssl/codec/ndaaead.c", "#include <gst/gst.h>")

    assert any(
        sentence.startswith("ext/openssl/codec/ndaaead.c:4 ")
        for sentence in find_wrong_arrows(copy)
    )


def test_a_circle_is_found(copy):
    plant(copy, "gst/block/ndaregroup.h", '#include "ndablockinput.h"')

    assert "ndablockinput -> ndaregroup -> ndablockinput" in find_circles(copy)
