/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Serialized events that wait behind frames which have not left yet. The owner
 * numbers the frames. Belongs to one thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GQueue queue;                 /* owned; in the order in which they came */
} NdaHeldEvents;

void nda_held_events_init (NdaHeldEvents * self);
void nda_held_events_clear (NdaHeldEvents * self);

/* Takes @event (transfer full), behind the first @n_before frames */
void nda_held_events_add (NdaHeldEvents * self, GstEvent * event,
    guint64 n_before);
/* The next event (transfer full) if it waits for no frame after the first
 * @n_left, or NULL */
GstEvent *nda_held_events_take (NdaHeldEvents * self, guint64 n_left);
/* A flush: drops all frames, and the events that do not survive it */
void nda_held_events_flush (NdaHeldEvents * self);

gboolean nda_event_survives_flush (GstEvent * event);

static inline gboolean
nda_held_events_is_empty (const NdaHeldEvents * self)
{
  return self->queue.length == 0;
}

G_END_DECLS
