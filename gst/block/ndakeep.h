/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Keeps the metas of buffers and their flags CORRUPTED, DROPPABLE and MARKER
 * until the blocks with their frames go out.
 *
 * A meta goes to each block that has frames of its buffer, if it would survive
 * audioresample: it describes neither memory nor single samples. A
 * GstReferenceTimestampMeta is about one frame, the buffer's first. It goes to
 * the block with that frame, as the time of the block's first frame. MARKER
 * goes there too. CORRUPTED goes to blocks with any frame that had it,
 * DROPPABLE to blocks whose frames all had it.
 *
 * Buffers without any of these, which are most of them, cost nothing. Belongs
 * to one streaming thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GArray *buffers;              /* owned; those with metas or flags */
} NdaKeep;

void nda_keep_init (NdaKeep * keep);
void nda_keep_clear (NdaKeep * keep);
void nda_keep_forget (NdaKeep * keep);

/* Adds @buffer, which has the frames from @start on, up to @end. */
void nda_keep_add (NdaKeep * keep, GstBuffer * buffer, gdouble start,
    gdouble end);
/* Gives metas and flags to @block, which is writable and has the frames from
 * @start on, up to @end, at @rate frames per second. No later block has earlier
 * frames. */
void nda_keep_give (NdaKeep * keep, GstBuffer * block, gdouble start,
    gdouble end, guint rate);

G_END_DECLS
