# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""For `nda run`: a plugin over files, as fast as the machine can."""
