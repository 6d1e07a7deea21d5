# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of microphones and speakers."""

from __future__ import annotations

import os
from typing import Any, NoReturn

CLASSES = {"Microphones": "Audio/Source", "Speakers": "Audio/Sink"}
monitors: list[Any] = []  # that were started
FIELDS = ("device.name", "node.name", "alsa.card_name", "device.string")


def name_of(device: Any) -> str:
    """Return the name for the property `device` of ndasrc and ndasink."""
    if device.find_property("internal-name"):
        return device.get_property("internal-name")
    details = device.get_properties()
    for field in FIELDS:
        if details and details.has_field(field):
            return details.get_string(field) or device.get_display_name()
    return device.get_display_name()


def list_devices(Gst: Any) -> dict[str, dict[str, str]]:
    """Return, by class, the names and the texts that programs show.

    The monitor is never stopped or freed: PipeWire's provider of GStreamer
    (0.3.65) frees memory twice then. So the program has to end by `os._exit`.
    """
    monitor = Gst.DeviceMonitor.new()
    for device_class in CLASSES.values():
        monitor.add_filter(device_class, None)
    found: dict[str, dict[str, str]] = {name: {} for name in CLASSES}
    if not monitor.start():
        return found
    for device in monitor.get_devices() or []:
        for name, device_class in CLASSES.items():
            if device.has_classes(device_class):
                # The same device is offered by several servers.
                found[name].setdefault(
                    name_of(device), device.get_display_name()
                )
    monitors.append(monitor)
    return found


def table_text(found: dict[str, dict[str, str]]) -> str:
    lines = []
    for title, devices in found.items():
        lines.append(f"{title}:" if devices else f"{title}: none")
        width = max(map(len, devices), default=0)
        lines += [
            f"  {name:{width}}  {shown}"
            for name, shown in sorted(devices.items())
        ]
    return "\n".join(lines)


def print_all(Gst: Any) -> NoReturn:
    """Print all devices, and end the program."""
    print(table_text(list_devices(Gst)), flush=True)
    os._exit(0)
