# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins that are elements: the texts of `nda install`, and the listing.

An installed plugin is kept as one text, its own description. The GStreamer
plugin reads these texts and nothing else, so no Python runs while GStreamer
looks for elements (ext/python/elements/ndapyinstalled.c).
"""
