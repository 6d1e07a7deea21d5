# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins that are elements: what `nda install` keeps, and the listing.

A plugin is kept as one text, the description that it gave when it was asked.
The GStreamer plugin reads these texts and nothing else, so that no Python runs
while GStreamer looks for elements (ext/python/elements/ndapyinstalled.c).
"""
