/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndablockqueue.h"

#include "ndablockinput.h"

#define FIRST_N_SLOTS 64
/* If two pops follow each other within so many microseconds, upstream is ahead
 * of time */
#define AHEAD 1000
/* Then a pop waits for more blocks, for so many microseconds. If no block
 * joins, it tries that again after so many pops */
#define PATIENCE 100
#define N_HASTY_POPS 64

void
nda_block_queue_init (NdaBlockQueue * self, NdaBlockQueueLevel * level)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->can_push);
  g_cond_init (&self->can_pop);
  self->n_slots = FIRST_N_SLOTS;
  self->ring = g_new (GstMiniObject *, self->n_slots);
  self->level = level;
  self->result = GST_FLOW_FLUSHING;
  self->max_blocks = 1;
  self->n_wanted = 1;
}

static GstMiniObject *
take_item_locked (NdaBlockQueue * self)
{
  GstMiniObject *item = self->ring[self->first];

  self->first = (self->first + 1) & (self->n_slots - 1);
  self->n_items--;
  if (GST_IS_BUFFER (item))
    self->level->n_blocks--;
  return item;
}

static void
drop_item_locked (NdaBlockQueue * self, GstMiniObject * item)
{
  if (!GST_IS_QUERY (item)) {
    gst_mini_object_unref (item);
    return;
  }
  self->answered = GST_QUERY_CAST (item);
  self->answer = FALSE;
}

static void
drop_items_locked (NdaBlockQueue * self)
{
  while (self->n_items)
    drop_item_locked (self, take_item_locked (self));
}

/* Whether @item lets blocks pass again after downstream had wanted no more. */
static gboolean
is_beginning (GstMiniObject * item)
{
  return GST_IS_EVENT (item)
      && (GST_EVENT_TYPE (item) == GST_EVENT_STREAM_START
      || GST_EVENT_TYPE (item) == GST_EVENT_SEGMENT);
}

/* Whether @item survives a flush: no other element would send these events
 * again. */
static gboolean
is_lasting (GstMiniObject * item)
{
  return GST_IS_EVENT (item)
      && nda_event_survives_flush (GST_EVENT_CAST (item));
}

/* Whether pops go on. If downstream has ended, pops wait for a new stream or
 * segment. */
static gboolean
is_running_locked (NdaBlockQueue * self)
{
  return self->result == GST_FLOW_OK || self->result == GST_FLOW_EOS;
}

void
nda_block_queue_clear (NdaBlockQueue * self)
{
  drop_items_locked (self);
  g_clear_pointer (&self->ring, g_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->can_push);
  g_cond_clear (&self->can_pop);
}

/* Lets at most @max_blocks wait. Blocks in the queue already stay. */
void
nda_block_queue_set_max (NdaBlockQueue * self, guint max_blocks)
{
  g_mutex_lock (&self->lock);
  self->max_blocks = max_blocks;
  g_cond_broadcast (&self->can_push);
  g_mutex_unlock (&self->lock);
}

static void
grow_locked (NdaBlockQueue * self)
{
  GstMiniObject **ring = g_new (GstMiniObject *, 2 * self->n_slots);

  for (guint i = 0; i < self->n_items; i++)
    ring[i] = self->ring[(self->first + i) & (self->n_slots - 1)];
  g_free (self->ring);
  self->ring = ring;
  self->first = 0;
  self->n_slots *= 2;
}

/* Whether the waiting items are worth a pop: enough blocks, or any other
 * item. */
static gboolean
is_worth_it_locked (NdaBlockQueue * self)
{
  return self->level->n_blocks >= self->n_wanted
      || self->n_items > self->level->n_blocks;
}

static void
add_item_locked (NdaBlockQueue * self, GstMiniObject * item)
{
  if (self->n_items == self->n_slots)
    grow_locked (self);
  self->ring[(self->first + self->n_items) & (self->n_slots - 1)] = item;
  self->n_items++;
  if (GST_IS_BUFFER (item))
    self->level->n_blocks++;
}

/* Gives up the lock, then wakes the popping thread if the waiting items are
 * worth it. A thread woken before that would go back to sleep at once, for the
 * lock. */
static void
unlock_and_wake_popper (NdaBlockQueue * self)
{
  gboolean is_awaited = self->is_idle && is_worth_it_locked (self);

  g_mutex_unlock (&self->lock);
  if (is_awaited)
    g_cond_signal (&self->can_pop);
}

/* Adds @block (transfer full). Waits for room: for the popping thread, or for a
 * thread that stops the queue. */
GstFlowReturn
nda_block_queue_push_block (NdaBlockQueue * self, GstBuffer * block)
{
  GstFlowReturn result;

  g_mutex_lock (&self->lock);
  while (self->result == GST_FLOW_OK
      && self->level->n_blocks >= self->max_blocks)
    g_cond_wait (&self->can_push, &self->lock);
  result = self->result;
  if (result == GST_FLOW_OK) {
    NdaBlockQueueLevel *level = self->level;

    add_item_locked (self, GST_MINI_OBJECT_CAST (block));
    level->max_n_blocks = MAX (level->max_n_blocks, level->n_blocks);
  }
  unlock_and_wake_popper (self);

  if (result != GST_FLOW_OK)
    gst_buffer_unref (block);
  return result;
}

static GstFlowReturn
get_event_flow_locked (NdaBlockQueue * self, GstEvent * event)
{
  if (is_running_locked (self))
    return GST_FLOW_OK;
  if (self->result == GST_FLOW_FLUSHING || !GST_EVENT_IS_STICKY (event)
      || GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    return self->result;
  return GST_FLOW_OK;
}

/* Adds @event (transfer full). If the result is not OK, the event was not
 * taken. */
GstFlowReturn
nda_block_queue_push_event (NdaBlockQueue * self, GstEvent * event)
{
  gboolean begins = is_beginning (GST_MINI_OBJECT_CAST (event));
  GstFlowReturn flow;

  g_mutex_lock (&self->lock);
  if (begins && self->result == GST_FLOW_EOS)
    self->result = GST_FLOW_OK;
  flow = get_event_flow_locked (self, event);
  if (flow == GST_FLOW_OK) {
    self->has_eos = !begins
        && (self->has_eos || GST_EVENT_TYPE (event) == GST_EVENT_EOS);
    add_item_locked (self, GST_MINI_OBJECT_CAST (event));
  }
  unlock_and_wake_popper (self);

  if (flow != GST_FLOW_OK)
    gst_event_unref (event);
  return flow;
}

/* Adds @query (transfer none) and waits until the popping thread has answered
 * it, or the queue is stopped. Never returns while the popping thread uses the
 * query, since the caller may free it afterwards. */
gboolean
nda_block_queue_push_query (NdaBlockQueue * self, GstQuery * query)
{
  gboolean answer = FALSE;

  g_mutex_lock (&self->lock);
  if (is_running_locked (self)) {
    self->answered = NULL;
    add_item_locked (self, GST_MINI_OBJECT_CAST (query));
    if (self->is_idle)
      g_cond_signal (&self->can_pop);
    while (self->asked == query
        || (is_running_locked (self) && self->answered != query))
      g_cond_wait (&self->can_push, &self->lock);
    answer = self->answered == query && self->answer;
  }
  g_mutex_unlock (&self->lock);
  return answer;
}

/* How many blocks are worth a pop. If pops follow each other faster than blocks
 * last, upstream is ahead of time. A short wait then saves both threads from
 * waking each other for every block. A live stream is never ahead of time. */
static guint
choose_wanted_locked (NdaBlockQueue * self, gint64 now)
{
  gboolean is_ahead = now - self->popped_at < AHEAD;

  self->popped_at = now;
  if (self->n_hasty_pops) {
    self->n_hasty_pops--;
    return 1;
  }
  return is_ahead && self->max_blocks > 1 ? self->max_blocks / 2 : 1;
}

/* Waits, without the lock, until @end for other blocks to join the @n_alone
 * blocks in the queue. */
static void
wait_for_more (NdaBlockQueue * self, guint n_alone, gint64 end)
{
  if (g_cond_wait_until (&self->can_pop, &self->lock, end))
    return;
  self->n_wanted = 1;
  if (self->level->n_blocks <= n_alone)
    self->n_hasty_pops = N_HASTY_POPS;
}

/* Waits, without the lock, for the pushing thread. */
static void
wait_for_items (NdaBlockQueue * self)
{
  gint64 now = g_get_monotonic_time ();
  guint n_alone = MAX (self->level->n_blocks, 1);

  self->n_wanted = choose_wanted_locked (self, now);
  self->is_idle = TRUE;
  while (is_running_locked (self) && !is_worth_it_locked (self)) {
    if (self->n_wanted == 1)
      g_cond_wait (&self->can_pop, &self->lock);
    else
      wait_for_more (self, n_alone, now + PATIENCE);
  }
  self->is_idle = FALSE;
}

/* Pops a run of blocks, at most @max_items of them, or one event or query, to
 * @items (transfer full, except for a query). Waits for the pushing thread.
 * FALSE: the queue is stopped. */
gboolean
nda_block_queue_pop (NdaBlockQueue * self, GstMiniObject ** items,
    guint max_items, guint * n_items)
{
  gboolean was_full, ok;

  *n_items = 0;
  g_mutex_lock (&self->lock);
  wait_for_items (self);

  ok = is_running_locked (self);
  was_full = self->level->n_blocks >= self->max_blocks;
  while (ok && self->n_items && *n_items < max_items) {
    gboolean is_block = GST_IS_BUFFER (self->ring[self->first]);

    if (!is_block && *n_items)
      break;
    items[(*n_items)++] = take_item_locked (self);
    if (is_block)
      continue;
    if (GST_IS_QUERY (items[0]))
      self->asked = GST_QUERY_CAST (items[0]);
    break;
  }
  g_mutex_unlock (&self->lock);

  if (was_full)                 /* without the lock: the woken thread needs
                                 * it */
    g_cond_broadcast (&self->can_push);
  return ok;
}

/* Gives @answer to the pushing thread, which waits for its @query. */
void
nda_block_queue_answer (NdaBlockQueue * self, GstQuery * query, gboolean answer)
{
  g_mutex_lock (&self->lock);
  self->asked = NULL;
  self->answered = query;
  self->answer = answer;
  g_cond_broadcast (&self->can_push);
  g_mutex_unlock (&self->lock);
}

gboolean
nda_block_queue_is_empty (NdaBlockQueue * self)
{
  gboolean is_empty;

  g_mutex_lock (&self->lock);
  is_empty = self->n_items == 0;
  g_mutex_unlock (&self->lock);
  return is_empty;
}

/* Downstream wants no more of this stream: drops the waiting items, up to the
 * beginning of another stream or segment. Until such a beginning pushes of
 * blocks return EOS. */
void
nda_block_queue_end (NdaBlockQueue * self)
{
  gboolean goes_on = FALSE;

  g_mutex_lock (&self->lock);
  for (guint n = self->n_items; n > 0; n--) {
    GstMiniObject *item = take_item_locked (self);

    goes_on |= is_beginning (item);
    if (goes_on || is_lasting (item)
        || (GST_IS_EVENT (item) && GST_EVENT_TYPE (item) == GST_EVENT_EOS))
      add_item_locked (self, item);
    else
      drop_item_locked (self, item);
  }
  if (!goes_on && self->result == GST_FLOW_OK)
    self->result = GST_FLOW_EOS;
  g_cond_broadcast (&self->can_push);
  g_mutex_unlock (&self->lock);
}

/* From now on pushes of blocks return @result and pops FALSE. Drops the waiting
 * items, except the events that survive a flush; with NOT_LINKED only queries.
 * Returns whether upstream has ended: then no push tells it @result. */
gboolean
nda_block_queue_stop (NdaBlockQueue * self, GstFlowReturn result)
{
  gboolean has_eos;

  g_mutex_lock (&self->lock);
  self->result = result;
  has_eos = self->has_eos;
  for (guint n = self->n_items; n > 0; n--) {
    GstMiniObject *item = take_item_locked (self);

    if (is_lasting (item)
        || (result == GST_FLOW_NOT_LINKED && !GST_IS_QUERY (item)))
      add_item_locked (self, item);
    else
      drop_item_locked (self, item);
  }
  g_cond_broadcast (&self->can_push);
  g_cond_broadcast (&self->can_pop);
  g_mutex_unlock (&self->lock);
  return has_eos;
}

/* Accepts pushes again after NOT_LINKED. FALSE: it was not stopped so. */
gboolean
nda_block_queue_relink (NdaBlockQueue * self)
{
  gboolean was_not_linked;

  g_mutex_lock (&self->lock);
  was_not_linked = self->result == GST_FLOW_NOT_LINKED;
  if (was_not_linked)
    self->result = GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  return was_not_linked;
}

/* Drops the events that survive a flush too, before a new stream. */
void
nda_block_queue_forget (NdaBlockQueue * self)
{
  g_mutex_lock (&self->lock);
  drop_items_locked (self);
  g_mutex_unlock (&self->lock);
}

/* Accepts pushes again, after a stop. */
void
nda_block_queue_restart (NdaBlockQueue * self)
{
  g_mutex_lock (&self->lock);
  self->result = GST_FLOW_OK;
  self->has_eos = FALSE;
  g_mutex_unlock (&self->lock);
}
