# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""meson install: where things go, what is said last, and what is left."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ["NDA_BUILD"])
LOG = BUILD / "meson-logs" / "install-log.txt"


def in_terminal(command, env):
    """Run `command` on a terminal, where lines come in order; what it said."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        command, stdout=child, stderr=child, stdin=child, env=env
    ) as process:
        os.close(child)
        said = b""
        while True:
            try:
                data = os.read(parent, 65536)
            except OSError:  # its other end is closed
                break
            if not data:
                break
            said += data
    os.close(parent)
    assert process.returncode == 0, said.decode()
    return said.decode().replace("\r\n", "\n")


def meson(*words, **env):
    return in_terminal(["meson", *map(str, words)], {**os.environ, **env})


def ask_meson(option):
    options = json.loads(
        (BUILD / "meson-info" / "intro-buildoptions.json").read_text()
    )
    return next(o["value"] for o in options if o["name"] == option)


PREFIX = Path(ask_meson("prefix"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The build, installed below another root; and what that said."""
    root = tmp_path_factory.mktemp("root") / "dest"
    log = LOG.read_text() if LOG.exists() else None
    said = meson("install", "--no-rebuild", "-C", BUILD,
                 DESTDIR=str(root), PATH="/usr/bin:/bin")
    yield root, said
    if log is None:
        LOG.unlink(missing_ok=True)
    else:
        LOG.write_text(log)


def below(root, path):
    return root / path.relative_to("/")


def system_plugins():
    return Path(subprocess.run(
        ["pkg-config", "--variable=pluginsdir", "gstreamer-1.0"],
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip())


def plugins_folder():
    """Below the prefix as GStreamer's plugins are below /usr."""
    return PREFIX / system_plugins().relative_to("/usr")


def environment(root):
    package = next(root.rglob("nda/__init__.py")).parents[1]
    return {
        **{name: value for name, value in os.environ.items()
           if not name.startswith(("GST_PLUGIN", "PYTHON"))},
        "GST_PLUGIN_PATH": str(below(root, plugins_folder())),
        "GST_REGISTRY": str(root / "registry.bin"),
        "NDA_PYTHON_DIR": str(package),
    }, package


def test_plugins_are_where_gstreamer_looks_below_the_prefix(installed):
    root, _ = installed

    there = {path.name for path in below(root, plugins_folder()).glob("*.so")}

    assert {"libgstndaio.so", "libgstndapython.so"} <= there


def test_the_last_line_says_what_to_export(installed):
    last = installed[1].rstrip().splitlines()[-1]

    if plugins_folder() == system_plugins():
        assert "GStreamer finds nda now" in last
    else:
        assert f'export GST_PLUGIN_PATH="{plugins_folder()}"' in last
        assert f'PATH="{PREFIX}/bin:$PATH"' in last


def test_the_prefix_of_gstreamer_needs_no_export(tmp_path):
    script = Path(__file__).parents[2] / "gst" / "installed"

    said = in_terminal(["sh", "-c", f"{script} /a /a /usr/bin; true"],
                       {**os.environ, "PATH": "/usr/bin"})

    assert said == "GStreamer finds nda now: gst-inspect-1.0 ndapybridge\n"


def test_the_installed_command_works(installed):
    root, _ = installed
    env, package = environment(root)
    program = below(root, PREFIX) / "bin" / "nda"
    text = program.read_text()
    # What DESTDIR moves: Python looks where it will be later
    moved = root / "nda"
    moved.write_text(text.replace(f'"{PREFIX}', f'"{below(root, PREFIX)}'))

    version, listed, demo = (
        subprocess.run(["/usr/bin/python3", "-I", moved, *words],
                       capture_output=True, text=True, env=env)
        for words in (["--version"], ["help"], ["demo"])
    )

    assert version.stdout == f"nda {os.environ['NDA_VERSION']}\n"
    assert "  nda run " in listed.stdout
    assert demo.returncode == 1 and "in a checkout" in demo.stderr


def test_uninstalling_leaves_nothing(installed):
    """Although Python has run what was installed, as its owner."""
    root, _ = installed
    env, package = environment(root)
    subprocess.run(
        "gst-launch-1.0 -q audiotestsrc num-buffers=3 ! "
        "ndapybridge plugin=gain ! fakesink".split(),
        check=True, env={**env, "G_DEBUG": ""},
    )
    subprocess.run(
        ["/usr/bin/python3", "-c",
         f"import sys; sys.path.append({str(package)!r})\n"
         "import nda.command.main, nda.device_io, nda.check.command"],
        check=True,
        env=env,
    )
    for name in ("nda", "registry.bin"):
        (root / name).unlink(missing_ok=True)

    subprocess.run(["ninja", "-C", BUILD, "uninstall"], check=True,
                   stdout=subprocess.DEVNULL)

    assert list(root.rglob("*")) == []
