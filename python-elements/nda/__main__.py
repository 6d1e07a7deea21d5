# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `nda`, in the environment as it is."""

from __future__ import annotations

import sys

from nda.command.main import main

if __name__ == "__main__":
    sys.exit(main())
