# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda install: see nda.installed.install."""

from nda.installed.install import EPILOG, add_arguments, run

__all__ = ["EPILOG", "add_arguments", "run"]
