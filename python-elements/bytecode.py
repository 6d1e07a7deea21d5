# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compile modules for their installation, by a call of the build.

    bytecode.py OUTPUT INSTALLED SOURCE FILE...

OUTPUT becomes the folder INSTALLED with the bytecode alone: for each FILE in
the folder SOURCE, `__pycache__/FILE.cpython-NN.pyc`. Python has no reason to
write there later, so that uninstalling leaves nothing. The bytecode counts as
long as its source is the same, whatever the time stamps say.
"""

import importlib.util
import py_compile
import shutil
import sys
from pathlib import Path


def main() -> None:
    output, installed, source = map(Path, sys.argv[1:4])
    if output.is_file():  # a build of an earlier nda has a file there
        output.unlink()
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    for file in map(Path, sys.argv[4:]):
        name = file.resolve().relative_to(source.resolve())
        if name.suffix != ".py":
            continue
        cache = importlib.util.cache_from_source(str(output / name))
        py_compile.compile(
            str(file),
            cfile=cache,
            dfile=str(installed / name),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
        )


if __name__ == "__main__":
    main()
