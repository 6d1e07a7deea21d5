# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""auto-reload: however an edit comes about, and once for each."""

import os
import shutil

import numpy as np
import pytest

BLOCK = 512

LEVEL = """
{imports}
def process_audio(self, buffer):
    buffer.data[:] = {level}
    return True
Plugin.process_audio = process_audio
"""


@pytest.fixture
def folder(tmp_path):
    """Where the plugin is looked at, by the path that is watched."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def text_of(write_plugin):
    return lambda level, imports="": write_plugin(
        LEVEL.format(level=level, imports=imports)
    ).read_text()


def level_of(bridge):
    bridge.push(np.zeros((BLOCK, 2)))
    return bridge.pull()[1][0, 0]


def play(make_bridge, path):
    bridge = make_bridge(path, auto_reload="true")
    bridge.play()
    assert level_of(bridge) == 1
    return bridge


def wait_for(bridge, level, n_reloads):
    """Until the edited plugin has the blocks; it was loaded so many times."""
    while level_of(bridge) != level:
        pass
    while bridge.get_stat("num-reloads") < n_reloads:
        os.sched_yield()
    assert bridge.get_stat("num-reloads") == n_reloads


# Edits of here/effect.py; {new} is a file with the edited text
def write(path, new):
    path.write_text(new.read_text())


def rename_over(path, new):
    os.replace(shutil.copy(new, path.with_suffix(".tmp")), path)


def keep_the_old(path, new):
    path.rename(path.with_suffix(".py~"))
    shutil.copy(new, path)


def link(path, new):
    path.unlink()
    os.link(new, path)


def move_the_folder(path, new):
    folder = path.parent
    other = folder.with_name("other")
    other.mkdir()
    shutil.copy(new, other / path.name)
    folder.rename(folder.with_name("old"))
    other.rename(folder)


def write_again_and_again(path, new):
    for _ in range(20):
        shutil.copy(new, path)


PLAIN = [write, rename_over, keep_the_old, link, move_the_folder,
         write_again_and_again]


@pytest.mark.parametrize("edit", PLAIN, ids=lambda edit: edit.__name__)
def test_edit_is_seen_once(make_bridge, folder, text_of, tmp_path, edit):
    path, new = folder / "effect.py", tmp_path / "new.py"
    path.write_text(text_of(1))
    new.write_text(text_of(2))
    bridge = play(make_bridge, path)

    edit(path, new)
    wait_for(bridge, 2, 1)

    new.write_text(text_of(3))
    write(path, new)
    wait_for(bridge, 3, 2)  # one more, and none between


def edit_the_target(path, target, new):
    target.write_text(new.read_text())


def rename_over_the_target(path, target, new):
    rename_over(target, new)


def swap_the_link(path, target, new):
    other = path.with_name("other")
    other.symlink_to(new)
    os.replace(other, path)


@pytest.mark.parametrize(
    "edit",
    [edit_the_target, rename_over_the_target, swap_the_link],
    ids=lambda edit: edit.__name__,
)
def test_edit_behind_a_symbolic_link_is_seen(
    make_bridge, folder, text_of, tmp_path, edit
):
    path, new = folder / "effect.py", tmp_path / "new.py"
    target = tmp_path / "away" / "real.py"
    target.parent.mkdir()
    target.write_text(text_of(1))
    new.write_text(text_of(2))
    path.symlink_to(target)
    bridge = play(make_bridge, path)

    edit(path, target, new)

    wait_for(bridge, 2, 1)


def test_config_map_of_kubernetes_is_seen(make_bridge, folder, text_of):
    for n in (1, 2):
        (folder / f"..{n}").mkdir()
        (folder / f"..{n}" / "effect.py").write_text(text_of(n))
    (folder / "..data").symlink_to("..1")
    (folder / "effect.py").symlink_to("..data/effect.py")
    bridge = play(make_bridge, folder / "effect.py")

    (folder / "..data_tmp").symlink_to("..2")
    os.replace(folder / "..data_tmp", folder / "..data")

    wait_for(bridge, 2, 1)


@pytest.mark.parametrize("name", ["helper.py", "helper/part.py"])
def test_module_beside_it_is_watched_and_loaded_anew(
    make_bridge, folder, text_of, name
):
    helper = folder / name
    helper.parent.mkdir(exist_ok=True)
    helper.write_text("LEVEL = 1")
    module = name.removesuffix(".py").replace("/", ".")
    (folder / "middle.py").write_text(f"from {module} import LEVEL")
    path = folder / "effect.py"
    path.write_text(text_of("middle.LEVEL", "import os, middle"))
    bridge = play(make_bridge, path)

    helper.write_text("LEVEL = 2")

    wait_for(bridge, 2, 1)


def test_neighbour_is_not_watched(make_bridge, folder, text_of):
    path = folder / "effect.py"
    path.write_text(text_of(1))
    bridge = play(make_bridge, path)

    (folder / "neighbour.py").write_text(text_of(7))
    path.write_text(text_of(2))

    wait_for(bridge, 2, 1)


def test_edit_is_seen_where_the_system_watches_nothing(
    make_bridge, folder, text_of, monkeypatch
):
    import ctypes

    path = folder / "effect.py"
    path.write_text(text_of(1))
    libc, instances = ctypes.CDLL(None), []
    while (instance := libc.inotify_init1(0)) >= 0:
        instances.append(instance)
    try:
        bridge = play(make_bridge, path)
        path.write_text(text_of(2))
        wait_for(bridge, 2, 1)
    finally:
        for instance in instances:
            os.close(instance)
