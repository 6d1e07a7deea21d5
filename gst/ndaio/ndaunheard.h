/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Counts the frames of a device for which there was no sound.
 *
 * Each buffer has a place among the device's frames. Frames between two places
 * are silent, and so are frames that the device had taken before the buffer for
 * them came. Where the sink puts a buffer is known when the next one comes, so
 * the count is one buffer behind.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean has_last;            /* a buffer has come */
  gboolean has_end;             /* there was one before the last, too, */
  guint64 end;                  /* which ended at this frame of the device */
  guint64 taken;                /* too late for these, when the last came */
  gsize n_frames;               /* of the last one */
} NdaUnheard;

void nda_unheard_restart (NdaUnheard * unheard);

/* A buffer of @n_frames has come. The one before it ends at @end, and for all
 * frames up to @n_late behind that it is too late. Returns how many frames
 * before @end were silent that have not been counted. */
guint64 nda_unheard_note (NdaUnheard * unheard, guint64 end, gint64 n_late,
    gsize n_frames);

G_END_DECLS
