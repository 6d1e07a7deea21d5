# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The argument PLUGIN of verbs that run one."""

from __future__ import annotations

import os

from nda.installed.asking import split

from ..place import Misuse

HELP = "a .py file, or the name of a plugin"


def check_plugin(plugin: str) -> None:
    """Fail if a plugin's file is not there. The element finds a name."""
    path, _ = split(plugin)
    if os.path.isdir(path) and os.sep in path:
        raise Misuse(f"“{path}” is a folder: name a plugin's file in it.")
    suffix = os.path.splitext(path)[1]
    if suffix not in ("", ".py") and os.path.isfile(path):
        raise Misuse(
            f"“{path}” is a file, but no .py file: the plugin is named first."
        )
    if os.sep in path and not os.path.exists(path):
        raise Misuse(f"there is no plugin file “{path}”: check its name.")
