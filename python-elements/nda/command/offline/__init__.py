# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `nda run` does: a plugin over files, as fast as the machine can."""
