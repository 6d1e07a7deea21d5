# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A wave folder: a loop over samples, which numba compiles.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=./fold.py plugin::drive=4 \
        ! ndasink
"""

import numba
import numpy as np
from nda import Float, Processor


@numba.njit(nogil=True)
def fold(samples, drive):
    for n in range(samples.size):
        samples[n] = 1 - abs((samples[n] * drive + 1) % 4 - 2)


class Fold(Processor):
    drive = Float(1, 0, 20, help="factor before the folding")

    def start(self):
        fold(np.zeros(1, np.float32), self.drive)  # compiles

    def process(self, block):
        fold(block.reshape(-1), self.drive)
