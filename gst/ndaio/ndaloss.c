/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaloss.h"

#include "ndachild.h"
#include "ndadevicekind.h"
#include "ndalog.h"
#include "ndalosspriv.h"

#include <glib/gi18n-lib.h>

void
nda_loss_init (NdaLoss * self, GstElement * bin, NdaMeter * meter,
    const NdaLossHooks * hooks, gpointer user_data)
{
  self->bin = bin;
  self->meter = meter;
  self->hooks = hooks;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

void
nda_loss_clear (NdaLoss * self)
{
  gst_clear_object (&self->child);
  gst_clear_object (&self->own_clock);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
}

NdaLossState
nda_loss_get_state (NdaLoss * self)
{
  return g_atomic_int_get (&self->state);
}

guint
nda_loss_get_n_buffers (NdaLoss * self)
{
  return g_atomic_int_get (&self->n_buffers);
}

static void
lock_child_locked (NdaLoss * self, gboolean is_locked)
{
  gst_element_set_locked_state (self->child, is_locked);
  self->is_state_locked = is_locked;
}

/* --- what the device says --- */

static gboolean
is_of_child_locked (NdaLoss * self, GstMessage * message)
{
  GstObject *source = GST_MESSAGE_SRC (message);

  return self->child && source && (source == GST_OBJECT (self->child)
      || gst_object_has_as_ancestor (source, GST_OBJECT (self->child)));
}

/* The error (transfer full) in @message, if it says that a device which ran is
 * gone. */
static GError *
parse_loss (NdaLoss * self, GstMessage * message)
{
  GstElement *device;
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR
      || !g_atomic_int_get (&self->n_buffers)
      || !GST_IS_ELEMENT (GST_MESSAGE_SRC (message)))
    return NULL;
  device = GST_ELEMENT (GST_MESSAGE_SRC (message));
  gst_message_parse_error (message, &error, NULL);
  return nda_device_kind_get (device)->is_loss (device, error) ?
      g_steal_pointer (&error) : NULL;
}

static void
tell (NdaLoss * self, gboolean is_lost)
{
  GstElementFactory *factory = gst_element_get_factory (self->bin);

  NDA_LOG_INFO (self->bin, "the device is %s", is_lost ? "lost" : "back");
  gst_element_post_message (self->bin,
      gst_message_new_element (GST_OBJECT (self->bin),
          gst_structure_new (GST_OBJECT_NAME (factory),
              "device-lost", G_TYPE_BOOLEAN, is_lost, NULL)));
}

static gboolean
begin_thread_locked (NdaLoss * self, GError ** error)
{
  if (!self->thread)
    self->thread = g_thread_try_new ("nda-loss", nda_loss_run, self, error);
  return self->thread != NULL;
}

/* Notes a loss. Returns whether it is the first report. With an @error nothing
 * is noted. */
static gboolean
note_loss (NdaLoss * self, GError ** error)
{
  g_autoptr (GstClock) clock = gst_element_provide_clock (self->child);
  gboolean is_new;

  g_mutex_lock (&self->lock);
  is_new = self->state == NDA_LOSS_HERE && !self->is_stopping
      && begin_thread_locked (self, error);
  if (is_new) {
    gst_object_replace ((GstObject **) & self->own_clock, GST_OBJECT (clock));
    self->pause = NDA_LOSS_FIRST_PAUSE;
    self->n_trials = 0;
    self->is_closed = FALSE;
    lock_child_locked (self, TRUE);
    nda_loss_set_state_locked (self, NDA_LOSS_AWAY);
  }
  g_mutex_unlock (&self->lock);
  return is_new;
}

/* Counts and reports the loss, unless it is known already. */
static void
lose (NdaLoss * self, const gchar * why)
{
  g_autoptr (GError) error = NULL;
  gboolean is_new = note_loss (self, &error);

  if (error)
    GST_ELEMENT_ERROR (self->bin, RESOURCE, FAILED,
        (_("The device is gone, and the system gives no thread that could wait "
                "for it. “ulimit -a” shows the limits of this program.")),
        ("%s; %s", why, error->message));
  if (!is_new)
    return;
  nda_meter_count_device_loss (self->meter);
  GST_ELEMENT_WARNING (self->bin, RESOURCE, NOT_FOUND,
      ("%s", _(self->hooks->text)), ("%s", why));
  tell (self, TRUE);
}

/* Whether @message comes from a device that is lost or is being opened again */
static gboolean
is_hushed (GstMessage * message)
{
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_ASYNC_START:
    case GST_MESSAGE_ASYNC_DONE:
      return TRUE;
    default:
      return FALSE;
  }
}

/* The device was opened again, but is not there. */
static void
fail_locked (NdaLoss * self)
{
  self->has_failed = TRUE;
  if (self->state == NDA_LOSS_TRIAL)
    nda_loss_set_state_locked (self, NDA_LOSS_AWAY);
}

/* Whether @message comes from a device whose loss was reported already. */
static gboolean
takes_another_locked (NdaLoss * self, GstMessage * message)
{
  if (!self->is_state_locked || !is_hushed (message))
    return FALSE;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    fail_locked (self);
  return TRUE;
}

gboolean
nda_loss_takes_message (NdaLoss * self, GstMessage * message)
{
  g_autoptr (GError) error = NULL;
  gboolean is_ours, is_taken, is_stopping;

  g_mutex_lock (&self->lock);
  is_ours = is_of_child_locked (self, message);
  is_taken = is_ours && takes_another_locked (self, message);
  is_stopping = self->is_stopping;
  g_mutex_unlock (&self->lock);
  if (!is_ours || is_taken || is_stopping)
    return is_taken;
  error = parse_loss (self, message);
  if (!error)
    return FALSE;
  lose (self, error->message);
  return TRUE;
}

void
nda_loss_report (NdaLoss * self, const gchar * why)
{
  if (!nda_loss_note_failure (self) && g_atomic_int_get (&self->n_buffers))
    lose (self, why);
}

gboolean
nda_loss_note_buffer (NdaLoss * self)
{
  gboolean is_back;

  g_atomic_int_inc (&self->n_buffers);
  if (G_LIKELY (g_atomic_int_get (&self->state) == NDA_LOSS_HERE))
    return FALSE;
  g_mutex_lock (&self->lock);
  is_back = self->state == NDA_LOSS_TRIAL;
  if (is_back) {
    lock_child_locked (self, FALSE);
    nda_loss_set_state_locked (self, NDA_LOSS_HERE);
  }
  g_mutex_unlock (&self->lock);
  if (!is_back)
    return FALSE;
  nda_child_give_back (self->child);
  if (self->hooks->resume)
    self->hooks->resume (self->user_data);
  /* the latency may have changed */
  gst_element_post_message (self->bin,
      gst_message_new_latency (GST_OBJECT (self->bin)));
  tell (self, FALSE);
  return TRUE;
}

gboolean
nda_loss_note_failure (NdaLoss * self)
{
  gboolean is_known;

  g_mutex_lock (&self->lock);
  is_known = self->state != NDA_LOSS_HERE;
  if (is_known)
    fail_locked (self);
  g_mutex_unlock (&self->lock);
  return is_known;
}

gboolean
nda_loss_end (NdaLoss * self)
{
  gboolean is_taken;

  g_mutex_lock (&self->lock);
  is_taken = self->state != NDA_LOSS_HERE;
  self->is_ending |= is_taken;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return is_taken;
}

void
nda_loss_forget_end (NdaLoss * self)
{
  g_mutex_lock (&self->lock);
  self->is_ending = self->has_ended = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

gboolean
nda_loss_wait (NdaLoss * self, gint * cancelled)
{
  gboolean is_there;

  g_mutex_lock (&self->lock);
  while (self->state == NDA_LOSS_AWAY && !g_atomic_int_get (cancelled))
    g_cond_wait (&self->changed, &self->lock);
  is_there = self->state != NDA_LOSS_AWAY;
  g_mutex_unlock (&self->lock);
  return is_there;
}

void
nda_loss_wake (NdaLoss * self)
{
  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* --- changes of state --- */

gboolean
nda_loss_start (NdaLoss * self, GstElement * child)
{
  gboolean was_away;

  g_mutex_lock (&self->lock);
  was_away = self->is_state_locked;
  if (was_away)
    lock_child_locked (self, FALSE);
  gst_object_replace ((GstObject **) & self->child, GST_OBJECT (child));
  nda_loss_set_state_locked (self, NDA_LOSS_HERE);
  self->is_held = TRUE;
  self->is_stopping = self->is_ending = self->has_ended = FALSE;
  g_atomic_int_set (&self->n_buffers, 0);
  g_mutex_unlock (&self->lock);
  return was_away;
}

static void
hold (NdaLoss * self)
{
  g_mutex_lock (&self->lock);
  self->is_held = TRUE;
  while (self->is_opening)
    g_cond_wait (&self->changed, &self->lock);
  if (self->state == NDA_LOSS_TRIAL)
    nda_loss_set_state_locked (self, NDA_LOSS_AWAY);
  if (self->wait)
    gst_clock_id_unschedule (self->wait);
  g_mutex_unlock (&self->lock);
}

static void
release (NdaLoss * self)
{
  g_mutex_lock (&self->lock);
  self->is_held = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
stop (NdaLoss * self)
{
  GThread *thread;

  g_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  g_cond_broadcast (&self->changed);
  if (self->wait)
    gst_clock_id_unschedule (self->wait);
  thread = g_steal_pointer (&self->thread);
  g_mutex_unlock (&self->lock);
  if (thread)
    g_thread_join (thread);
}

void
nda_loss_before_change (NdaLoss * self, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    hold (self);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    stop (self);
}

void
nda_loss_after_change (NdaLoss * self, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    release (self);
}
