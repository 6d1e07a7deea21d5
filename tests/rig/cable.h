/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Both ends of a virtual cable. The player plays a signal of numbered frames
 * into a sink of the rig; the ear listens at a source, and accounts for every
 * single frame. A frame carries its number in 24 bits, which a float holds
 * exactly, spread over the whole range so that it sounds like noise; the other
 * channel proves the number. Loss is thus counted, not guessed.
 *
 * The player and the ear buffer a second each, so that they outlast any stall
 * that the path between them is there to outlast. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define RIG_CHANNELS 2
#define RIG_RATE 48000

/* What the rig's programs put between the two: the main job, and the same with
 * our Python microphone and speaker */
#define RIG_PATH "ndasrc name=src ! " \
    "ndapybridge name=bridge plugin=passthrough ! ndasink name=sink"
#define RIG_PYTHON_PATH "ndapysrc name=src plugin=microphone ! " \
    "ndapybridge name=bridge plugin=passthrough ! " \
    "ndapysink name=sink plugin=speaker"

/* What became of the frames played. All is well if n_heard is what was played
 * and all the others are 0. */
typedef struct
{
  guint64 n_heard;              /* in their place */
  guint64 n_lost;               /* never came */
  guint64 n_repeated;           /* came again, or too late */
  guint64 n_altered;            /* not one bit pattern that was played */
  guint64 n_silent;             /* silence between two frames of the signal */
  guint64 n_missed;             /* times the ear itself lost what was there */
} RigAccount;

typedef struct _RigEar RigEar;

/* Called on the ear's streaming thread, once. */
typedef void (*RigEarDone) (gpointer user_data);

RigEar *rig_ear_new (const gchar * source, guint64 n_frames,
    RigEarDone done, gpointer user_data);
void rig_ear_get_account (RigEar * ear, RigAccount * account);
gboolean rig_account_print (const RigAccount * account, guint64 n_frames);
void rig_ear_free (RigEar * ear);

GstElement *rig_player_new (const gchar * sink, guint64 n_frames);

G_END_DECLS
