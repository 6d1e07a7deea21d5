# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stands before any other line of a program that is given by -c: the
current directory leaves the path before anything is imported, but what is
part of the interpreter itself.
"""

import sys

if sys.path[:1] == [""]:
    del sys.path[0]
