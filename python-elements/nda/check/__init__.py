# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nda check-plugin: whether a plugin keeps the plugin contract.

nda's own elements run the plugin, on a thread and in a separate process.
`witness.py` stands between element and plugin, and notes each call and its
answer. `rules.py` has one function for each rule, by the numbers of the
contract; `trial.py` has the pipelines that they need. `runner.py` runs the
rules in one isolation, in a separate program, so that a plugin may crash
there.
"""
