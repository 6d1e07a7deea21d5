/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The block: 512 frames at 48 kHz, the users' fixed requirement. Its length
 * and rate have their one home here. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

#define NDA_BLOCK_FRAMES 512
#define NDA_BLOCK_RATE 48000
#define NDA_BLOCK_MAX_CHANNELS 64

/* How long one block lasts, rounded down; for comparisons, never to count
 * time with: 512 frames at 48 kHz are 10 2/3 ms. */
#define NDA_BLOCK_DURATION \
    (NDA_BLOCK_FRAMES * GST_SECOND / NDA_BLOCK_RATE)

/* What elements take and give. Caps promise nothing about sizes: a field of
 * our own breaks elements that compare the caps of their pads, as
 * audiointerleave does. The elements guarantee blocks, and tests check it. */
#define NDA_BLOCK_CAPS \
    "audio/x-raw, format = (string) " GST_AUDIO_NE (F32) ", " \
    "rate = (int) 48000, channels = (int) [ 1, 64 ], " \
    "layout = (string) { interleaved, non-interleaved }"

/* A short block at the start of a stretch of sound that whole blocks follow:
 * the grid of blocks begins at its end. What delays sound by no whole number of
 * blocks gives one, and elements behind it take that grid over. */
#define NDA_BLOCK_FLAG_LEADING ((guint) GST_BUFFER_FLAG_LAST << 5)

GstClockTime nda_block_frames_to_time (guint64 n_frames, guint rate);

gboolean nda_block_count_frames (GstBuffer * buffer, const GstAudioInfo * info,
    guint * n_frames, GError ** error);

/* System memory, which can always be had and written, whatever default
 * allocator the application has set. */
GstBuffer *nda_block_buffer_new (gsize n_bytes);
GstBufferPool *nda_block_pool_new (GstCaps * caps, const GstAudioInfo * info,
    guint n_frames);
void nda_block_pool_clear (GstBufferPool ** pool);

G_END_DECLS
