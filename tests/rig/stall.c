/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define _GNU_SOURCE

#include "stall.h"

#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLEEP_US 1000
/* What is kept: the longest stall of each of the last so many slots */
#define SLOT_US 50000
#define N_SLOTS 64

typedef struct
{
  RigStall *stall;              /* not owned */
  guint processor;
  GThread *thread;              /* owned */
} Watch;

struct _RigStall
{
  Watch *watches;               /* [const] owned; one for each processor */
  guint n_watches;              /* [const] */
  gint is_stopping;             /* [atomic] */
  gint is_realtime;             /* [atomic] all of them are */

  GMutex lock;
  gint64 longest;               /* [lock] us */
  gint64 slots[N_SLOTS];        /* [lock] us */
  gint64 slot_numbers[N_SLOTS]; /* [lock] which stretch of time a slot is */
};

static void
settle_on (guint processor, RigStall * self)
{
  struct sched_param param = {.sched_priority = 90 };
  cpu_set_t set;

  CPU_ZERO (&set);
  CPU_SET (processor, &set);
  sched_setaffinity (0, sizeof (set), &set);
  if (sched_setscheduler (0, SCHED_FIFO, &param) != 0)
    g_atomic_int_set (&self->is_realtime, FALSE);
}

static void
note (RigStall * self, gint64 now, gint64 length)
{
  gint64 number = now / SLOT_US;
  guint slot = number % N_SLOTS;

  g_mutex_lock (&self->lock);
  self->longest = MAX (self->longest, length);
  if (self->slot_numbers[slot] != number)
    self->slots[slot] = 0;
  self->slot_numbers[slot] = number;
  self->slots[slot] = MAX (self->slots[slot], length);
  g_mutex_unlock (&self->lock);
}

static gpointer
watch_processor (gpointer data)
{
  Watch *watch = data;
  const struct timespec nap = { 0, SLEEP_US * 1000 };
  gint64 before, now;

  settle_on (watch->processor, watch->stall);
  while (!g_atomic_int_get (&watch->stall->is_stopping)) {
    before = g_get_monotonic_time ();
    nanosleep (&nap, NULL);
    now = g_get_monotonic_time ();
    note (watch->stall, now, MAX (now - before - SLEEP_US, 0));
  }
  return NULL;
}

RigStall *
rig_stall_new (void)
{
  RigStall *self = g_new0 (RigStall, 1);

  g_mutex_init (&self->lock);
  self->is_realtime = TRUE;
  self->n_watches = g_get_num_processors ();
  self->watches = g_new0 (Watch, self->n_watches);
  for (guint i = 0; i < self->n_watches; i++) {
    self->watches[i].stall = self;
    self->watches[i].processor = i;
    self->watches[i].thread = g_thread_new ("stall", watch_processor,
        &self->watches[i]);
  }
  return self;
}

void
rig_stall_free (RigStall * self)
{
  g_atomic_int_set (&self->is_stopping, TRUE);
  for (guint i = 0; i < self->n_watches; i++)
    g_thread_join (self->watches[i].thread);
  g_mutex_clear (&self->lock);
  g_free (self->watches);
  g_free (self);
}

/* Whether other programs cannot hold the threads up. */
gboolean
rig_stall_is_realtime (RigStall * self)
{
  return g_atomic_int_get (&self->is_realtime);
}

gint64
rig_stall_get_longest (RigStall * self)
{
  gint64 longest;

  g_mutex_lock (&self->lock);
  longest = self->longest;
  g_mutex_unlock (&self->lock);
  return longest;
}

gint64
rig_stall_get_lately (RigStall * self, gint64 us)
{
  gint64 first = (g_get_monotonic_time () - us) / SLOT_US;
  gint64 longest = 0;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < N_SLOTS; i++)
    if (self->slot_numbers[i] >= first)
      longest = MAX (longest, self->slots[i]);
  g_mutex_unlock (&self->lock);
  return longest;
}
