# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `nda mic` and `nda speaker` do: virtual devices with a plugin in them.
"""
