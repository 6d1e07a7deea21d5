# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The peer of streams.py: half the level, as an element in Python."""

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
from gi.repository import GObject, Gst, GstBase  # noqa: E402

Gst.init(None)


def make_template(name: str, direction: Gst.PadDirection) -> Gst.PadTemplate:
    caps = Gst.Caps.from_string("audio/x-raw,format={F32LE, F32BE}")
    return Gst.PadTemplate.new(name, direction, Gst.PadPresence.ALWAYS, caps)


class Gain(GstBase.BaseTransform):
    """What the ready-made plugin gain does with a constant gain."""

    __gstmetadata__ = (
        "Gain", "Filter/Effect/Audio", "Half the level", "the nda authors"
    )
    __gsttemplates__ = (
        make_template("sink", Gst.PadDirection.SINK),
        make_template("src", Gst.PadDirection.SRC),
    )

    def do_transform_ip(self, buffer: Gst.Buffer) -> Gst.FlowReturn:
        with buffer.map(Gst.MapFlags.READ | Gst.MapFlags.WRITE) as mapped:
            block = np.frombuffer(mapped.data, dtype=np.float32)
            np.multiply(block, 0.5, out=block)
        return Gst.FlowReturn.OK


GObject.type_register(Gain)
__gstelementfactory__ = ("pygain", Gst.Rank.NONE, Gain)
