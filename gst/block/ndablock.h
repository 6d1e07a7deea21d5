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

/* What elements take: sink templates don't carry block-frames, so anything
 * can feed them */
#define NDA_BLOCK_CAPS \
    "audio/x-raw, format = (string) " GST_AUDIO_NE (F32) ", " \
    "rate = (int) 48000, channels = (int) [ 1, 64 ], " \
    "layout = (string) { interleaved, non-interleaved }"

/* What elements that make blocks give, said before the first buffer */
#define NDA_BLOCK_SRC_CAPS \
    NDA_BLOCK_CAPS ", " NDA_BLOCK_CAPS_FIELD " = (int) 512"

#define NDA_BLOCK_CAPS_FIELD "block-frames"

GstCaps *nda_block_caps_mark (GstCaps * caps);
GstCaps *nda_block_caps_unmark (GstCaps * caps);

GstClockTime nda_block_frames_to_time (guint64 n_frames, guint rate);

gboolean nda_block_count_frames (GstBuffer * buffer, const GstAudioInfo * info,
    guint * n_frames, GError ** error);
GstAudioStreamAlign *nda_block_align_new (guint rate);

GstBufferPool *nda_block_pool_new (GstCaps * caps, const GstAudioInfo * info,
    guint n_frames);
void nda_block_pool_clear (GstBufferPool ** pool);

G_END_DECLS
