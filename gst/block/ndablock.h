/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The block: 512 frames at 48 kHz, the users' fixed requirement. Only this file
 * defines its length and rate. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

#define NDA_BLOCK_FRAMES 512
#define NDA_BLOCK_RATE 48000
#define NDA_BLOCK_MAX_CHANNELS 64

/* How long one block lasts, rounded down. Only for comparisons: 512 frames at
 * 48 kHz are 10 2/3 ms, so a sum of such durations is wrong. */
#define NDA_BLOCK_DURATION \
    (NDA_BLOCK_FRAMES * GST_SECOND / NDA_BLOCK_RATE)

/* The caps of the elements. They do not tell the size of buffers: a field of
 * our own disturbs elements that compare the caps of their pads, as
 * audiointerleave does. The elements guarantee blocks, and tests check it. */
#define NDA_BLOCK_CAPS \
    "audio/x-raw, format = (string) " GST_AUDIO_NE (F32) ", " \
    "rate = (int) 48000, channels = (int) [ 1, 64 ], " \
    "layout = (string) { interleaved, non-interleaved }"

/* Marks a short block at the start of a run of whole blocks: the block
 * boundaries begin at its end. An element that delays sound by no whole number
 * of blocks pushes one, and elements downstream keep these boundaries. */
#define NDA_BLOCK_FLAG_LEADING ((guint) GST_BUFFER_FLAG_LAST << 5)

GstClockTime nda_block_frames_to_time (guint64 n_frames, guint rate);

gboolean nda_block_count_frames (GstBuffer * buffer, const GstAudioInfo * info,
    guint * n_frames, GError ** error);

/* System memory, which can always be allocated and written, whatever default
 * allocator the application has set. */
GstBuffer *nda_block_buffer_new (gsize n_bytes);
GstBufferPool *nda_block_pool_new (GstCaps * caps, const GstAudioInfo * info,
    guint n_frames);
void nda_block_pool_clear (GstBufferPool ** pool);

G_END_DECLS
