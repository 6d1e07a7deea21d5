# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda plugins: see nda.installed.listing."""

from nda.installed.listing import EPILOG, add_arguments, run

__all__ = ["EPILOG", "add_arguments", "run"]
