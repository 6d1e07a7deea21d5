# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages that a checkout needs, and their installation.

The user sees which packages are missing, and their size, before they are
installed.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
import textwrap

from ..place import Failure
from .steps import Steps, say

TO_BUILD = """gcc libc6-dev pkgconf meson gettext libssl-dev
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libpython3-dev
    libsoxr-dev""".split()
TO_RUN = """python3-numpy gstreamer1.0-tools gstreamer1.0-plugins-base
    gstreamer1.0-plugins-good gstreamer1.0-alsa alsa-utils python3-pyaudio
    python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0
    gstreamer1.0-python3-plugin-loader""".split()
TO_TEST = """python3-pytest indent libasound2-plugins gstreamer1.0-plugins-bad
    pulseaudio-utils dbus-daemon libpipewire-0.3-dev libjack-jackd2-dev
    gstreamer1.0-pipewire jackd2""".split()
# The sound servers of the tests. A desktop would start using them
TEST_SERVERS = ["pulseaudio", "wireplumber"]
TO_BENCH = """g++ libsamplerate0-dev libspeexdsp-dev
    libzita-resampler-dev""".split()

# A part of apt-get's output, and advice for it
REASONS = (
    (r"Temporary failure resolving|Could not resolve|[Uu]?[Cc]ould not connect"
     r"|Unable to connect|Failed to fetch",
     "the packages could not be fetched: connect this machine to the network "
     "(or set http_proxy), then run this again."),
    (r"Unable to locate package|has no installation candidate",
     "this system's package lists lack something that Debian 12 and 13 have "
     "in “main”: enable it in /etc/apt/sources.list, or install the package "
     "named above by hand."),
    (r"but remove is disabled",
     "installing the packages would remove others: run “apt-get install "
     "{missing}” yourself and decide."),
    (r"Could not get lock",
     "another program is installing packages: wait for it to end, then run "
     "this again."),
    (r"dpkg was interrupted",
     "an earlier installation was interrupted: run “dpkg --configure -a” as "
     "root, then run this again."),
    (r"No space left on device|enough free space",
     "the disk is full: free about 1.5 GB, then run this again."),
)


def is_desktop() -> bool:
    """Return whether this machine has a desktop with sound."""
    return any(
        glob.glob(f"/usr/share/{kind}/*.desktop")
        for kind in ("xsessions", "wayland-sessions")
    )


def for_tests() -> list[str]:
    """Return the packages that the tests need.

    A desktop has one sound server. Installing the other one would replace it
    at the next login, so the tests of the other one are skipped there.
    PulseAudio cannot be installed together with pipewire-alsa at all.
    """
    servers = list(TEST_SERVERS)
    if os.access("/usr/bin/pipewire-pulse", os.X_OK):
        servers.remove("pulseaudio")
    if is_desktop():
        servers.remove("wireplumber")
    return TO_TEST + servers


def counted(packages: list[str]) -> str:
    n = len(packages)
    return f"{n} package" if n == 1 else f"{n} packages"


def missing_of(packages: list[str]) -> list[str]:
    """Return the packages that are not installed."""
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n",
         *packages],
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [name for name in packages if f"{name} installed" not in listed]


def apt_get(*words: str) -> list[str]:
    # No installed package is removed, and messages are in English, so that
    # explain understands them.
    return [
        "env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1",
        "LC_ALL=C", "apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=300",
        "-o", "Dpkg::Use-Pty=0", "--no-install-recommends", "--no-remove",
        *words,
    ]


def size_of(packages: list[str]) -> str:
    """Return the download size and the installed size, "" if unknown."""
    command = ["apt-get", "--assume-no", "-o", "Debug::NoLocking=true",
               "--no-install-recommends", "install", *packages]
    said = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout
    # The words of apt 2 and of apt 3
    fetched = re.search(r"(?:Need to get|Download size:) ([\d.,]+ \w+)", said)
    taken = re.search(
        r"(?:After this operation,|Space needed:) ([\d.,]+ \w+)", said
    )
    if not fetched or not taken:
        return ""
    return f"{fetched[1]} to fetch, {taken[1]} on the disk"


def has_to_ask(is_yes: bool) -> bool:
    """Return whether to ask the user."""
    return not (is_yes or os.environ.get("CI")) and sys.stdin.isatty()


def become_root(missing: list[str]) -> list[str]:
    """Return the words before a command that needs root."""
    if os.geteuid() == 0:
        return []
    by_hand = " ".join(
        ["apt-get", "install", "--no-install-recommends", *missing]
    )
    if not shutil.which("sudo"):
        raise Failure(
            f"{counted(missing)} missing, and only root can install that: "
            f"run “su -c '{by_hand}'”, then this again."
        )
    # Asks for the password here, where the user sees it; never in a quiet
    # step.
    ask = ["sudo", "-v"] if sys.stdin.isatty() else ["sudo", "-n", "true"]
    if subprocess.run(ask, stdout=sys.stderr).returncode:
        raise Failure(
            f"{counted(missing)} missing, and sudo did not let this user "
            f"install that: run “{by_hand}” as root, then this again."
        )
    return ["sudo"]


def explain(said: str, missing: list[str], steps: Steps) -> str:
    """Return a sentence that says why no package could be installed."""
    for sign, reason in REASONS:
        if re.search(sign, said):
            return reason.format(missing=" ".join(missing))
    return (f"apt-get failed, as shown above (all of it is in "
            f"{steps.folder}): correct that, then run this again.")


def tell(missing: list[str], size: str) -> None:
    say(f"nda needs {counted(missing)} of Debian that "
        f"{'is' if len(missing) == 1 else 'are'} not installed"
        + (f" ({size}, with what they need):" if size else ":"))
    text = " ".join(missing)
    say(textwrap.indent(
        textwrap.fill(text, 74, break_on_hyphens=False), "    "))


def ask() -> None:
    say("Install them? [Y/n] ", end="")
    answer = sys.stdin.readline()
    if not answer or answer.strip().lower() not in ("", "y", "yes"):
        raise Failure("nothing was installed.")


def install(packages: list[str], steps: Steps, is_yes: bool) -> bool:
    """Install the missing packages; return whether there were any."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-query"):
        if not shutil.which("meson"):
            raise Failure(
                "this is not Debian: install meson, a C compiler, GStreamer "
                "1.22 or later with its base and good plugins and "
                "development files, and Python 3.10 or later with NumPy, "
                "then run this again. docs/questions.md has the packages of "
                "Fedora and Arch Linux."
            )
        return False
    missing = missing_of(packages)
    if not missing:
        return False
    size = size_of(missing)
    tell(missing, size)
    if size and has_to_ask(is_yes):
        ask()
    as_root = become_root(missing)
    refresh(missing, steps, as_root, is_told=bool(size), is_yes=is_yes)
    title = f"Installing {counted(missing)}"
    command = as_root + apt_get("install", *missing)
    if not steps.run("apt-install", title, command):
        steps.show("apt-install", 3)
        said = steps.read("apt-update") + steps.read("apt-install")
        raise Failure(explain(said, missing, steps))
    return True


def refresh(missing, steps, as_root, is_told: bool, is_yes: bool) -> None:
    """Refresh apt's lists, and ask now if their size was not known before."""
    # A list that cannot be refreshed may still be good enough.
    steps.run("apt-update", "Refreshing the package lists",
              as_root + apt_get("update"))
    if is_told:
        return
    size = size_of(missing)
    say(f"    {size or 'apt-get does not say how large they are'}")
    if has_to_ask(is_yes):
        ask()
