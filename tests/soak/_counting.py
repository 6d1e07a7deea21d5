# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reports the memory and objects of a plugin's interpreter, as two parameters.
"""

import ctypes
import gc
import sys


class MallocInfo(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks "
        "uordblks fordblks keepcost".split()
    ]


mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = MallocInfo


def count(key):
    """The number of "objects" that Python keeps, or of "bytes" in use."""
    gc.collect()
    if key == "objects":
        return str(sys.getallocatedblocks())
    info = mallinfo2()
    return str(info.uordblks + info.hblkhd)


def counting(plugin):
    """Let `plugin` answer for its interpreter too."""
    answer = plugin.get_parameter
    plugin.get_parameter = lambda key: (
        count(key) if key in ("objects", "bytes") else answer(key)
    )
    return plugin
