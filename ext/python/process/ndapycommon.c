/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapycommon.h"

#include "ndapyawait.h"
#include "ndapydescriptor.h"
#include "ndapylog.h"

#include <sys/eventfd.h>
#include <unistd.h>

/* The processes by key. A key begins with the name of the kind's thread. None
 * is owned. */
static GMutex registry_lock;
static GHashTable *registry;    /* [registry lock] or NULL: it is empty */

/* --- its thread ---------------------------------------------------------- */

static void
set_state (NdaPyCommon * self, NdaPyCommonState state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->state = state;
  g_cond_broadcast (&self->changed);
}

/* Waits until nobody needs the process, and logs its output meanwhile. */
static void
look_after (NdaPyCommon * self)
{
  nda_py_output_log (&self->output, self->process.end_fd, self->wake_fd,
      G_MAXINT64);
  nda_py_output_log_rest (&self->output);
  if (nda_py_await_is_readable (self->wake_fd))
    return;
  GST_INFO ("A process that several have in common has ended");
  set_state (self, NDA_PY_COMMON_ENDED);
  nda_py_await (self->wake_fd, POLLIN, -1, G_MAXINT64);
}

static void
end (NdaPyCommon * self)
{
  self->kind->end (self);
  nda_py_process_reap (&self->process);
  nda_py_output_log_rest (&self->output);
}

static gpointer
nda_py_common_thread (gpointer data)
{
  NdaPyCommon *self = data;
  NdaPyCommonState state = self->kind->begin (self);

  if (state == NDA_PY_COMMON_READY) {
    set_state (self, state);
    look_after (self);
    end (self);
  } else {
    end (self);
    set_state (self, state);
  }
  return NULL;
}

/* --- life cycle ---------------------------------------------------------- */

static void
free_common (NdaPyCommon * self)
{
  const guint64 one = 1;

  if (self->wake_fd >= 0 && write (self->wake_fd, &one, sizeof (one)) < 0)
    GST_WARNING ("The thread “%s” cannot be woken",
        self->kind->thread_name);
  g_clear_pointer (&self->thread, g_thread_join);
  nda_py_descriptor_close (&self->wake_fd);
  self->kind->clear (self);
  nda_py_output_clear (&self->output);
  nda_py_process_clear (&self->process);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->key);
  g_free (self);
}

static NdaPyCommon *
make_common (const NdaPyCommonKind * kind, const gchar * key,
    NdaPyCommonSetUp set_up, gconstpointer data)
{
  NdaPyCommon *self = g_malloc0 (kind->n_bytes);

  self->kind = kind;
  self->key = g_strdup (key);
  nda_py_process_init (&self->process, 0);
  nda_py_output_init (&self->output);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  set_up (self, data);
  self->wake_fd = nda_py_descriptor_move_up (eventfd (0,
          EFD_CLOEXEC | EFD_NONBLOCK));
  if (self->wake_fd >= 0)
    self->thread = g_thread_try_new (kind->thread_name, nda_py_common_thread,
        self, NULL);
  if (!self->thread)
    self->state = NDA_PY_COMMON_ENDED;
  return self;
}

static gboolean
has_ended (NdaPyCommon * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->state == NDA_PY_COMMON_ENDED;
}

/* Finds the process of that key, or makes one if none is alive (transfer
 * full). */
static NdaPyCommon *
find_or_make (const NdaPyCommonKind * kind, const gchar * key,
    NdaPyCommonSetUp set_up, gconstpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&registry_lock);
  NdaPyCommon *self;

  if (!registry)
    registry = g_hash_table_new (g_str_hash, g_str_equal);
  self = g_hash_table_lookup (registry, key);
  if (!self || has_ended (self)) {
    self = make_common (kind, key, set_up, data);
    g_hash_table_replace (registry, self->key, self);
  }
  self->ref_count++;
  return self;
}

/* Returns the process of @kind and @key (transfer full), once it has begun, or
 * has failed to begin. */
NdaPyCommon *
nda_py_common_get (const NdaPyCommonKind * kind, const gchar * key,
    NdaPyCommonSetUp set_up, gconstpointer data)
{
  g_autofree gchar *whole_key = g_strconcat (kind->thread_name, " ", key, NULL);
  NdaPyCommon *self = find_or_make (kind, whole_key, set_up, data);

  g_mutex_lock (&self->lock);
  while (self->state == NDA_PY_COMMON_BEGINNING)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  return self;
}

NdaPyCommon *
nda_py_common_ref (NdaPyCommon * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&registry_lock);

  self->ref_count++;
  return self;
}

/* Forgets @self, unless another process has taken its place. */
static void
forget_locked (NdaPyCommon * self)
{
  if (!registry)
    return;                     /* the one in its place has ended too */
  if (g_hash_table_lookup (registry, self->key) == self)
    g_hash_table_remove (registry, self->key);
  if (!g_hash_table_size (registry))
    g_clear_pointer (&registry, g_hash_table_unref);
}

/* Drops a reference. The last one ends the process. */
void
nda_py_common_unref (NdaPyCommon * self)
{
  gboolean is_last;

  g_mutex_lock (&registry_lock);
  is_last = --self->ref_count == 0;
  if (is_last)
    forget_locked (self);
  g_mutex_unlock (&registry_lock);
  if (is_last)
    free_common (self);
}

/* Its thread may not have seen yet that the process has ended. */
gboolean
nda_py_common_is_ready_locked (NdaPyCommon * self)
{
  if (self->state == NDA_PY_COMMON_READY
      && nda_py_process_is_dead (&self->process))
    self->state = NDA_PY_COMMON_ENDED;
  return self->state == NDA_PY_COMMON_READY;
}
