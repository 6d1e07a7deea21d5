/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The memory at both ends of a resampler: the buffer whose frames it takes, and
 * the block that it fills. Both are mapped while they are in use.
 *
 * Belongs to one streaming thread: no locks. */

#pragma once

#include "ndablock.h"

G_BEGIN_DECLS

/* The current input buffer. None: buffer is NULL, and n_frames 0 */
typedef struct
{
  GstAudioInfo info;            /* [const] */
  GstBuffer *buffer;            /* owned */
  GstMapInfo map;
  guint plane[NDA_BLOCK_MAX_CHANNELS];  /* where each begins, bytes */
  guint n_frames;
  guint n_used;                 /* frames taken so far */
} NdaFramesIn;

/* The current output block. None: block is NULL */
typedef struct
{
  GstAudioInfo info;            /* [const] */
  GstBufferPool *pool;          /* owned */
  GstBuffer *block;             /* owned */
  GstMapInfo map;
  guint n_filled;               /* frames in it */
} NdaFramesOut;

/* Sets @planes to each plane of @data, @offset frames in, if @data has room for
 * @n_room frames. One plane if @info is interleaved. */
void nda_frames_point (const GstAudioInfo * info, guint8 * data, gsize n_room,
    gsize offset, gpointer * planes);

/* Converts @n_frames from the format @from, in planes, to the format @to. */
void nda_frames_convert (const GstAudioInfo * from, gpointer * in,
    const GstAudioInfo * to, gpointer * out, gsize n_frames);

/* Takes @buffer (transfer full). FALSE when it cannot be read. */
gboolean nda_frames_in_open (NdaFramesIn * in, GstBuffer * buffer,
    guint n_frames);
void nda_frames_in_close (NdaFramesIn * in);
/* Sets @planes to the next frame to take */
void nda_frames_in_point (NdaFramesIn * in, gpointer * planes);

void nda_frames_out_init (NdaFramesOut * out, GstCaps * caps);
void nda_frames_out_clear (NdaFramesOut * out);
void nda_frames_out_open (NdaFramesOut * out);
/* Sets @planes to the next frame to fill */
void nda_frames_out_point (NdaFramesOut * out, gpointer * planes);
/* Returns the block (transfer full) as it is now; all zeros if @is_silent */
GstBuffer *nda_frames_out_close (NdaFramesOut * out, gboolean is_silent);
void nda_frames_out_drop (NdaFramesOut * out);

G_END_DECLS
