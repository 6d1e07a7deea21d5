# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A library in C that wants 480 frames, by ctypes; such as a noise suppressor.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=./ctypes_filter.py \
        plugin::library=./libsmooth.so ! ndasink

The library has: void *smooth_new (void), void smooth_free (void *), and
void smooth_process (void *, float *frames), which edits 480 frames of one
channel. smooth.c beside this file is one.
"""

import ctypes
from nda import EACH, Processor, Text


class CtypesFilter(Processor):
    frames, channels = 480, EACH
    library = Text(help="path of the library")

    def start(self):
        self.c = ctypes.CDLL(self.library)
        self.c.smooth_new.restype = ctypes.c_void_p
        self.state = ctypes.c_void_p(self.c.smooth_new())

    def process(self, block):
        frames = block.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        self.c.smooth_process(self.state, frames)

    def stop(self):
        self.c.smooth_free(self.state)
