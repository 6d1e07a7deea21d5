/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Converts between a stream's blocks and a processor's calls, with any frames,
 * any rate and other channels. As many frames come out as went in, and each
 * keeps its place in the stream, however long the plugin, its calls and the
 * filters hold it back.
 *
 *     nda_py_adapter_push (adapter, &in, n_frames);
 *     nda_py_adapter_run (adapter, host, ...);
 *     while ((n_frames = nda_py_adapter_get_n_ready (adapter)))
 *       nda_py_adapter_pull (adapter, &out, n_frames, NULL);
 *
 * and at the end nda_py_adapter_end (), and run and pull again until
 * nda_py_adapter_is_drained (). If the blocks in begin at multiples of 512
 * frames, the blocks out leave after a constant delay, nda_py_delay_get (), and
 * begin earlier by as many frames.
 *
 * Belongs to the block thread: no locks. Uses no buffers and no Python.
 * Allocates when made, and when more frames wait than ever before. */

#pragma once

#include "ndapyhost.h"

G_BEGIN_DECLS

/* How many frames may be pushed before a run */
#define NDA_PY_ADAPTER_MAX_FRAMES (64 * 512)

typedef struct _NdaPyAdapter NdaPyAdapter;

/* The replacement for the sound of a failed call */
typedef enum
{
  NDA_PY_ADAPTER_STOP,          /* none: no more calls are made */
  NDA_PY_ADAPTER_SILENCE,
  NDA_PY_ADAPTER_UNTOUCHED,     /* the input */
} NdaPyAdapterPolicy;

/* Makes an adapter for a stream of @n_channels, and a plugin that was started
 * with @format. An analyser has no output. */
NdaPyAdapter *nda_py_adapter_new (guint n_channels, const NdaPyFormat * format,
    gboolean is_analyser);
void nda_py_adapter_free (NdaPyAdapter * adapter);

/* Drops all frames, and begins again with a plugin that delays by @latency
 * frames at its own rate. If the first block is short, @n_leading frames of
 * silence, which are cut off again, fill it up. */
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

/* How many frames the next block out has; 0: more must come in first. */
guint nda_py_adapter_get_n_ready (NdaPyAdapter * adapter);
/* Whether that block is a leading one, before whole blocks (ndablock.h) */
gboolean nda_py_adapter_is_leading (NdaPyAdapter * adapter, guint n_frames);
/* Puts the next @n_frames into @out. @is_same, unless it is NULL, tells whether
 * they are the input, to the bit. */
void nda_py_adapter_pull (NdaPyAdapter * adapter, const NdaPyAudio * out,
    guint n_frames, gboolean * is_same);

/* Takes what waits out as it came, up to the next end of a block, if no plugin
 * is to see it any more: how many frames that are, and then they. */
guint nda_py_adapter_get_n_untouched (NdaPyAdapter * adapter);
void nda_py_adapter_pull_untouched (NdaPyAdapter * adapter,
    const NdaPyAudio * out, guint n_frames);

/* Whether a run that is to end has brought out all */
gboolean nda_py_adapter_is_drained (NdaPyAdapter * adapter);
/* Whether a run that goes on holds no frames back, and will hold none */
gboolean nda_py_adapter_is_empty (NdaPyAdapter * adapter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaPyAdapter, nda_py_adapter_free)

G_END_DECLS
