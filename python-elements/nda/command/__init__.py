# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `nda`, the same in a checkout and installed.

`verbs.py` lists the verbs. Each verb is a module with two functions::

    def add_arguments(parser: argparse.ArgumentParser) -> None: ...
    def run(args: argparse.Namespace) -> int: ...

`run` returns the exit status. It raises `Failure` with a sentence that says
what happened and what to do. `args.place` says where the command runs from.
"""
