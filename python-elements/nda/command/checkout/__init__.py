# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the command does in a checkout: install packages, build, run tests."""
