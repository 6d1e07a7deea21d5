# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rig gives back what it took, however the command in it ends."""

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


def with_rig(script: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [WITH_RIG, "one", "bash", "-c", script],
        capture_output=True,
        text=True,
        **options,
    )


def assert_gone(home: str) -> None:
    assert home.strip()
    assert not Path(home.strip()).parent.exists()


@needs_pulseaudio
@pytest.mark.parametrize("status", [0, 1, 77])
def test_exits_as_the_command_did(status):
    result = with_rig(f"{HOME} exit {status}")

    assert result.returncode == status
    assert_gone(result.stdout)


@needs_pulseaudio
def test_stops_when_the_command_is_killed():
    result = with_rig(f"{HOME} kill -KILL $$")

    assert result.returncode == 128 + signal.SIGKILL
    assert_gone(result.stdout)


@needs_pulseaudio
def test_microphone_and_speaker_are_the_default():
    # which stands still now and then with a sanitizer preloaded
    result = with_rig(
        "unset LD_PRELOAD; pactl get-default-source; pactl get-default-sink"
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


def test_skips_aloud_without_pulseaudio(tmp_path):
    for tool in ("bash", "env"):
        os.symlink(shutil.which(tool), tmp_path / tool)

    result = with_rig("exit 0", env={"PATH": str(tmp_path)})

    assert result.returncode == 77
    assert "SKIPPED" in result.stderr


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
