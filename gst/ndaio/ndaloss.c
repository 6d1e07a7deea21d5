/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaloss.h"

#include "ndablock.h"
#include "ndachild.h"
#include "ndadevicekind.h"

#include <glib/gi18n-lib.h>

/* In blocks: 85 ms, 171 ms, ..., 2.7 s */
#define FIRST_PAUSE 8
#define LONGEST_PAUSE 256
/* From this trial on, 5 s after the loss, another device is as good */
#define FIRST_FREE_TRIAL 6

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
set_state_locked (NdaLoss * self, NdaLossState state)
{
  g_atomic_int_set (&self->state, state);
  self->n_ticks = 0;
  g_cond_broadcast (&self->changed);
}

static void
lock_child_locked (NdaLoss * self, gboolean is_locked)
{
  gst_element_set_locked_state (self->child, is_locked);
  self->is_state_locked = is_locked;
}

/* --- the loss thread: closing and opening --- */

static void
close_and_unlock (NdaLoss * self)
{
  g_mutex_unlock (&self->lock);
  nda_child_close (self->child);

  g_mutex_lock (&self->lock);
  self->is_closed = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
try_and_unlock (NdaLoss * self)
{
  gboolean may_choose = ++self->n_trials >= FIRST_FREE_TRIAL;
  gboolean ok;

  self->is_closed = self->has_failed = FALSE;
  self->is_opening = TRUE;
  self->pause = MIN (2 * self->pause, LONGEST_PAUSE);
  g_mutex_unlock (&self->lock);
  ok = nda_child_reopen (self->child, self->bin, may_choose);
  GST_DEBUG_OBJECT (self->bin, "the device is %sthere", ok ? "" : "not ");

  g_mutex_lock (&self->lock);
  self->is_opening = FALSE;
  set_state_locked (self, ok && !self->has_failed ? NDA_LOSS_TRIAL :
      NDA_LOSS_AWAY);
  g_mutex_unlock (&self->lock);
}

/* --- the loss thread: passing the time --- */

/* FALSE when it was woken before. */
static gboolean
wait_for_clock_and_unlock (NdaLoss * self, GstClock * clock)
{
  GstClockID id = self->wait = gst_clock_new_single_shot_id (clock,
      gst_clock_get_time (clock) + NDA_BLOCK_DURATION);
  GstClockReturn result;

  g_mutex_unlock (&self->lock);
  result = gst_clock_id_wait (id, NULL);
  g_mutex_lock (&self->lock);
  self->wait = NULL;
  g_mutex_unlock (&self->lock);
  gst_clock_id_unref (id);
  return result != GST_CLOCK_UNSCHEDULED;
}

/* Lets one block's time pass: by the pipeline's clock, unless that has stopped
 * with the device. */
static void
tick_and_unlock (NdaLoss * self)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (self->bin);

  self->n_ticks++;
  if (!clock || clock == self->own_clock) {
    g_cond_wait_until (&self->changed, &self->lock, g_get_monotonic_time ()
        + NDA_BLOCK_DURATION / GST_USECOND);
    g_mutex_unlock (&self->lock);
    return;
  }
  if (wait_for_clock_and_unlock (self, clock) && self->hooks->pass_time)
    self->hooks->pass_time (self->user_data, clock);
}

/* --- the loss thread: its steps --- */

/* A trial that led to nothing, or must not go on */
static gboolean
is_vain_locked (NdaLoss * self)
{
  return self->state == NDA_LOSS_TRIAL && (self->is_stopping
      || self->is_ending || (self->hooks->max_trial
          && self->n_ticks > self->hooks->max_trial));
}

static gboolean
must_close_locked (NdaLoss * self)
{
  return self->state == NDA_LOSS_AWAY && !self->is_closed;
}

static void
end_and_unlock (NdaLoss * self)
{
  self->has_ended = TRUE;
  g_mutex_unlock (&self->lock);
  if (self->hooks->end)
    self->hooks->end (self->user_data);
}

/* One step, whichever is due. */
static void
step_and_unlock (NdaLoss * self)
{
  if (is_vain_locked (self))
    set_state_locked (self, NDA_LOSS_AWAY);

  if (must_close_locked (self)) {
    close_and_unlock (self);
  } else if (self->state == NDA_LOSS_HERE || self->is_held || self->has_ended) {
    g_cond_wait (&self->changed, &self->lock);
    g_mutex_unlock (&self->lock);
  } else if (self->is_ending) {
    end_and_unlock (self);
  } else if (self->state == NDA_LOSS_AWAY && self->n_ticks >= self->pause) {
    try_and_unlock (self);
  } else {
    tick_and_unlock (self);
  }
}

static gpointer
nda_loss_run (gpointer user_data)
{
  NdaLoss *self = user_data;

  g_mutex_lock (&self->lock);
  while (!self->is_stopping || is_vain_locked (self)
      || must_close_locked (self)) {
    step_and_unlock (self);
    g_mutex_lock (&self->lock);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
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

  GST_INFO_OBJECT (self->bin, "the device is %s", is_lost ? "lost" : "back");
  gst_element_post_message (self->bin,
      gst_message_new_element (GST_OBJECT (self->bin),
          gst_structure_new (GST_OBJECT_NAME (factory),
              "device-lost", G_TYPE_BOOLEAN, is_lost, NULL)));
}

/* Whether that was the first to say so. */
static gboolean
note_loss (NdaLoss * self)
{
  g_autoptr (GstClock) clock = gst_element_provide_clock (self->child);
  gboolean is_new;

  g_mutex_lock (&self->lock);
  is_new = self->state == NDA_LOSS_HERE && !self->is_stopping;
  if (is_new) {
    gst_object_replace ((GstObject **) & self->own_clock, GST_OBJECT (clock));
    self->pause = FIRST_PAUSE;
    self->n_trials = 0;
    self->is_closed = FALSE;
    lock_child_locked (self, TRUE);
    set_state_locked (self, NDA_LOSS_AWAY);
    if (!self->thread)
      self->thread = g_thread_new ("nda-loss", nda_loss_run, self);
  }
  g_mutex_unlock (&self->lock);
  return is_new;
}

/* Counts and tells the loss, unless it is known. */
static void
lose (NdaLoss * self, const gchar * why)
{
  if (!note_loss (self))
    return;
  nda_meter_count_device_loss (self->meter);
  GST_ELEMENT_WARNING (self->bin, RESOURCE, NOT_FOUND,
      ("%s", _(self->hooks->text)), ("%s", why));
  tell (self, TRUE);
}

/* What a device says that is not there, or is being opened again */
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

/* What was opened again is not there. */
static void
fail_locked (NdaLoss * self)
{
  self->has_failed = TRUE;
  if (self->state == NDA_LOSS_TRIAL)
    set_state_locked (self, NDA_LOSS_AWAY);
}

/* Whether @message comes from a device whose loss has been told. */
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
    set_state_locked (self, NDA_LOSS_HERE);
  }
  g_mutex_unlock (&self->lock);
  if (!is_back)
    return FALSE;
  nda_child_give_back (self->child);
  if (self->hooks->resume)
    self->hooks->resume (self->user_data);
  /* which may be another now */
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
  set_state_locked (self, NDA_LOSS_HERE);
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
    set_state_locked (self, NDA_LOSS_AWAY);
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
