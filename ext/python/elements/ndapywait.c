/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapywait.h"

void
nda_py_wait_init (NdaPyWait * self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
}

void
nda_py_wait_clear (NdaPyWait * self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
}

/* Waits until @element's clock shows @running_time; does not wait if there is
 * no clock. */
gboolean
nda_py_wait_until (NdaPyWait * self, GstElement * element,
    GstClockTime running_time)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);
  gboolean is_interrupted;
  GstClockID id;

  if (!clock)
    return TRUE;
  id = gst_clock_new_single_shot_id (clock,
      gst_element_get_base_time (element) + running_time);

  g_mutex_lock (&self->lock);
  is_interrupted = self->is_interrupted;
  self->id = id;
  g_mutex_unlock (&self->lock);

  if (!is_interrupted)
    gst_clock_id_wait (id, NULL);

  g_mutex_lock (&self->lock);
  is_interrupted = self->is_interrupted;
  self->id = NULL;
  g_mutex_unlock (&self->lock);
  gst_clock_id_unref (id);
  return !is_interrupted;
}

/* Waits for @duration, whatever the pipeline's clock. */
gboolean
nda_py_wait_for (NdaPyWait * self, GstClockTime duration)
{
  gint64 end = g_get_monotonic_time () + GST_TIME_AS_USECONDS (duration);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->is_interrupted
      && g_cond_wait_until (&self->cond, &self->lock, end));
  return !self->is_interrupted;
}

/* Ends this wait and every later one. */
void
nda_py_wait_interrupt (NdaPyWait * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_interrupted = TRUE;
  if (self->id)
    gst_clock_id_unschedule (self->id);
  g_cond_signal (&self->cond);
}

/* Allows waits again. */
void
nda_py_wait_resume (NdaPyWait * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_interrupted = FALSE;
}
