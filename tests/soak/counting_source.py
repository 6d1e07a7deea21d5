# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ready-made sine, which also counts its interpreter's memory."""

import sys

import nda

sys.path.append(nda.plugins_path())

import sine  # noqa: E402
from _counting import counting  # noqa: E402


def create_plugin():
    return counting(sine.create_plugin())
