# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda check-plugin: which rules of the plugin contract a plugin keeps."""

from __future__ import annotations

from nda.check.command import add_arguments, run

__all__ = ["add_arguments", "run"]
