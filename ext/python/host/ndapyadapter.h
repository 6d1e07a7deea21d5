/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Between a stream's blocks and a processor's calls: any frames, any rate,
 * other channels. As many frames come out as went in, and each leaves as the
 * frame of the stream that it was, however long the plugin, its calls and the
 * filters hold it back.
 *
 *     nda_py_adapter_push (adapter, &in, n_frames);
 *     nda_py_adapter_run (adapter, host, ...);
 *     while ((n_frames = nda_py_adapter_get_n_ready (adapter)))
 *       nda_py_adapter_pull (adapter, &out, n_frames, NULL);
 *
 * and at the end nda_py_adapter_end () and, until nda_py_adapter_is_drained (),
 * run and pull again. Blocks on a stream's grid of 512 frames leave after a
 * constant delay, nda_py_delay_get (), on a grid that lies as much earlier.
 *
 * Belongs to the block thread: no locks. Knows no buffers and no Python.
 * Allocates when made, and when more waits than ever before. */

#pragma once

#include "ndapyhost.h"

G_BEGIN_DECLS

/* The most frames that are pushed before a run */
#define NDA_PY_ADAPTER_MAX_FRAMES (64 * 512)

typedef struct _NdaPyAdapter NdaPyAdapter;

/* What takes the place of a call's sound that failed */
typedef enum
{
  NDA_PY_ADAPTER_STOP,          /* nothing: no more calls are made */
  NDA_PY_ADAPTER_SILENCE,
  NDA_PY_ADAPTER_UNTOUCHED,     /* what had come */
} NdaPyAdapterPolicy;

/* For a stream of @n_channels, and a plugin that was started with @format; of
 * an analyser nothing comes back. */
NdaPyAdapter *nda_py_adapter_new (guint n_channels, const NdaPyFormat * format,
    gboolean is_analyser);
void nda_py_adapter_free (NdaPyAdapter * adapter);

/* Forgets what it has, and begins anew with a plugin that delays by @latency
 * frames at its own rate. @n_leading frames of silence, which no one gets to
 * hear, fill the first block up where that is short. */
void nda_py_adapter_begin (NdaPyAdapter * adapter, guint latency,
    guint n_leading);

/* Begins anew with an edited plugin, which delays by @latency, in the place of
 * the one of @before: it is shown again what that one has not given yet. The
 * grid of blocks goes on. */
void nda_py_adapter_take_over (NdaPyAdapter * adapter, NdaPyAdapter * before,
    guint latency);

void nda_py_adapter_push (NdaPyAdapter * adapter, const NdaPyAudio * in,
    guint n_frames);
void nda_py_adapter_end (NdaPyAdapter * adapter);

/* Makes all the calls that there are frames for, at once. FALSE: the plugin is
 * being stopped, or is another by now, and none was made. */
gboolean nda_py_adapter_run (NdaPyAdapter * adapter, NdaPyHost * host,
    NdaPyAdapterPolicy policy, GstClockTime * gil_wait);
/* The calls of the last run, and how many there were. */
NdaPyBlock *const *nda_py_adapter_get_calls (NdaPyAdapter * adapter,
    guint * n_calls);

/* How many frames make the next block that leaves; 0: more must come first. */
guint nda_py_adapter_get_n_ready (NdaPyAdapter * adapter);
/* Whether that block leads to a grid of whole blocks (ndablock.h) */
gboolean nda_py_adapter_is_leading (NdaPyAdapter * adapter, guint n_frames);
/* Puts the next @n_frames into @out. In @is_same, unless that is NULL, whether
 * they are what went in, to the bit. */
void nda_py_adapter_pull (NdaPyAdapter * adapter, const NdaPyAudio * out,
    guint n_frames, gboolean * is_same);

/* Takes what waits out as it came, up to the next end of a block, if no plugin
 * is to see it any more: how many frames that are, and then they. */
guint nda_py_adapter_get_n_untouched (NdaPyAdapter * adapter);
void nda_py_adapter_pull_untouched (NdaPyAdapter * adapter,
    const NdaPyAudio * out, guint n_frames);

/* Whether a run that is to end has brought out all */
gboolean nda_py_adapter_is_drained (NdaPyAdapter * adapter);
/* Whether one that goes on holds nothing back, nor will */
gboolean nda_py_adapter_is_empty (NdaPyAdapter * adapter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaPyAdapter, nda_py_adapter_free)

G_END_DECLS
