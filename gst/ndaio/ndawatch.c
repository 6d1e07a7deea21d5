/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndawatch.h"

#include "ndadevicekind.h"
#include "ndaleash.h"

#include <glib/gi18n-lib.h>

#include <unistd.h>

#define INTERVAL (100 * G_TIME_SPAN_MILLISECOND)
/* After so many checks without a buffer the device is lost: two seconds */
#define MAX_IDLE 20

void
nda_watch_init (NdaWatch * self, NdaLoss * loss,
    gboolean (*is_expecting) (gpointer user_data), gpointer user_data)
{
  self->loss = loss;
  self->is_expecting = is_expecting;
  self->user_data = user_data;
  self->leash = -1;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

void
nda_watch_clear (NdaWatch * self)
{
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
}

void
nda_watch_add (NdaWatch * self, GstElement * element)
{
  const NdaDeviceKind *kind = nda_device_kind_get (element);

  g_mutex_lock (&self->lock);
  self->is_steady |= kind->is_steady;
  self->is_of_pipewire |= kind->is_of_pipewire;
  g_mutex_unlock (&self->lock);
}

gboolean
nda_watch_is_steady (NdaWatch * self)
{
  gboolean is_steady;

  g_mutex_lock (&self->lock);
  is_steady = self->is_steady;
  g_mutex_unlock (&self->lock);
  return is_steady;
}

void
nda_watch_forget (NdaWatch * self)
{
  g_mutex_lock (&self->lock);
  self->is_steady = self->is_of_pipewire = FALSE;
  g_mutex_unlock (&self->lock);
}

/* --- the watch thread --- */

static void
let_go (NdaWatch * self)
{
  if (self->leash >= 0)
    close (self->leash);
  self->leash = -1;
}

/* Whether PipeWire has ended. Opens a new leash when PipeWire is there. */
static gboolean
has_server_ended (NdaWatch * self, gboolean is_of_pipewire)
{
  gboolean has_ended;

  if (!is_of_pipewire)
    return FALSE;
  if (self->leash < 0)
    self->leash = nda_leash_open ();
  has_ended = self->leash >= 0 && nda_leash_is_torn (self->leash);
  if (has_ended)
    let_go (self);
  return has_ended;
}

/* Whether the device has given or taken nothing for too long. */
static gboolean
has_stopped (NdaWatch * self, gboolean is_steady)
{
  guint n_buffers = nda_loss_get_n_buffers (self->loss);

  if (!is_steady || n_buffers == 0 || n_buffers != self->n_buffers
      || !self->is_expecting || !self->is_expecting (self->user_data))
    self->n_idle = 0;
  else
    self->n_idle++;
  self->n_buffers = n_buffers;
  return self->n_idle >= MAX_IDLE;
}

static void
look (NdaWatch * self, gboolean is_steady, gboolean is_of_pipewire)
{
  if (nda_loss_get_state (self->loss) == NDA_LOSS_AWAY) {
    let_go (self);
    self->n_idle = 0;
  } else if (has_server_ended (self, is_of_pipewire)) {
    nda_loss_report (self->loss, "PipeWire has ended");
  } else if (has_stopped (self, is_steady)) {
    self->n_idle = 0;
    nda_loss_report (self->loss, "the device stands still");
  }
}

static gpointer
nda_watch_run (gpointer user_data)
{
  NdaWatch *self = user_data;
  gint64 next = g_get_monotonic_time ();

  g_mutex_lock (&self->lock);
  while (!self->is_stopping) {
    gboolean is_steady = self->is_steady;
    gboolean is_of_pipewire = self->is_of_pipewire;

    g_mutex_unlock (&self->lock);
    look (self, is_steady, is_of_pipewire);
    g_mutex_lock (&self->lock);
    next = MAX (next, g_get_monotonic_time ()) + INTERVAL;
    while (!self->is_stopping
        && g_cond_wait_until (&self->changed, &self->lock, next));
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* --- changes of state --- */

static void
start (NdaWatch * self)
{
  g_autoptr (GError) error = NULL;
  gboolean is_needed;

  g_mutex_lock (&self->lock);
  is_needed = self->is_steady || self->is_of_pipewire;
  self->is_stopping = FALSE;
  g_mutex_unlock (&self->lock);
  self->n_idle = 0;
  if (is_needed && !self->thread)
    self->thread = g_thread_try_new ("nda-watch", nda_watch_run, self, &error);
  if (error)
    GST_ELEMENT_WARNING (self->loss->bin, RESOURCE, FAILED,
        (_("The system gives no thread that watches the device. A device that "
                "stands still without a word is not noticed. “ulimit -a” shows "
                "the limits of this program.")), ("%s", error->message));
}

static void
stop (NdaWatch * self)
{
  g_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  if (self->thread)
    g_thread_join (g_steal_pointer (&self->thread));
}

void
nda_watch_before_change (NdaWatch * self, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    stop (self);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    let_go (self);
}

void
nda_watch_after_change (NdaWatch * self, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    start (self);
}
