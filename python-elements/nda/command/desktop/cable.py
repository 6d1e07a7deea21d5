# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual devices, which disappear when this program ends, in any way.

A shell makes them, and removes them when its standard input ends. That happens
even if this program is killed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from dataclasses import dataclass

from . import server
from ..place import Failure

PATIENCE = 5  # s, for a device that was asked for
PAUSE = 0.05  # s, between two looks

# Makes the modules named by its arguments, and removes them in reverse order
PULSE = """
ids=
remove () { for id in $ids; do timeout 5 pactl unload-module "$id"; done; }
for module do
  id=$(eval "timeout 5 pactl load-module $module") || { remove; exit 1; }
  ids="$id $ids"
done
echo ready
read -r _
remove
"""


@dataclass(frozen=True)
class Cable:
    """The devices to make.

    Attributes
    ----------
    kind : str
        "mic", which programs record from, or "speaker", which they play to.
    shown : str
        The name that programs show.
    """

    kind: str
    shown: str

    @property
    def name(self) -> str:
        """The device that programs choose."""
        return f"nda_{self.kind}"

    @property
    def end(self) -> str:
        """The device at nda's end."""
        return "nda_mic_cable" if self.kind == "mic" else "nda_speaker.monitor"

    @property
    def sink(self) -> str:
        return "nda_mic_cable" if self.kind == "mic" else "nda_speaker"

    def modules(self) -> list[str]:
        """The modules for PulseAudio, as words of a shell."""
        owner = f"nda.process={os.getpid()}"
        properties = f"device.description={quote(self.shown)} {owner}"
        first = properties
        if self.kind == "mic":
            first = f"device.description={quote(self.shown + ' (cable)')} "
            first += owner
        # Else PulseAudio's null sink plays up to two seconds ahead.
        more = {} if server.is_pipewire() else {"norewinds": "1"}
        words = [module("module-null-sink", sink_name=self.sink,
                        channels="2", rate="48000", format="float32le",
                        sink_properties=first, **more)]
        if self.kind == "mic":
            words.append(module(
                "module-remap-source", source_name=self.name,
                master="nda_mic_cable.monitor", source_properties=properties))
        return words


def quote(text: str) -> str:
    """`text` in single quotes, for a property list of PulseAudio."""
    return "'" + text.replace("'", "’").replace('"', "”") + "'"


def module(name: str, **arguments: str) -> str:
    words = [
        f'{key}="{value}"' if " " in value else f"{key}={value}"
        for key, value in arguments.items()
    ]
    return shlex.join([name, *words])


def is_alive(process: int) -> bool:
    return os.path.exists(f"/proc/{process}")


def remove_left_over(cable: Cable) -> None:
    """Remove the devices that an earlier run left; fail if that run still goes
    on."""
    found = server.modules_with(f"sink_name={cable.sink} ")
    for number, arguments in found:
        owner = re.search(r"nda\.process=(\d+)", arguments)
        if owner and is_alive(int(owner[1])):
            raise Failure(
                f"another nda {cable.kind} runs, process {owner[1]}: end it "
                f"with “kill {owner[1]}”, then run this again."
            )
        server.ask("unload-module", number)


class Keeper:
    """Keeps the devices of a cable as long as it is open."""

    def __init__(self, cable: Cable) -> None:
        remove_left_over(cable)
        self.process = subprocess.Popen(
            ["sh", "-c", PULSE, "nda", *cable.modules()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for this program; the shell has to clean up.
            start_new_session=True,
        )
        if self.process.stdout.readline() != b"ready\n" or (
            not self.wait_for(cable.end)
        ):
            self.close()
            raise Failure(
                f"the sound server did not make the device {cable.name}: "
                "look into its log, on a desktop with “journalctl --user -e”."
            )

    def wait_for(self, device: str) -> bool:
        """Wait until the server has the device; PipeWire takes some time."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if server.has_device(device):
                return True
            time.sleep(PAUSE)
        return False

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
