# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""For `nda mic` and `nda speaker`: virtual devices with a plugin between."""
