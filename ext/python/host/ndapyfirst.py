# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The first lines of a program that is given by -c. They remove the current
directory from the path before anything is imported that is not part of the
interpreter itself."""

import sys

if sys.path[:1] == [""]:
    del sys.path[0]
