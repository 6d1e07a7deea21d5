# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda mic, nda speaker: the devices, without a sound server."""

import io
import os
import re
import signal
import subprocess
import sys

import pytest

from nda.command.desktop import cable, devices, ends, line, server
from nda.command.desktop.cable import Cable, Keeper
from nda.command.main import main
from nda.command.place import Failure, Place

# A server as pactl shows it: each module has a file, and each call a line
PACTL = """#!/bin/sh
cd {folder}
echo "$*" >>pactl-calls
case "$1" in
info) cat server ;;
get-default-*) cat default ;;
load-module)
  [ ! -e refuse-$2 ] || exit 1
  n=$(ls modules | wc -l); echo "$*" >modules/$n; echo $n ;;
unload-module) rm modules/$2; [ ! -p gone ] || echo $2 >gone ;;
list)
  case $3 in
  sinks) sed -n 's/.* sink_name=\\([a-z_]*\\) .*/0\\t\\1\\t/p' modules/* ;;
  sources)
    sed -n 's/.* sink_name=\\([a-z_]*\\) .*/0\\t\\1.monitor\\t/p' modules/* ;;
  modules)
    for file in modules/*; do
      [ ! -e $file ] || printf '%s\\tname\\t%s\\n' ${{file#*/}} "$(cat $file)"
    done ;;
  esac ;;
esac
"""


@pytest.fixture
def pulse(tools):
    """A PulseAudio without any device."""
    (tools.folder / "modules").mkdir()
    (tools.folder / "server").write_text("Server Name: pulseaudio\n")
    (tools.folder / "default").write_text("usb\n")
    tools.add("pactl", PACTL.format(folder=tools.folder))
    return tools.folder


def modules(folder):
    files = sorted((folder / "modules").iterdir())
    return [path.read_text() for path in files]


def test_a_microphone_is_a_null_sink_and_what_hears_it(pulse):
    keeper = Keeper(Cable("mic", "nda: gate"))

    sink, source = modules(pulse)
    assert sink.startswith("load-module module-null-sink sink_name=nda_mic_c")
    assert "source_name=nda_mic master=nda_mic_cable.monitor" in source
    assert "device.description='nda: gate'" in source
    keeper.close()
    assert modules(pulse) == []


def test_a_speaker_is_a_null_sink(pulse):
    keeper = Keeper(Cable("speaker", "nda: gate"))

    assert len(modules(pulse)) == 1
    assert "sink_name=nda_speaker" in modules(pulse)[0]
    keeper.close()
    assert modules(pulse) == []


def test_they_are_removed_in_reverse_order(pulse):
    Keeper(Cable("mic", "nda: gate")).close()

    calls = (pulse / "pactl-calls").read_text()
    assert re.findall(r"unload-module (\d)", calls) == ["1", "0"]


def test_they_are_gone_when_nda_is_killed(pulse):
    os.mkfifo(pulse / "gone")
    program = (
        "import os, signal\n"
        "from nda.command.desktop.cable import Cable, Keeper\n"
        "keeper = Keeper(Cable('mic', 'nda: gate'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    done = subprocess.run([sys.executable, "-c", program])

    assert done.returncode == -signal.SIGKILL
    # Opened for both, it does not end between two writers.
    with open(os.open(pulse / "gone", os.O_RDWR), "rb", buffering=0) as gone:
        assert gone.read(2) + gone.read(2) == b"1\n0\n"
    assert modules(pulse) == []


def test_half_a_microphone_is_none(pulse):
    (pulse / "refuse-module-remap-source").touch()

    with pytest.raises(Failure, match="did not make the device nda_mic"):
        Keeper(Cable("mic", "nda: gate"))

    assert modules(pulse) == []


def leave_behind(folder, process):
    (folder / "modules" / "0").write_text(
        "module-null-sink sink_name=nda_mic_cable channels=2 "
        f"sink_properties=\"nda.process={process}\""
    )


def test_what_a_dead_run_left_behind_is_removed(pulse):
    leave_behind(pulse, 2**22 + 1)  # no process has a number so high

    cable.remove_left_over(Cable("mic", "nda: gate"))

    assert modules(pulse) == []


def test_two_at_once_are_refused(pulse):
    leave_behind(pulse, os.getpid())

    with pytest.raises(Failure, match=f"process {os.getpid()}: end it"):
        Keeper(Cable("mic", "nda: gate"))

    assert len(modules(pulse)) == 1


@pytest.mark.parametrize("shown", ["it's", 'a "b"'])
def test_a_name_with_quotes_stays_one_property(shown):
    assert cable.quote(shown).count("'") == 2
    assert '"' not in cable.quote(shown)


def test_pipewire_is_told_by_its_name(pulse):
    assert not server.is_pipewire()
    (pulse / "server").write_text("Server Name: PulseAudio (on PipeWire 1)\n")

    assert server.is_pipewire()


@pytest.mark.parametrize("kind", ["mic", "speaker"])
def test_pipewire_keeps_a_quantum_of_a_block(kind):
    request = ends.request_for(kind, is_pipewire=True)

    # PipeWire keeps two periods, and half of the rest is its quantum.
    period, whole = request.sink["latency-time"], request.sink["buffer-time"]
    assert (whole - 2 * period) // 2 * 48000 >= 511 * 1_000_000
    assert (whole - 2 * period) // 2 * 48000 < 513 * 1_000_000


def test_on_pulseaudio_only_the_cable_of_a_microphone_is_short():
    assert ends.request_for("mic", is_pipewire=False).sink
    assert ends.request_for("speaker", is_pipewire=False) == ends.Request()



def test_without_pactl_the_package_is_named(tools, monkeypatch):
    monkeypatch.setenv("PATH", str(tools.folder))

    with pytest.raises(Failure, match="apt-get install pulseaudio-utils"):
        server.is_there()


def test_without_a_server_it_says_so(pulse, tools):
    tools.add("pactl", "#!/bin/sh\nexit 1\n")

    with pytest.raises(Failure, match="no sound server answers"):
        server.default_device("source")


@pytest.mark.parametrize("verb", ["mic", "speaker"])
def test_nda_does_not_hear_itself(pulse, capsys, verb):
    (pulse / "default").write_text(f"nda_{verb}\n")

    assert main([verb, "gain"], Place()) == 1

    assert "device of nda itself" in capsys.readouterr().err
    assert modules(pulse) == []


@pytest.mark.parametrize("verb", ["mic", "speaker"])
def test_a_plugin_is_needed(pulse, capsys, verb):
    assert main([verb], Place()) == 2

    assert "name a plugin" in capsys.readouterr().err


def test_levels_become_bars():
    text = line.line_text(-30.0, -100.0, {"late": 0, "underruns": 2})

    assert text == (f"in  -30.0 [{'#' * 10}{'.' * 10}]  "
                    f"out  quiet [{'.' * 20}]  2 underruns")
    assert line.line_text(0, 0, {"late": 0}).endswith("nothing lost")
    assert line.bar(6.0) == "#" * 20


def test_the_line_is_for_terminals_alone():
    stream = io.StringIO()
    quiet = line.Line(stream)

    quiet.show("levels")
    quiet.say("told")

    assert stream.getvalue() == "told\n"


def test_devices_become_a_table():
    found = {"Microphones": {"usb": "USB mic", "a": "Built-in"},
             "Speakers": {}}

    assert devices.table_text(found) == (
        "Microphones:\n  a    Built-in\n  usb  USB mic\nSpeakers: none"
    )
