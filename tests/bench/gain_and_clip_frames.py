# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin of the benchmark by the second door, in frames of its own."""

import numpy as np
from nda import Processor


class Frames512(Processor):
    frames = 512

    def process(self, block):
        np.multiply(block, 0.5, out=block)
        np.clip(block, -1.0, 1.0, out=block)


class Frames480(Frames512):
    frames = 480


class Frames256(Frames512):
    frames = 256


class At16Khz(Frames512):
    rate, channels = 16000, 1
