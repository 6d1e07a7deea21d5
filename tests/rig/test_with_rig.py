# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rig removes everything that it has made, however its command ends."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

WITH_RIG = Path(__file__).with_name("with-rig")
HOME = 'echo "$XDG_RUNTIME_DIR"; '

needs_pulseaudio = pytest.mark.skipif(
    not shutil.which("pulseaudio"), reason="there is no PulseAudio"
)
on_each_server = pytest.mark.parametrize(
    "server",
    [
        pytest.param("pulse", marks=needs_pulseaudio),
        pytest.param(
            "pipewire",
            marks=pytest.mark.skipif(
                not (shutil.which("wireplumber") and shutil.which("pactl")),
                reason="there is no PipeWire",
            ),
        ),
        pytest.param(
            "jack",
            marks=pytest.mark.skipif(
                not shutil.which("jackd"), reason="there is no jackd"
            ),
        ),
    ],
)


def rig_command(script: str, *options: str) -> list:
    return [WITH_RIG, *options, "one", "bash", "-c", script]


def with_rig(
    script: str, *options: str, **settings
) -> subprocess.CompletedProcess:
    return subprocess.run(
        rig_command(script, *options),
        capture_output=True,
        text=True,
        **settings,
    )


def processes_in(home: Path) -> list[str]:
    """Those that have the folder of a rig in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if bytes(home) in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:
            pass  # ended meanwhile, or is somebody else's
    return found


def assert_gone(home: str) -> None:
    folder = Path(home.strip()).parent
    assert home.strip() and folder.name.startswith("nda-rig")
    assert not folder.exists()
    assert processes_in(folder) == []
    assert list(Path("/dev/shm").glob(f"*{folder.name}*")) == []


@on_each_server
@pytest.mark.parametrize("status", [0, 1, 77])
def test_exits_as_the_command_did(server, status):
    result = with_rig(f"{HOME} exit {status}", "--server", server)

    assert result.returncode == status
    assert_gone(result.stdout)


@on_each_server
def test_stops_when_the_command_is_killed(server):
    result = with_rig(f"{HOME} kill -KILL $$", "--server", server)

    assert result.returncode == 128 + signal.SIGKILL
    assert_gone(result.stdout)


@on_each_server
def test_nothing_is_left_when_the_rig_itself_is_killed(server):
    # The pipe ends when the last process of the rig has ended, which the one
    # that cleans up is.
    rig = subprocess.Popen(
        rig_command(f"{HOME} sleep infinity", "--server", server),
        stdout=subprocess.PIPE,
        text=True,
    )
    home = rig.stdout.readline()

    rig.kill()
    rig.stdout.read()

    assert_gone(home)


@on_each_server
def test_a_server_that_ends_is_started_again(server):
    name = {"pulse": "pulseaudio", "jack": "jackd"}.get(server, server)
    result = with_rig(
        f'file=$NDA_RIG_HOME/{name}.pid; read -r before <"$file"; '
        'kill "$before"; pid=$before; '
        'while [ "$pid" = "$before" ]; do read -r pid <"$file"; done; '
        'kill -0 "$pid"',
        "--server",
        server,
    )

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["three", "true"],
        ["one"],
        ["--server", "none", "one", "true"],
        ["--quantum", "512", "one", "true"],
        ["--server", "jack", "two", "true"],
        ["--ppm", "200", "two", "true"],
        ["--server", "pipewire", "--quantum", "0", "one", "true"],
    ],
)
def test_says_how_it_is_called(arguments):
    result = subprocess.run(
        [WITH_RIG, *arguments], capture_output=True, text=True
    )

    assert result.returncode == 2
    assert "with-rig: " in result.stderr


@on_each_server
def test_microphone_and_speaker_are_the_default(server):
    if server == "jack":
        pytest.skip("jackd has no devices")
    # which stands still now and then with a sanitizer preloaded
    result = with_rig(
        "unset LD_PRELOAD; pactl get-default-source; pactl get-default-sink",
        "--server",
        server,
    )

    assert result.stdout.split() == ["mic", "ear"]


@needs_pulseaudio
@pytest.mark.parametrize(
    "pipeline",
    [
        'ndasrc device=mic ! ndasink sink="fakesink num-buffers=20"',
        'ndasrc source="audiotestsrc num-buffers=20" ! ndasink device=ear',
    ],
)
def test_devices_go_by_their_names(pipeline):
    result = with_rig(f"gst-launch-1.0 {pipeline}")

    assert result.returncode == 0, result.stderr
    assert "Got EOS" in result.stdout


@needs_pulseaudio
def test_device_that_is_not_there_is_an_error_that_lists_those_that_are():
    result = with_rig("gst-launch-1.0 ndasrc device=none ! fakesink")

    assert "There is no audio device “none”" in result.stderr
    assert "“mic” (" in result.stderr and "“ear_tap” (" in result.stderr


@needs_pulseaudio
def test_rigs_run_beside_each_other():
    # The inner rig has the environment of the outer one.
    result = with_rig(
        f'unset LD_PRELOAD; {HOME} "{WITH_RIG}" one pactl get-default-sink'
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.split()[1] == "ear"


@pytest.mark.parametrize("server", ["pulse", "pipewire", "jack"])
def test_skips_aloud_without_its_server(tmp_path, server):
    for tool in ("bash", "env", "dirname", "readlink"):
        os.symlink(shutil.which(tool), tmp_path / tool)

    result = with_rig(
        "exit 0", "--server", server, env={"PATH": str(tmp_path)}
    )

    assert result.returncode == 77
    assert "SKIPPED" in result.stderr
    assert "(Debian: " in result.stderr


@pytest.mark.parametrize(
    "statuses, expected, n_runs",
    [("0", 0, 1), ("75 0", 0, 2), ("1 0", 1, 1), ("75 75 75 0", 77, 3)],
)
def test_a_disturbed_run_is_tried_again(tmp_path, statuses, expected, n_runs):
    left = tmp_path / "left"
    left.write_text("\n".join(statuses.split()) + "\n")
    script = f'read -r s <"{left}"; sed -i 1d "{left}"; exit "$s"'

    result = subprocess.run(
        [WITH_RIG.with_name("undisturbed"), "3", "bash", "-c", script],
        capture_output=True,
        text=True,
    )

    assert result.returncode == expected
    assert left.read_text().split() == statuses.split()[n_runs:]
    assert ("SKIPPED" in result.stderr) == (expected == 77)
