/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Counts the frames of a device for which there was no sound.
 *
 * Each buffer has a place among the device's frames. Frames between two places
 * are silent. Frames that the device had taken before their buffer came are
 * silent too. The place of a buffer is known when the next one comes, so the
 * count is one buffer behind.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean has_last;            /* a buffer has come */
  gboolean has_end;             /* there was one before the last too */
  guint64 end;                  /* where that one ended, in device frames */
  guint64 taken;                /* frames lost when the last came */
  gsize n_frames;               /* of the last one */
} NdaUnheard;

void nda_unheard_restart (NdaUnheard * unheard);

/* Notes a buffer of @n_frames. The one before it ends at @end, and the new
 * buffer is too late for all frames up to @n_late after that. Returns how many
 * silent frames before @end have not been counted yet. */
guint64 nda_unheard_note (NdaUnheard * unheard, guint64 end, gint64 n_late,
    gsize n_frames);

G_END_DECLS
