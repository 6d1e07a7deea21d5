/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks on their way through a plugin that takes them as they come, or in
 * pieces of which each block has a whole number: buffers mapped, in place where
 * they may be written to, and what the failure policy makes of calls that
 * failed. Belongs to the block thread: no locks. */

#pragma once

#include "ndapyhost.h"
#include "ndapyonerror.h"

G_BEGIN_DECLS

/* The most blocks that one acquisition of the GIL serves */
#define NDA_PY_BATCH_MAX 64

typedef struct
{
  GstBuffer *in;                /* owned; NULL when worked in place */
  GstBuffer *out;               /* owned */
  GstAudioBuffer in_map;
  GstAudioBuffer out_map;
  gboolean is_mapped;
  guint first_call;
  guint n_calls;
} NdaPyDirectItem;

typedef struct
{
  GstAudioInfo info;
  GstBufferPool *pool;          /* not owned; NULL before there is a format */
  guint n_call_frames;          /* a divisor of a block's; 0: none */

  NdaPyDirectItem items[NDA_PY_BATCH_MAX];
  guint n_items;
  guint n_done;                 /* items that were run */
  guint n_taken;                /* of them */

  NdaPyBlock *blocks;           /* owned; as many as the items can have */
  NdaPyBlock **calls;           /* owned; into blocks */
  gpointer *planes;             /* owned; of them, where they are pieces */
  guint n_calls;
} NdaPyDirect;

/* Of @info, from @pool; for a plugin that takes @n_call_frames at a time */
void nda_py_direct_init (NdaPyDirect * direct, const GstAudioInfo * info,
    GstBufferPool * pool, guint n_call_frames);
void nda_py_direct_clear (NdaPyDirect * direct);

/* A buffer like @in to write @n_frames to, or NULL */
GstBuffer *nda_py_direct_make_buffer (GstBufferPool * pool,
    const GstAudioInfo * info, GstBuffer * in, guint n_frames);
void nda_py_direct_describe (const GstAudioInfo * info, NdaPyAudio * audio,
    const GstAudioBuffer * map);

/* Maps @buffer (transfer full) as the next item. FALSE: it cannot be read, or
 * is no block of the format, or there is no memory. */
gboolean nda_py_direct_add (NdaPyDirect * direct, GstBuffer * buffer);
/* Makes the calls; how many were made, as nda_py_host_process () has it */
guint nda_py_direct_run (NdaPyDirect * direct, NdaPyHost * host,
    NdaPyOnError on_error, GstClockTime * gil_wait);
/* Gives the items back as they came (transfer full), when no call was made */
guint nda_py_direct_undo (NdaPyDirect * direct, GstMiniObject ** buffers);
/* The next item's output (transfer full), or NULL */
GstBuffer *nda_py_direct_take (NdaPyDirect * direct);
void nda_py_direct_drop (NdaPyDirect * direct);

G_END_DECLS
