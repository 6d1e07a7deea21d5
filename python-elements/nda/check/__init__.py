# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda check-plugin: whether a plugin keeps to the plugin contract.

The plugin is run by nda's own elements, on a thread and in a process of its
own, with `witness.py` between the two that notes what it is asked and what it
answers. `rules.py` has the rules, one function each, by the numbers of the
contract; `trial.py` the pipelines that they need; `runner.py` runs them in one
isolation, in a program of its own, so that a plugin may crash there.
"""
