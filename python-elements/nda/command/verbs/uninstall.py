# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda uninstall: see nda.installed.uninstall."""

from nda.installed.uninstall import add_arguments, run

__all__ = ["add_arguments", "run"]
