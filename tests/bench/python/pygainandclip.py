# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The peer of the benchmarks: gain_and_clip.py as an element in Python.

GStreamer's loader of Python elements finds it where GST_PLUGIN_PATH names the
folder above this one; block_cost.py imports it.
"""

import sys
import threading

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
from gi.repository import GObject, Gst, GstBase  # noqa: E402

Gst.init(None)

FORMAT = "F32LE" if sys.byteorder == "little" else "F32BE"


def make_template(name: str, direction: Gst.PadDirection) -> Gst.PadTemplate:
    return Gst.PadTemplate.new(
        name,
        direction,
        Gst.PadPresence.ALWAYS,
        Gst.Caps.from_string(f"audio/x-raw,format={FORMAT}"),
    )


class GainAndClip(GstBase.BaseTransform):
    """The same body as gain_and_clip.py."""

    __gstmetadata__ = (
        "Gain and clip",
        "Filter/Effect/Audio",
        "Half the level, clipped to full scale",
        "the nda authors",
    )
    __gsttemplates__ = (
        make_template("sink", Gst.PadDirection.SINK),
        make_template("src", Gst.PadDirection.SRC),
    )

    hog = GObject.Property(
        type=bool, default=False, nick="A busy thread in Python runs beside"
    )

    def do_start(self) -> bool:
        self.is_over = not self.hog
        if self.hog:
            threading.Thread(target=self.count, daemon=True).start()
        return True

    def do_stop(self) -> bool:
        self.is_over = True
        return True

    def count(self) -> None:
        n = 0
        while not self.is_over:
            n += 1

    def do_transform_ip(self, buffer: Gst.Buffer) -> Gst.FlowReturn:
        with buffer.map(Gst.MapFlags.READ | Gst.MapFlags.WRITE) as mapped:
            block = np.frombuffer(mapped.data, dtype=np.float32)
            np.multiply(block, 0.5, out=block)
            np.clip(block, -1.0, 1.0, out=block)
        return Gst.FlowReturn.OK


GObject.type_register(GainAndClip)
__gstelementfactory__ = ("pygainandclip", Gst.Rank.NONE, GainAndClip)
