/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Both ends of a virtual cable. The player plays a signal of numbered frames
 * into a sink of the rig. The ear is the recorder at the other end: it records
 * from a source, and accounts for every single frame. A frame carries its
 * number in 24 bits, which a float holds exactly, spread over the whole range
 * so that it sounds like noise; the other channel proves the number. Loss is
 * thus counted, not guessed.
 *
 * The player and the ear buffer a second each, so they survive any stall that
 * the path between them must survive. */

#pragma once

#include <gst/gst.h>

#include "frames.h"

G_BEGIN_DECLS

/* What the rig's programs put between the two: the main job, and the same with
 * our Python microphone and speaker */
#define RIG_PATH "ndasrc name=src ! " \
    "ndapybridge name=bridge plugin=passthrough ! ndasink name=sink"
#define RIG_PYTHON_PATH "ndapysrc name=src plugin=microphone ! " \
    "ndapybridge name=bridge plugin=passthrough ! " \
    "ndapysink name=sink plugin=speaker"

typedef struct _RigEar RigEar;

/* Called on the ear's streaming thread, once. */
typedef void (*RigEarDone) (gpointer user_data);

RigEar *rig_ear_new (const gchar * source, guint64 n_frames,
    RigEarDone done, gpointer user_data);
void rig_ear_get_account (RigEar * ear, RigAccount * account);
void rig_ear_free (RigEar * ear);

GstElement *rig_player_new (const gchar * sink, guint64 n_frames);

G_END_DECLS
