/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The signal of the rig: numbered frames. Each frame proves its own number, so
 * a test can check frame by frame and bit by bit whether the sound it records
 * is the rig's. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RIG_RATE 48000
#define RIG_CHANNELS 2

/* What became of the frames that were played. All is well if n_heard is what
 * was played and all the others are 0. */
typedef struct
{
  guint64 n_heard;              /* in their place */
  guint64 n_lost;               /* never came */
  guint64 n_repeated;           /* came again, or too late */
  guint64 n_altered;            /* not one bit pattern that was played */
  guint64 n_silent;             /* silence between two frames of the signal */
  guint64 n_missed;             /* times the ear itself lost what was there */
} RigAccount;

/* One who hears a signal from its frame 0 on; may be allocated anywhere, all
 * zero */
typedef struct
{
  RigAccount account;
  guint64 next;                 /* the number of the frame that should come */
  guint64 n_pending;            /* silent frames since the last of the signal */
} RigListener;

void rig_frame_write (gfloat * frame, guint64 number);
gboolean rig_listener_take (RigListener * listener, const gfloat * frame);
gboolean rig_listener_is_done (const RigListener * listener,
    guint64 n_frames);

gboolean rig_account_print (const RigAccount * account, guint64 n_frames);

G_END_DECLS
