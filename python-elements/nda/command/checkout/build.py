# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A build directory: set up, compiled, and started again if necessary.

A build that a user configured by hand is never removed: it has no file
`nda-logs/toolchain`. In a shell of a build (`nda shell`, `meson devenv`) no
build is removed either.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from . import lock, meson
from ..place import Failure, is_in_shell
from .steps import Steps, say

COMPILER = ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")
COMPILER_WARNING = re.compile(r"^[^ ]+:\d+(:\d+)?: warning: ")


def plain_environment() -> dict[str, str]:
    """Return the environment without the additions of a build's shell."""
    env = dict(os.environ)
    paths = env.get("PKG_CONFIG_PATH", "").split(os.pathsep)
    kept = [
        path
        for path in paths
        if path and os.path.basename(path) != "meson-uninstalled"
    ]
    env.pop("PKG_CONFIG_PATH", None)
    if kept:
        env["PKG_CONFIG_PATH"] = os.pathsep.join(kept)
    return env


def system_name() -> str:
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return ""
    return f"{system.get('ID', '')} {system.get('VERSION_ID', '')}"


class Build:
    """One build directory of a checkout."""

    def __init__(self, top: Path, name: str = "build") -> None:
        self.top = top
        self.folder = top / name
        self.logs = self.folder / "nda-logs"
        self.steps = Steps(self.logs)
        self.options: list[str] = []
        self.compiler: dict[str, str] = {}  # variables, beside those there are
        self.is_strict = False  # another compiler starts the build afresh

    # --- what it is ---

    @property
    def env(self) -> dict[str, str]:
        return {**plain_environment(), **self.compiler}

    @property
    def place_text(self) -> str:
        """Return a text of place and system, to which a build is bound."""
        return f"{self.top}\n{system_name()}\n"

    @property
    def toolchain_text(self) -> str:
        env = self.env
        lines = [f"{name}={env.get(name, '')}" for name in COMPILER]
        lines.append(f"PKG_CONFIG_PATH={env.get('PKG_CONFIG_PATH', '')}")
        return self.place_text + "\n".join(lines) + "\n"

    @property
    def toolchain(self) -> Path:
        return self.logs / "toolchain"

    def is_configured(self) -> bool:
        """Return whether Meson has set it up in this place."""
        info = self.folder / "meson-info" / "meson-info.json"
        return (
            (self.folder / "build.ninja").is_file()
            and (self.folder / "meson-private" / "coredata.dat").is_file()
            and info.is_file()
            and f'"{self.folder}"' in info.read_text()
        )

    def why_unusable(self) -> str:
        """Return why it cannot be compiled; "" if it can."""
        if not (self.folder / "build.ninja").exists():
            return "is not set up"
        if not self.is_configured():
            return "is from another place"
        if not self.toolchain.exists():  # configured by hand
            return ""
        was = self.toolchain.read_text()
        if not was.startswith(self.place_text):
            return "is from another place or system"
        if self.is_strict and was != self.toolchain_text:
            return "is from another compiler"
        return ""

    # --- making it ---

    def prepare_logs(self) -> None:
        ninja = self.folder / "build.ninja"
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError:
            pass
        if os.access(self.logs, os.W_OK) and (
            not ninja.exists() or os.access(ninja, os.W_OK)
        ):
            return
        user = getpass.getuser()
        raise Failure(
            f"{self.folder} cannot be written by {user}; give it back with "
            f"“sudo chown -R {user} '{self.folder}'”, or remove it."
        )

    def start_afresh(self, why: str) -> None:
        """Remove its content and set it up, unless it must not be removed."""
        name = self.folder.name
        if (self.folder / "build.ninja").exists():
            if not self.toolchain.exists():
                raise Failure(
                    f"{self.folder} {why}, and was configured by hand, so "
                    "that it is left alone: mend it, or remove it, then run "
                    "this again."
                )
            if is_in_shell():
                raise Failure(
                    f"{self.folder} {why}, and no build is removed from "
                    "inside the shell of a build: leave that shell, then "
                    "run this again."
                )
            say(f"    {name}/ {why}, so it starts afresh")
        with lock.unused(self.logs):
            for path in self.folder.iterdir():
                if path == self.logs:
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        self.set_up()

    def set_up(self) -> None:
        options = list(self.options)
        # If we can install packages, all of them are there: build every
        # plugin.
        if shutil.which("apt-get"):
            options.insert(0, "-Dauto_features=enabled")
        if os.environ.get("CI"):
            options.insert(0, "-Dwerror=true")
        command = ["meson", "setup", *options, self.folder, self.top]
        title = f"Configuring {self.folder.name}/"
        if not self.steps.run("setup", title, command, self.env):
            self.steps.show("setup", 40)
            raise Failure(
                "the build could not be configured, for the reason above "
                f"(all of it is in {self.steps.log('setup')})."
            )
        self.toolchain.write_text(self.toolchain_text)

    def configure(self, is_new: bool) -> None:
        """Set it up if it is not; `is_new`: packages were installed."""
        why = self.why_unusable()
        if why:
            self.start_afresh(why)
        elif is_new:
            # An earlier configuration may have left something out.
            title = f"Configuring {self.folder.name}/ again"
            again = ["meson", "setup", "--reconfigure", self.folder, self.top]
            if not self.steps.run("setup", title, again, self.env):
                self.start_afresh("cannot be configured again")
        elif os.environ.get("CI"):
            subprocess.run(
                ["meson", "configure", self.folder, "-Dwerror=true"],
                env=self.env,
                check=True,
            )

    def try_to_compile(self) -> bool:
        command = ["meson", "compile", "-C", self.folder]
        ok = self.steps.run("compile", "Building", command, self.env)
        if ok:
            self.show_warnings()
        return ok

    def compile(self) -> None:
        if self.try_to_compile():
            return
        # If no command failed, the directory is broken.
        said = self.steps.read("compile")
        if not re.search("^FAILED:", said, re.M):
            self.steps.show("compile", 10)
            self.start_afresh("is broken")
            if self.try_to_compile():
                return
        self.steps.show("compile", 40)
        raise Failure(
            "it does not build, for the reason above (all of it is in "
            f"{self.steps.log('compile')})."
        )

    def show_warnings(self) -> None:
        """Print each warning of a compiler: with `CI` set, it is an error."""
        for line in self.steps.read("compile").splitlines():
            if COMPILER_WARNING.search(line):
                say(f"    {line}")

    # --- using it ---

    def environment(self) -> dict[str, str]:
        """Return the environment in which GStreamer and Python find this
        build."""
        said = subprocess.run(
            meson.command("devenv", "-C", str(self.folder), "env", "-0"),
            env=plain_environment(),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.decode(errors="surrogateescape")
        return dict(
            entry.split("=", 1)
            for entry in said.split("\0")
            if "=" in entry
        )
