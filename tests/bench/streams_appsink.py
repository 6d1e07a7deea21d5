#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The peer of streams.py: an application between appsink and appsrc.

    streams_appsink.py LIBRARY STREAMS

Each stream's samples are handled where appsink gives them out, on the
source's thread. LIBRARY is bench-streams as one, which measures.
"""

import ctypes
import sys

import gi
import numpy as np

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

FORMAT = "F32LE" if sys.byteorder == "little" else "F32BE"
CAPS = f"audio/x-raw,format={FORMAT},channels=1,layout=interleaved,rate=48000"
STREAM = (
    "audiotestsrc name=in{0} is-live=true samplesperbuffer=512 wave=sine "
    f"! {CAPS} ! appsink name=from{{0}} emit-signals=true sync=false "
    f"async=false appsrc name=to{{0}} is-live=true format=time caps={CAPS} "
    "! fakesink name=out{0} sync=false async=false "
)


def on_sample(appsink: Gst.Element, appsrc: Gst.Element) -> Gst.FlowReturn:
    buffer = appsink.emit("pull-sample").get_buffer()
    data = buffer.extract_dup(0, buffer.get_size())
    block = np.frombuffer(data, dtype=np.float32) * np.float32(0.5)
    made = Gst.Buffer.new_wrapped(block.tobytes())
    made.pts, made.duration = buffer.pts, buffer.duration
    return appsrc.emit("push-buffer", made)


def main() -> None:
    library = ctypes.CDLL(sys.argv[1])
    n_streams = int(sys.argv[2])
    Gst.init(None)
    pipeline = Gst.parse_launch(
        " ".join(STREAM.format(n) for n in range(n_streams))
    )
    for n in range(n_streams):
        appsrc = pipeline.get_by_name(f"to{n}")
        appsink = pipeline.get_by_name(f"from{n}")
        appsink.connect("new-sample", on_sample, appsrc)
    library.bench_streams_run(ctypes.c_void_p(hash(pipeline)), n_streams)


if __name__ == "__main__":
    main()
