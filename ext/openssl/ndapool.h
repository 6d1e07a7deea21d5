/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A pool of buffers with one memory each, which has room before its data. A
 * block header is decrypted into that room, or it is used to align the samples.
 * GStreamer's own pool loses that room when a buffer comes back.
 *
 * Buffers are taken on one thread and come back on any; it never waits. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define NDA_TYPE_POOL (nda_pool_get_type ())
G_DECLARE_FINAL_TYPE (NdaPool, nda_pool, NDA, POOL, GstBufferPool)

GstBufferPool *nda_pool_new (gsize n_bytes, gsize n_prefix);
void nda_pool_free (GstBufferPool * pool);
GstFlowReturn nda_pool_acquire (GstBufferPool * pool, GstBuffer ** buffer,
    GstMapInfo * map);
GstFlowReturn nda_pool_acquire_alone (gsize n_bytes, gsize n_prefix,
    GstBuffer ** buffer, GstMapInfo * map);
void nda_pool_unmap (GstMapInfo * map, gsize n_used);

G_END_DECLS
