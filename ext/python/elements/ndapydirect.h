/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks that go through a plugin that takes whole blocks, or pieces of which
 * each block has a whole number. Buffers are mapped, in place if they may be
 * written. Failed calls are replaced as on-error says. Belongs to the block
 * thread: no locks. */

#pragma once

#include "ndapyhost.h"
#include "ndapyonerror.h"

G_BEGIN_DECLS

/* How many blocks one acquisition of the GIL serves at most */
#define NDA_PY_BATCH_MAX 64

typedef struct
{
  GstBuffer *in;                /* owned; NULL if out is the same */
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
  guint n_taken;                /* of these, already taken */

  NdaPyBlock *blocks;           /* owned; as many as the items can have */
  NdaPyBlock **calls;           /* owned; into blocks */
  gpointer *planes;             /* owned; of the blocks, if pieces */
  guint n_calls;
} NdaPyDirect;

/* Prepares for blocks of @info, from @pool, and a plugin that takes
 * @n_call_frames at a time */
void nda_py_direct_init (NdaPyDirect * direct, const GstAudioInfo * info,
    GstBufferPool * pool, guint n_call_frames);
void nda_py_direct_clear (NdaPyDirect * direct);

/* Makes a buffer like @in for @n_frames, or returns NULL */
GstBuffer *nda_py_direct_make_buffer (GstBufferPool * pool,
    const GstAudioInfo * info, GstBuffer * in, guint n_frames);
void nda_py_direct_describe (const GstAudioInfo * info, NdaPyAudio * audio,
    const GstAudioBuffer * map);

/* Maps @buffer (transfer full) as the next item. FALSE: it cannot be read, or
 * is no block of the format, or there is no memory. */
gboolean nda_py_direct_add (NdaPyDirect * direct, GstBuffer * buffer);
/* Makes the calls. Returns how many were made, as nda_py_host_process ()
 * does */
guint nda_py_direct_run (NdaPyDirect * direct, NdaPyHost * host,
    NdaPyOnError on_error, GstClockTime * gil_wait);
/* Returns the untouched items (transfer full), if no call was made */
guint nda_py_direct_undo (NdaPyDirect * direct, GstMiniObject ** buffers);
/* The next item's output (transfer full), or NULL */
GstBuffer *nda_py_direct_take (NdaPyDirect * direct);
void nda_py_direct_drop (NdaPyDirect * direct);

G_END_DECLS
