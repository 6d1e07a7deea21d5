/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of devices that vanish have in common. */

#pragma once

#include "frail.h"

G_BEGIN_DECLS

/* A pipeline on a test clock, and what comes out of its source. */
typedef struct
{
  GstElement *pipeline;         /* owned */
  GstClock *clock;              /* owned */
  GstBus *bus;                  /* owned */
  guint n_warnings;
  guint n_lost, n_back;         /* messages */
  guint n_ends;                 /* of the stream */
  GError *error;                /* owned; or NULL */

  GMutex lock;
  /* [lock] */
  guint64 n_frames;
  guint n_sound, n_silence;     /* blocks */
  guint n_holes;                /* where a block does not follow the last */
  GstClockTime end;             /* of the last block */
} Rig;

/* Whether something has come to pass @n times */
typedef gboolean (*RigReached) (Rig * rig, guint n);

void rig_init (Rig * rig, const gchar * description);
void rig_clear (Rig * rig);
void rig_play (Rig * rig);
void rig_play_and_lose (Rig * rig, RigReached has_begun, guint n);
void rig_get_back (Rig * rig, guint n);
void rig_turn_until (Rig * rig, RigReached is_enough, guint n);
guint rig_count_sound (Rig * rig);
guint rig_count_silence (Rig * rig);
gboolean rig_has_sound (Rig * rig, guint n);
gboolean rig_has_silence (Rig * rig, guint n);
gboolean rig_has_rendered (Rig * rig, guint n);
gboolean rig_has_refused (Rig * rig, guint n);
gboolean rig_has_lost (Rig * rig, guint n);
gboolean rig_has_ended (Rig * rig, guint n);
guint64 rig_get_losses (Rig * rig, const gchar * name);
void rig_end (Rig * rig);
void rig_read_messages (Rig * rig);

G_END_DECLS
