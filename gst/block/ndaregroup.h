/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Makes blocks of buffers of any size.
 *
 * A buffer that is one aligned block passes without a copy. All others go
 * through a GstAdapter (one for each plane) into buffers of a pool. No frame is
 * added or dropped. Only the last block before a cut (the end of the stream or
 * segment, a discontinuity) is shorter, and a block that upstream marks as
 * leading (ndablock.h), which passes too. Times come from a frame clock.
 *
 *     if (!nda_regroup_push (regroup, buffer, &error)) ...
 *     while ((block = nda_regroup_pop (regroup))) ...
 *
 * and at a cut nda_regroup_drain () for the rest. Belongs to one streaming
 * thread: no locks. Only nda_regroup_get_latency () may be called from any
 * thread. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

typedef struct _NdaRegroup NdaRegroup;

NdaRegroup *nda_regroup_new (guint n_block_frames);
void nda_regroup_ignore_grid (NdaRegroup * regroup);
void nda_regroup_free (NdaRegroup * regroup);

gboolean nda_regroup_set_caps (NdaRegroup * regroup, GstCaps * caps);
const GstAudioInfo *nda_regroup_get_info (NdaRegroup * regroup);
GstBufferPool *nda_regroup_get_pool (NdaRegroup * regroup);

gboolean nda_regroup_push (NdaRegroup * regroup, GstBuffer * buffer,
    GError ** error);
GstBuffer *nda_regroup_pop (NdaRegroup * regroup);
GstBuffer *nda_regroup_drain (NdaRegroup * regroup);

void nda_regroup_start_segment (NdaRegroup * regroup,
    const GstSegment * segment);
void nda_regroup_flush (NdaRegroup * regroup);
void nda_regroup_reset (NdaRegroup * regroup);
void nda_regroup_mark_gap (NdaRegroup * regroup);

guint nda_regroup_get_n_waiting (NdaRegroup * regroup);
guint64 nda_regroup_get_n_discontinuities (NdaRegroup * regroup);
GstClockTime nda_regroup_get_latency (NdaRegroup * regroup);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaRegroup, nda_regroup_free)

G_END_DECLS
