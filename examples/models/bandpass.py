# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A band pass of scipy.signal, whose state goes from block to block.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=./bandpass.py \
        plugin::low=300 plugin::high=3400 ! ndasink
"""

import numpy as np
from nda import Float, Int, Processor
from scipy.signal import butter, sosfilt


class BandPass(Processor):
    low = Float(300, 20, 20000, unit="Hz", help="lower edge")
    high = Float(3400, 20, 20000, unit="Hz", help="upper edge")
    order = Int(4, 1, 8, help="order of the filter")

    def start(self):
        edges = sorted((self.low, self.high + 1))
        self.sos = butter(self.order, edges, "band", False, "sos", self.rate)
        self.reset()

    on_change = lambda self, name: self.start()  # noqa: E731

    def reset(self):
        self.state = np.zeros((len(self.sos), self.channels, 2))

    def process(self, block):
        block[:], self.state = sosfilt(self.sos, block, zi=self.state)
