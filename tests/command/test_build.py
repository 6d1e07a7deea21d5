# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What becomes of a build directory: kept, or started afresh."""

import shutil

import pytest

from nda.command.checkout.build import Build
from nda.command.place import Failure

SETUP = "meson setup -Dauto_features=enabled"
COMPILE = "meson compile -C"


@pytest.fixture
def top(tmp_path, meson):
    meson.add("apt-get", "#!/bin/sh\n")
    (tmp_path / "top").mkdir()
    return tmp_path / "top"


def bring_up(top, is_new=False, is_strict=True):
    build = Build(top)
    build.is_strict = is_strict
    build.prepare_logs()
    build.configure(is_new)
    build.compile()
    return build


@pytest.fixture
def build(top, meson):
    """One that `./nda build` made, with a file that must not be lost."""
    build = bring_up(top)
    meson.calls()
    (build.folder / "precious").touch()
    return build


def is_kept(build):
    return (build.folder / "precious").exists()


def make_by_hand(build):
    build.toolchain.unlink()


def test_first_it_is_set_up(top, meson):
    bring_up(top)

    assert meson.calls() == [SETUP, COMPILE]


def test_then_it_is_only_compiled(build, meson):
    bring_up(build.top)

    assert meson.calls() == [COMPILE]
    assert is_kept(build)


@pytest.mark.parametrize("name", ["CC", "CFLAGS", "PKG_CONFIG_PATH"])
def test_another_compiler_starts_it_afresh(build, meson, monkeypatch, name):
    monkeypatch.setenv(name, "/opt/other")

    bring_up(build.top)

    assert meson.calls() == [SETUP, COMPILE]
    assert not is_kept(build)


def test_a_verb_that_only_uses_it_keeps_it(build, meson, monkeypatch):
    monkeypatch.setenv("CC", "clang")

    bring_up(build.top, is_strict=False)

    assert meson.calls() == [COMPILE]
    assert is_kept(build)


@pytest.mark.parametrize("before", ["", ":/opt/lib/pkgconfig"])
def test_the_shell_of_a_build_is_no_other_compiler(
    top, meson, monkeypatch, before
):
    if before:
        monkeypatch.setenv("PKG_CONFIG_PATH", before[1:])
    build = bring_up(top)
    meson.calls()
    (build.folder / "precious").touch()
    monkeypatch.setenv("MESON_DEVENV", "1")
    monkeypatch.setenv(
        "PKG_CONFIG_PATH", f"{build.folder}/meson-uninstalled{before}"
    )

    bring_up(top)

    assert meson.calls() == [COMPILE]
    assert is_kept(build)


def test_one_configured_by_hand_is_kept(build, meson, monkeypatch):
    make_by_hand(build)
    monkeypatch.setenv("CC", "clang")

    bring_up(build.top)

    assert meson.calls() == [COMPILE]
    assert is_kept(build)


def test_one_from_another_place_starts_afresh(build, meson, tmp_path, capsys):
    moved = tmp_path / "moved"
    build.top.rename(moved)

    again = bring_up(moved)

    assert meson.calls() == [SETUP, COMPILE]
    assert not is_kept(again)
    assert "from another place, so it starts afresh" in capsys.readouterr().err


def test_by_hand_from_another_place_is_left_alone(build, meson, tmp_path):
    make_by_hand(build)
    moved = tmp_path / "moved"
    build.top.rename(moved)

    with pytest.raises(Failure, match="configured by hand.*left alone"):
        bring_up(moved)

    assert meson.calls() == []
    assert is_kept(Build(moved))


def test_a_failed_compilation_removes_nothing(build, meson):
    meson.answer("compile", "FAILED: x.o\nx.c:1: error: no such luck")

    with pytest.raises(Failure, match="does not build"):
        bring_up(build.top)

    assert is_kept(build)


def test_a_broken_directory_starts_afresh(build, meson):
    meson.answer("compile", "ninja: error: loading 'build.ninja'")

    bring_up(build.top)

    assert meson.calls() == [COMPILE, SETUP, COMPILE]
    assert not is_kept(build)


@pytest.mark.parametrize("reason", ["by hand", "inside its shell"])
def test_a_broken_directory_is_left_alone(build, meson, monkeypatch, reason):
    meson.answer("compile", "ninja: error: loading 'build.ninja'")
    if reason == "by hand":
        make_by_hand(build)
    else:
        monkeypatch.setenv("MESON_DEVENV", "1")

    with pytest.raises(Failure, match="is broken"):
        bring_up(build.top)

    assert is_kept(build)


def test_new_packages_configure_it_again(build, meson):
    bring_up(build.top, is_new=True)

    assert meson.calls() == ["meson setup --reconfigure", COMPILE]
    assert is_kept(build)


def test_warnings_are_errors_in_ci(build, meson, monkeypatch):
    monkeypatch.setenv("CI", "true")

    bring_up(build.top)

    assert meson.calls() == ["meson configure -Dwerror=true", COMPILE]


def test_a_warning_of_the_compiler_is_shown(build, meson, capsys):
    warning = "../x.c:3:1: warning: missing initializer [-Wextra]"
    meson.answer("compile", f"[1/2] x.o\n{warning}\n   3 | x")

    bring_up(build.top)

    shown = capsys.readouterr().err
    assert warning in shown
    assert "3 | x" not in shown


def test_what_cannot_be_configured_says_where_the_reason_is(top, meson):
    meson.answer("setup", "../meson.build:3:1: ERROR: no GStreamer")

    with pytest.raises(Failure, match="nda-logs/setup.log"):
        bring_up(top)


def test_a_build_that_is_removed_by_hand_is_made_again(build, meson):
    shutil.rmtree(build.folder)

    bring_up(build.top)

    assert meson.calls() == [SETUP, COMPILE]
