/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaheldevents.h"

typedef struct
{
  GstEvent *event;              /* owned */
  guint64 n_before;             /* frames */
} Held;

static void
held_free (gpointer held)
{
  gst_event_unref (((Held *) held)->event);
  g_free (held);
}

void
nda_held_events_init (NdaHeldEvents * self)
{
  g_queue_init (&self->queue);
}

void
nda_held_events_clear (NdaHeldEvents * self)
{
  g_queue_clear_full (&self->queue, held_free);
}

void
nda_held_events_add (NdaHeldEvents * self, GstEvent * event, guint64 n_before)
{
  Held *held = g_new (Held, 1);

  *held = (Held) {
  event, n_before};
  g_queue_push_tail (&self->queue, held);
}

GstEvent *
nda_held_events_take (NdaHeldEvents * self, guint64 n_left)
{
  Held *held = g_queue_peek_head (&self->queue);
  GstEvent *event;

  if (G_LIKELY (!held) || held->n_before > n_left)
    return NULL;
  event = gst_event_ref (held->event);
  held_free (g_queue_pop_head (&self->queue));
  return event;
}

void
nda_held_events_flush (NdaHeldEvents * self)
{
  GQueue all = self->queue;
  Held *held;

  g_queue_init (&self->queue);
  while ((held = g_queue_pop_head (&all))) {
    held->n_before = 0;
    if (nda_event_survives_flush (held->event))
      g_queue_push_tail (&self->queue, held);
    else
      held_free (held);
  }
}

/* No other element would send these events again. */
gboolean
nda_event_survives_flush (GstEvent * event)
{
  return GST_EVENT_IS_STICKY (event)
      && GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT
      && GST_EVENT_TYPE (event) != GST_EVENT_EOS;
}
