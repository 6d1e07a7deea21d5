# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin of API 2 that delays and says so, and the delay of a bridge."""

from math import gcd

import numpy as np

BLOCK = 512
SECOND = 10**9

_DELAY = """
import numpy as np
from nda import EACH, Processor

class Delay(Processor):
    rate, frames, channels = {}, {}, {}
    latency = {}

    def start(self):
        self.reset()

    def reset(self):
        self.line = None

    def process(self, block):
        if self.line is None:
            self.line = np.zeros((len(block), self.latency), np.float32)
        line = np.hstack([self.line, block])
        block[:] = line[:, : block.shape[1]]
        self.line = line[:, block.shape[1] :].copy()
"""


def delaying(rate=48000, frames=BLOCK, channels=None, latency=0):
    """The text of a plugin that delays by `latency` frames at its rate."""
    return _DELAY.format(rate, frames, channels, latency)


def held_by(frames, latency=0):
    """How many frames a bridge holds back for such a plugin, at 48 kHz."""
    return frames - gcd(frames, BLOCK) + latency


def latency_of(gst, bridge):
    """The latency that the bridge adds, in nanoseconds."""
    query = gst.Query.new_latency()
    assert bridge.element.get_static_pad("src").query(query)
    return query.parse_latency()[1]


def frames_of(time):
    return round(time * 48000 / SECOND)


def any_bits(n_frames, channels=2):
    """Floats of every pattern of bits, (frames, channels)."""
    bits = np.random.default_rng(3).integers(
        0, 2**32, (n_frames, channels), np.uint32
    )
    return bits.view(np.float32)


def push_and_set(bridge, sound, key, value):
    """Push 60 buffers, set a parameter before the 31st, and end the stream."""
    for n, block in enumerate(np.split(sound, 60)):
        if n == 30:
            bridge.element.emit("set-parameter", key, str(value))
        bridge.push(block)
    bridge.src.emit("end-of-stream")
