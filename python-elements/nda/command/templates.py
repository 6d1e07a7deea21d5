# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The texts that `nda new-plugin` writes."""

FUNCTION = '''\
"""{name}: changes the level."""


def process(block, *, gain: float = 0.5):
    # float32, (channels, frames); changed in place
    block *= gain
'''

FUNCTION_TEST = '''\
import numpy as np

import {name}


def test_the_level_is_halved():
    block = np.ones((2, 512), np.float32)

    {name}.process(block, gain=0.5)

    assert (block == 0.5).all()
'''

CLASS = '''\
"""{name}: changes the level, without a step."""

import numpy as np

from nda import Float, Processor


class {class_name}(Processor):
    """Changes the level, without a step."""

    gain = Float(0.5, 0, 10, help="what each sample is multiplied by")

    def start(self):
        self.last = self.gain

    def process(self, block):
        # float32, (channels, frames); changed in place
        n_frames = block.shape[1]
        block *= np.linspace(self.last, self.gain, n_frames, dtype=np.float32)
        self.last = self.gain
'''

CLASS_TEST = '''\
import numpy as np

import {name}


def test_the_level_is_halved():
    plugin = {name}.{class_name}()
    plugin.start()
    block = np.ones((2, 512), np.float32)

    plugin.process(block)

    assert (block == 0.5).all()
'''
