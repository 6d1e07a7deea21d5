# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Leaves the sound as it is.

    gst-launch-1.0 ndasrc ! ndapybridge plugin=passthrough ! ndasink

Every bit passes. It shows what a plugin costs by itself.
"""

DISPLAY_NAME = "Passthrough"


def process(block):
    pass
