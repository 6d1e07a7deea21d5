/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The adapter, for its own files alone: ndapyadapterback.c has the way back
 * from the plugin, ndapyadapter.c the way to the plugin. */

#pragma once

#include "ndapyadapter.h"

#include "ndablock.h"
#include "ndapyfifo.h"
#include "ndapolyphase.h"

G_BEGIN_DECLS

/* How many frames that have left are kept for a plugin that takes over: those
 * of the filters at 8 kHz, and what is left of a block */
#define NDA_PY_ADAPTER_HISTORY (3 * NDA_BLOCK_FRAMES)

/* A stretch of the stream whose call failed */
typedef struct
{
  guint64 begin;
  guint64 end;
  NdaPyAdapterPolicy policy;
} Failed;

struct _NdaPyAdapter
{
  guint n_channels;             /* [const] of the stream */
  NdaPyFormat format;           /* [const] of the plugin */
  gboolean is_analyser;         /* [const] has no way back */

  NdaPolyphase *there;          /* owned; NULL if the rates agree */
  NdaPolyphase *back_again;     /* the same */
  gfloat *mixed;                /* owned; a block of the plugin's channels */
  /* of the stream: some that has left, and all that has not; of an analyser,
   * what it has not seen */
  NdaPyFifo past;
  guint n_old;                  /* frames of `past` that have left */
  NdaPyFifo calls;              /* what calls are made of */
  NdaPyFifo back;               /* came back, where the rates agree */

  guint max_calls;              /* of a run */
  NdaPyBlock *blocks;           /* owned; max_calls of each of these three */
  NdaPyBlock **order;
  gpointer *planes;
  guint n_made;                 /* calls of the last run */

  guint latency;                /* of the plugin, in its frames */
  guint delay;                  /* the same, in frames of the stream */
  guint n_leading;              /* frames of silence before the stream's */
  guint n_to_cut;               /* of these, not yet dropped */
  guint64 n_in;                 /* frames of the stream that came in */
  guint64 n_out;                /* and that left */
  gboolean is_ended;            /* no more come */

  guint64 n_called;             /* frames that the plugin got */
  guint64 n_to_skip;            /* skipped of its next output */
  guint64 n_given;              /* frames handed on */
  GArray *failed;               /* owned; in their order */
};

/* The number of the plugin's frames that @n_frames of the stream make at
 * most. */
static inline gsize
nda_py_adapter_to_plugin (const NdaPyFormat * format, gsize n_frames)
{
  return gst_util_uint64_scale_int_ceil (n_frames, format->rate,
      NDA_BLOCK_RATE);
}

/* ndapyadapterback.c, which calls nothing of ndapyadapter.c */
void nda_py_adapter_set_latency (NdaPyAdapter * adapter, guint latency);
guint64 nda_py_adapter_get_n_to_call (NdaPyAdapter * adapter);
guint64 nda_py_adapter_get_n_gone (NdaPyAdapter * adapter);
/* the plugin delays by another amount from the frame on
 * that comes back next; and takes what the call @i made */
void nda_py_adapter_change_latency (NdaPyAdapter * adapter, guint latency);
void nda_py_adapter_give_back (NdaPyAdapter * adapter, guint i,
    NdaPyAdapterPolicy policy);

G_END_DECLS
