/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GMutex and GCond over pthread's, and what a GAsyncQueue hands over, for
 * ThreadSanitizer: GLib's own are bare futexes, which it cannot see in a
 * distribution's GLib, so that a correct program draws reports. Linked into
 * test programs of a build with -Db_sanitize=thread; exported, so that
 * GStreamer's libraries use them too.
 *
 * The static initialiser of both is zeros; GLib gives one pointer to keep
 * what belongs to it. */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <glib.h>
#include <sanitizer/tsan_interface.h>

static void *
get (gpointer * place, size_t n_bytes)
{
  void *mine, *there = __atomic_load_n (place, __ATOMIC_ACQUIRE);

  if (there)
    return there;
  mine = calloc (1, n_bytes);   /* zeros initialise both on Linux */
  if (__atomic_compare_exchange_n (place, &there, mine, FALSE,
          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return mine;
  free (mine);
  return there;
}

static pthread_mutex_t *
mutex_of (GMutex * mutex)
{
  return get (&mutex->p, sizeof (pthread_mutex_t));
}

static pthread_cond_t *
cond_of (GCond * cond)
{
  return get (&cond->p, sizeof (pthread_cond_t));
}

void
g_mutex_init (GMutex * mutex)
{
  mutex->p = NULL;
}

void
g_mutex_clear (GMutex * mutex)
{
  free (mutex->p);
  mutex->p = NULL;
}

void
g_mutex_lock (GMutex * mutex)
{
  pthread_mutex_lock (mutex_of (mutex));
}

gboolean
g_mutex_trylock (GMutex * mutex)
{
  return pthread_mutex_trylock (mutex_of (mutex)) == 0;
}

void
g_mutex_unlock (GMutex * mutex)
{
  pthread_mutex_unlock (mutex_of (mutex));
}

void
g_cond_init (GCond * cond)
{
  cond->p = NULL;
}

void
g_cond_clear (GCond * cond)
{
  free (cond->p);
  cond->p = NULL;
}

void
g_cond_wait (GCond * cond, GMutex * mutex)
{
  pthread_cond_wait (cond_of (cond), mutex_of (mutex));
}

gboolean
g_cond_wait_until (GCond * cond, GMutex * mutex, gint64 end_time)
{
  struct timespec end = {
    .tv_sec = end_time / G_USEC_PER_SEC,
    .tv_nsec = end_time % G_USEC_PER_SEC * 1000,
  };

  return pthread_cond_clockwait (cond_of (cond), mutex_of (mutex),
      CLOCK_MONOTONIC, &end) != ETIMEDOUT;
}

void
g_cond_signal (GCond * cond)
{
  pthread_cond_signal (cond_of (cond));
}

void
g_cond_broadcast (GCond * cond)
{
  pthread_cond_broadcast (cond_of (cond));
}

/* GLib's own GAsyncQueue, through which a GstHarness gets its buffers, locks
 * inside GLib, where the mutexes above are not used. What is pushed is told
 * to have happened before what is popped. */

#define REAL(function) ((__typeof__ (&function)) \
    (gpointer) dlsym (RTLD_NEXT, #function))

void
g_async_queue_push (GAsyncQueue * queue, gpointer data)
{
  __tsan_release (queue);
  REAL (g_async_queue_push) (queue, data);
}

static gpointer
take (GAsyncQueue * queue, gpointer data)
{
  if (data)
    __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_pop (GAsyncQueue * queue)
{
  return take (queue, REAL (g_async_queue_pop) (queue));
}

gpointer
g_async_queue_try_pop (GAsyncQueue * queue)
{
  return take (queue, REAL (g_async_queue_try_pop) (queue));
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue * queue, guint64 timeout)
{
  return take (queue, REAL (g_async_queue_timeout_pop) (queue, timeout));
}
