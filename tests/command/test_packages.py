# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages: what is said before they are installed, and who is asked."""

import io
import os
import sys

import pytest

from nda.command.checkout import packages
from nda.command.checkout.steps import Steps
from nda.command.place import Failure

APT_2 = """Need to get 1,234 kB/5,000 kB of archives.
After this operation, 48.5 MB of additional disk space will be used.
"""
APT_3 = """Summary:
  Upgrading: 0, Installing: 14, Removing: 0, Not Upgrading: 1
  Download size: 1,234 kB / 5,000 kB
  Space needed: 48.5 MB / 12.3 GB available
"""


@pytest.fixture
def steps(tmp_path):
    return Steps(tmp_path)


@pytest.fixture
def debian(tools, monkeypatch):
    """One that has gcc; it says APT_2 of what is to be installed."""
    tools.add("dpkg-query", "#!/bin/sh\necho gcc installed\n")
    tools.add("apt-get", f"""#!/bin/sh
echo "apt-get $*" >>{tools.folder}/calls
cat {tools.folder}/apt
exit $(cat {tools.folder}/status)
""")
    (tools.folder / "apt").write_text(APT_2)
    (tools.folder / "status").write_text("0")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tools


class Terminal(io.StringIO):
    def isatty(self):
        return True


def is_installed(calls):
    return any(" -y " in call and " install " in call for call in calls)


def install(steps, is_yes=False):
    return packages.install(["gcc", "meson"], steps, is_yes)


@pytest.mark.parametrize("said", [APT_2, APT_3])
def test_size_of_what_is_missing_is_said(debian, steps, capsys, said):
    (debian.folder / "apt").write_text(said)

    assert install(steps) is True

    said = capsys.readouterr().err
    assert "1 package of Debian that is not installed" in said
    assert "1,234 kB to fetch, 48.5 MB on the disk" in said
    assert "    meson\n" in said
    assert said.index("to fetch") < said.index("Installing 1 package")
    assert is_installed(debian.calls())


@pytest.mark.parametrize("answer", ["\n", "y\n", "Yes\n"])
def test_with_a_terminal_it_asks(debian, steps, monkeypatch, capsys, answer):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    assert install(steps) is True

    assert "[Y/n]" in capsys.readouterr().err
    assert is_installed(debian.calls())


@pytest.mark.parametrize("answer", ["n\n", "what?\n", ""])
def test_no_is_no(debian, steps, monkeypatch, answer):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    with pytest.raises(Failure, match="nothing was installed"):
        install(steps)

    assert not is_installed(debian.calls())


@pytest.mark.parametrize("why", ["--yes", "CI"])
def test_yes_and_ci_do_not_ask(debian, steps, monkeypatch, capsys, why):
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    if why == "CI":
        monkeypatch.setenv("CI", "true")

    assert install(steps, is_yes=why == "--yes") is True

    assert "[Y/n]" not in capsys.readouterr().err


def test_without_lists_it_asks_when_it_knows_the_size(
    debian, steps, monkeypatch
):
    debian.add("apt-get", f"""#!/bin/sh
echo "apt-get $*" >>{debian.folder}/calls
case "$*" in
*update*) touch {debian.folder}/lists ;;
*--assume-no*) [ ! -e {debian.folder}/lists ] || cat {debian.folder}/apt ;;
esac
""")
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))

    with pytest.raises(Failure, match="nothing was installed"):
        install(steps)

    calls = debian.calls()
    assert any("update" in call for call in calls)
    assert not is_installed(calls)


def test_nothing_is_said_if_nothing_is_missing(debian, steps, capsys):
    assert packages.install(["gcc"], steps, False) is False
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "said, advice",
    [
        ("Err:1 Temporary failure resolving 'deb'", "network"),
        ("E: Unable to locate package meson", "sources.list"),
        ("E: Packages need to be removed but remove is disabled.",
         "apt-get install meson"),
        ("E: Could not get lock /var/lib/dpkg/lock", "another program"),
        ("E: dpkg was interrupted, you must manually run", "as root, then"),
        ("E: write (28: No space left on device)", "disk is full"),
        ("E: something else", "apt-get failed"),
    ],
)
def test_a_failure_says_what_to_do(debian, steps, said, advice):
    (debian.folder / "apt").write_text(said)
    (debian.folder / "status").write_text("100")

    with pytest.raises(Failure, match=advice):
        install(steps)


def test_without_root_and_sudo_it_says_what_root_types(
    debian, steps, monkeypatch
):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(debian.folder))

    with pytest.raises(Failure, match="su -c 'apt-get install .* meson'"):
        packages.become_root(["meson"])


def test_sudo_that_refuses_is_told(debian, steps, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    debian.add("sudo", "#!/bin/sh\nexit 1\n")

    with pytest.raises(Failure, match="sudo did not let this user"):
        install(steps)

    assert not is_installed(debian.calls())


def test_another_distribution_is_told_what_it_needs(
    tools, steps, monkeypatch
):
    monkeypatch.setenv("PATH", str(tools.folder))

    with pytest.raises(Failure, match="this is not Debian: install meson"):
        install(steps)
