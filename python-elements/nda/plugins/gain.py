# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
r"""Makes the sound louder or softer.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=gain plugin::gain=0.5 ! ndasink

With a gain of 1 the sound passes bit by bit. The plugin clips nothing: the
sink has to handle samples beyond 1.0. A new gain during the stream is reached
over one block, in a straight line, so that it does not click.
"""

import numpy as np

from nda import Float, Processor

DISPLAY_NAME = "Gain"


class Gain(Processor):
    """Makes the sound louder or softer"""

    gain = Float(1, 0, 10, help="factor for every sample; 10 is +20 dB")

    def start(self) -> None:
        self._reached = self.gain
        # As NumPy wants it: a Python float would be converted again for every
        # block, which costs as much as multiplying by it.
        self._factor = np.array(self.gain, np.float32)
        # From just above 0 to exactly 1: the last frame has the new gain.
        self._line = np.arange(1, self.frames + 1, dtype=np.float32)
        self._line /= self.frames
        self._ramp = np.empty_like(self._line)

    def process(self, block: np.ndarray) -> None:
        if self.gain != self._reached:
            self._fade(block, self._reached, self.gain)
            self._reached = self.gain
            self._factor[()] = self.gain
        elif self.gain != 1:
            np.multiply(block, self._factor, out=block)

    def _fade(self, block: np.ndarray, old: float, new: float) -> None:
        np.multiply(self._line, new - old, out=self._ramp)
        np.add(self._ramp, old, out=self._ramp)
        # One channel at a time: broadcasting makes NumPy allocate a buffer.
        for channel in block:
            np.multiply(channel, self._ramp, out=channel)
