# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pipelines that a test drives, and a look at what comes out of them."""

import os
import re

import numpy as np

PATIENCE = 60  # seconds, for a message that is sure to come


def where_of(isolation):
    """The properties that say so."""
    if isolation == "group":
        return {"isolation": "process", "group": "tests"}
    return {"isolation": isolation}


def get_int(caps, name):
    """A number in caps, in the bindings of any release."""
    return int(re.search(rf"\b{name}=\(int\)(\d+)", caps.to_string())[1])


def read_sample(sample):
    """The buffer of an appsink's sample, and its (frames, channels); None of
    none, which is the end."""
    if sample is None:
        return None
    buffer = sample.get_buffer()
    data = buffer.extract_dup(0, buffer.get_size())
    channels = get_int(sample.get_caps(), "channels")
    return buffer, np.frombuffer(data, np.float32).reshape(-1, channels)


class Line:
    """A pipeline with a plugin in its element `py`; where it has a `src` and
    a `sink`, those are an appsrc and an appsink."""

    def __init__(self, gst, description, plugin, clock=None, **props):
        self.gst = gst
        self.pipeline = gst.parse_launch(description)
        self.element = self.pipeline.get_by_name("py")
        self.sink = self.pipeline.get_by_name("sink")
        self.src = self.pipeline.get_by_name("src")
        self.bus = self.pipeline.get_bus()
        self.element.set_property("plugin", str(plugin))
        for name, value in props.items():
            gst.util_set_object_arg(
                self.element, name.replace("_", "-"), str(value)
            )
        if clock is not None:
            self.pipeline.use_clock(clock)
        self.n_pushed = 0

    def set_format(self, channels, layout="interleaved", rate=48000):
        """Of what is pushed."""
        self.src.set_property(
            "caps",
            self.gst.Caps.from_string(
                f"audio/x-raw,format=F32LE,rate={rate},layout={layout},"
                f"channels={channels}"
                + (",channel-mask=(bitmask)0x0" if channels > 2 else "")
            ),
        )

    def play(self):
        return self.pipeline.set_state(self.gst.State.PLAYING)

    def stop(self):
        return self.pipeline.set_state(self.gst.State.NULL)

    def push(self, frames):
        """Push (frames, channels) of float32 as one buffer."""
        frames = np.ascontiguousarray(frames, dtype=np.float32)
        buffer = self.gst.Buffer.new_wrapped(frames.tobytes())
        buffer.pts = self.n_pushed * self.gst.SECOND // 48000
        self.n_pushed += len(frames)
        buffer.duration = (
            self.n_pushed * self.gst.SECOND // 48000 - buffer.pts
        )
        return self.src.emit("push-buffer", buffer)

    def push_to_end(self, buffers):
        """Push the buffers, and then the end of the stream."""
        for frames in buffers:
            self.push(frames)
        self.src.emit("end-of-stream")

    def pull(self):
        """The next buffer and its (frames, channels); None at the end."""
        return read_sample(self.sink.emit("pull-sample"))

    def pull_all(self):
        pulled = []
        while (one := self.pull()) is not None:
            pulled.append(one[1])
        return np.concatenate(pulled)

    def wait(self, types, timeout=PATIENCE):
        """A message; None after a limit of the caller's own."""
        message = self.bus.timed_pop_filtered(
            timeout * self.gst.SECOND, types
        )
        assert message or timeout != PATIENCE, self.describe_wait(types)
        return message

    def describe_wait(self, types):
        """What was waited for in vain, and how far it all got."""
        names = "|".join(n for n in types.value_nicks if n != "unknown")
        state = self.pipeline.get_state(0)
        stats = self.element.get_property("stats").to_string()
        return (
            f"no message “{names}” in {PATIENCE} s, with "
            f"{self.n_pushed} frames pushed; the pipeline is "
            f"{state.state.value_nick}; load {os.getloadavg()[0]:.0f}; {stats}"
        )

    def wait_for_end(self):
        """The error that ended the stream, or None: it ended by itself."""
        message = self.wait(
            self.gst.MessageType.EOS | self.gst.MessageType.ERROR
        )
        assert message is not None, "the pipeline hangs"
        if message.type == self.gst.MessageType.EOS:
            return None
        return message.parse_error()[0]

    def get_stat(self, name):
        return self.element.get_property("stats").get_value(name)
