/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndalosspriv.h"

#include "ndablock.h"
#include "ndachild.h"
#include "ndalog.h"

/* In blocks */
#define LONGEST_PAUSE 256
/* From this trial on, 5 s after the loss, another device may be chosen */
#define FIRST_FREE_TRIAL 6

void
nda_loss_set_state_locked (NdaLoss * self, NdaLossState state)
{
  g_atomic_int_set (&self->state, state);
  self->n_ticks = 0;
  g_cond_broadcast (&self->changed);
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
  NDA_LOG_DEBUG (self->bin, "the device is %sthere", ok ? "" : "not ");

  g_mutex_lock (&self->lock);
  self->is_opening = FALSE;
  nda_loss_set_state_locked (self, ok && !self->has_failed ? NDA_LOSS_TRIAL :
      NDA_LOSS_AWAY);
  g_mutex_unlock (&self->lock);
}

/* --- the loss thread: passing the time --- */

/* FALSE: it was woken before the time. */
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

/* Waits for the time of one block, by the pipeline's clock, unless that clock
 * has stopped with the device. */
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

/* Whether a trial gave nothing, or must not go on */
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

/* Does the next step. */
static void
step_and_unlock (NdaLoss * self)
{
  if (is_vain_locked (self))
    nda_loss_set_state_locked (self, NDA_LOSS_AWAY);

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

gpointer
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
