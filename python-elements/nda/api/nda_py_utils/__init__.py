# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Helpers for NDA Python plugins."""

from .audio_ring_buffer import AudioRingBuffer, RingBufferStats

__all__ = ["AudioRingBuffer", "RingBufferStats"]
