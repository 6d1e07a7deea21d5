/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* LOCKS. The baton lock guards the baton and the places of its queue. It is
 * held for a few steps, and never during a wait. */

#include "config.h"

#include "ndapybaton.h"

/* The place of a waiting thread in the queue; it is on that thread's stack */
struct _NdaPyBatonPlace
{
  gint64 due;                   /* [const] us */
  guint64 tenure;               /* [baton lock] got by it; 0: none yet */
  guint64 passed;               /* [baton lock] tenure it overtook; 0: none */
  gboolean is_woken;            /* [baton lock] but has not run yet */
  NdaPyBatonPlace *next;        /* [baton lock] */
  GCond changed;                /* for this thread alone */
};

/* Whether there is a second processor. */
static gboolean
has_second_processor (void)
{
  static gint n_processors;     /* [atomic] 0: not known */

  if (G_UNLIKELY (!g_atomic_int_get (&n_processors)))
    g_atomic_int_set (&n_processors, g_get_num_processors ());
  return g_atomic_int_get (&n_processors) > 1;
}

static guint64
begin_tenure_locked (NdaPyBaton * self)
{
  self->tenure = ++self->n_tenures;
  g_atomic_int_set (&self->is_taken, TRUE);
  return self->tenure;
}

/* Inserts a place after those that are due at the same time. */
static void
line_up_locked (NdaPyBaton * self, NdaPyBatonPlace * place)
{
  NdaPyBatonPlace **link = &self->first;

  if (!self->first)
    self->moved = g_get_monotonic_time ();
  while (*link && (*link)->due <= place->due)
    link = &(*link)->next;
  place->next = *link;
  *link = place;
  self->n_waiting++;
}

/* Takes a place out of the queue, and gives it the baton. */
static void
move_on_locked (NdaPyBaton * self, NdaPyBatonPlace * place)
{
  NdaPyBatonPlace **link = &self->first;

  while (*link != place)
    link = &(*link)->next;
  *link = place->next;
  self->n_waiting--;
  self->moved = g_get_monotonic_time ();
  place->passed = self->tenure;
  place->tenure = begin_tenure_locked (self);
}

/* The queue has not moved for too long: its first thread goes ahead, although
 * another thread has the baton. */
static void
pass_by_locked (NdaPyBaton * self)
{
  NdaPyBatonPlace *first = self->first;

  move_on_locked (self, first);
  g_cond_signal (&first->changed);
}

/* When @place checks whether the queue has moved: a little after the place
 * before it, so that not all threads wake at once. */
static gint64
next_look_locked (NdaPyBaton * self, NdaPyBatonPlace * place)
{
  gint64 look = g_get_monotonic_time () + self->patience;

  for (NdaPyBatonPlace * ahead = self->first; ahead != place;
      ahead = ahead->next)
    look += self->patience;
  return look;
}

static void
wait_locked (NdaPyBaton * self, NdaPyBatonPlace * place)
{
  gint64 look = next_look_locked (self, place);

  while (!place->tenure) {
    if (!self->tenure) {
      move_on_locked (self, place);
      return;
    }
    place->is_woken = FALSE;
    if (g_cond_wait_until (&place->changed, &self->lock, look)
        || place->tenure)
      continue;
    if (g_get_monotonic_time () >= self->moved + self->patience)
      pass_by_locked (self);
    if (!place->tenure)
      look = next_look_locked (self, place);
  }
}

static guint64
take_in_row_locked (NdaPyBaton * self, gint64 due, guint64 * passed)
{
  NdaPyBatonPlace place = { due, 0, 0, FALSE, NULL, {0} };

  g_cond_init (&place.changed);
  line_up_locked (self, &place);
  wait_locked (self, &place);
  g_cond_clear (&place.changed);
  *passed = place.passed;
  return place.tenure;
}

/* Waits for a moment for the holder, if another processor may run it and nobody
 * else watches it. */
static void
watch (NdaPyBaton * self)
{
  gint64 end;

  if (!g_atomic_int_get (&self->is_taken) || !self->watch
      || !has_second_processor ()
      || !g_atomic_int_compare_and_exchange (&self->is_watched, FALSE, TRUE))
    return;
  end = g_get_monotonic_time () + self->watch;
  while (g_atomic_int_get (&self->is_taken) && g_get_monotonic_time () < end);
  g_atomic_int_set (&self->is_watched, FALSE);
}

/* Waits for the baton, after all threads that are due before @due (us). Returns
 * the tenure, which the caller must pass to nda_py_baton_give (). @passed is
 * the tenure that this thread overtook, or 0. */
guint64
nda_py_baton_take (NdaPyBaton * self, gint64 due, guint64 * passed)
{
  guint64 tenure;

  *passed = 0;
  watch (self);
  g_mutex_lock (&self->lock);
  tenure = G_LIKELY (!self->tenure) ? begin_tenure_locked (self) :
      take_in_row_locked (self, due, passed);
  g_mutex_unlock (&self->lock);
  return tenure;
}

/* The holder that was overtaken does not have the lock either: it is idle. */
void
nda_py_baton_tell_idle (NdaPyBaton * self, guint64 tenure)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->idle[tenure % NDA_PY_BATON_N_KEPT] = tenure;
}

/* Gives the baton back, unless its holder was overtaken. TRUE: the holder was
 * overtaken while it was idle. */
gboolean
nda_py_baton_give (NdaPyBaton * self, guint64 tenure)
{
  NdaPyBatonPlace *first;
  gboolean was_idle;

  g_mutex_lock (&self->lock);
  first = self->first;
  if (G_LIKELY (self->tenure == tenure)) {
    self->tenure = 0;
    g_atomic_int_set (&self->is_taken, FALSE);
    if (!first && G_UNLIKELY (self->n_polite))
      g_cond_broadcast (&self->rested);
    if (first && !first->is_woken) {
      first->is_woken = TRUE;
      g_cond_signal (&first->changed);
    }
  }
  was_idle = self->idle[tenure % NDA_PY_BATON_N_KEPT] == tenure;
  g_mutex_unlock (&self->lock);
  return was_idle;
}

/* Waits until nobody has the baton or waits for it, for @patience (us) at
 * most. */
void
nda_py_baton_wait_for_rest (NdaPyBaton * self, gint64 patience)
{
  gint64 end = g_get_monotonic_time () + patience;

  g_mutex_lock (&self->lock);
  self->n_polite++;
  while ((self->tenure || self->first)
      && g_cond_wait_until (&self->rested, &self->lock, end));
  self->n_polite--;
  g_mutex_unlock (&self->lock);
}

/* How many threads wait in the queue now. */
guint
nda_py_baton_count_waiting (NdaPyBaton * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->n_waiting;
}
