/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define _GNU_SOURCE

#include "ndarealtime.h"

#include "ndartkit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of one process; a bin needs five at most */
#define MAX_THREADS 1024

/* One table for the process, although this code is linked into each plugin that
 * needs it: the registry of GStreamer keeps it. It is never freed, since the
 * signal handler may read it at any time. */
typedef struct
{
  /* [atomic] the threads that have priority, by their numbers; 0: free */
  gint threads[MAX_THREADS];
  gint n_revoked;               /* [atomic] */
  gint has_hard_limit;          /* [atomic] the kernel kills, a little later */

  /* guards what follows, and the limit of the process */
  GMutex lock;
  gboolean is_limited;          /* [lock] the handler is there */
} Table;

/* [const] once it is set */
static Table *table;

static const GEnumValue policies[] = {
  {NDA_REALTIME_AUTO, "Real-time priority for threads with live sound, if "
        "allowed", "auto"},
  {NDA_REALTIME_OFF, "Leave all threads as they are", "off"},
  {0, NULL, NULL}
};

/* Registered by the plugin that comes first: this code is in more than one. */
GType
nda_realtime_policy_get_type (void)
{
  static gsize type;

  if (g_once_init_enter (&type)) {
    GType found = g_type_from_name ("NdaRealtimePolicy");

    g_once_init_leave (&type, found ? found :
        g_enum_register_static ("NdaRealtimePolicy", policies));
  }
  return type;
}

gint
nda_realtime_get_thread (void)
{
  return syscall (SYS_gettid);
}

static gpointer
find_table (gpointer unused)
{
  GQuark quark = g_quark_from_static_string ("nda-realtime-table");
  GObject *process = G_OBJECT (gst_registry_get ());
  Table *made = g_new0 (Table, 1);

  g_mutex_init (&made->lock);
  if (g_object_replace_qdata (process, quark, NULL, made, NULL, NULL)) {
    table = made;
  } else {
    g_mutex_clear (&made->lock);
    g_free (made);
    table = g_object_get_qdata (process, quark);
  }
  return table;
}

static Table *
get_table (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, find_table, NULL);
}

/* --- a thread that does not pause --- */

/* Takes the priority from the threads of a table that have at most @highest.
 * Returns how many had it. */
static guint
take_priority (gint highest)
{
  const struct sched_param ordinary = {.sched_priority = 0 };
  struct sched_param param;
  guint n_found = 0;

  for (guint i = 0; i < MAX_THREADS; i++) {
    gint thread = g_atomic_int_get (&table->threads[i]);

    if (thread == 0 || sched_getparam (thread, &param) != 0
        || param.sched_priority == 0 || param.sched_priority > highest)
      continue;
    n_found++;
    sched_setscheduler (thread, SCHED_OTHER, &ordinary);
  }
  return n_found;
}

/* Runs in a signal handler: uses only system calls and atomics. The kernel does
 * not say which thread it was. Most likely it was a plugin's, so plugins lose
 * the priority first, unless the kernel would kill the process before it sends
 * the signal again. */
static void
revoke_some (int signal)
{
  int saved = errno;

  if (g_atomic_int_get (&table->has_hard_limit)
      || take_priority (NDA_REALTIME_PLUGIN_PRIORITY) == 0)
    take_priority (NDA_REALTIME_DEVICE_PRIORITY);
  g_atomic_int_inc (&table->n_revoked);
  errno = saved;
}

static gboolean
install_handler_locked (void)
{
  struct sigaction previous, action = {.sa_handler = revoke_some,
    .sa_flags = SA_RESTART
  };

  sigemptyset (&action.sa_mask);
  return sigaction (SIGXCPU, NULL, &previous) == 0
      && previous.sa_handler == SIG_DFL && sigaction (SIGXCPU, &action,
      NULL) == 0;
}

/* Limits how long a thread of this process may run in real time. @hard (us, or
 * 0: none) is RealtimeKit's limit; the signal comes before it. FALSE: the
 * application handles that signal itself. */
static gboolean
limit_locked (Table * self, gint64 hard)
{
  struct rlimit limit;
  rlim_t soft = NDA_REALTIME_MAX_RUN / GST_USECOND;

  if (!self->is_limited && !install_handler_locked ())
    return FALSE;
  self->is_limited = TRUE;
  if (getrlimit (RLIMIT_RTTIME, &limit) != 0)
    return FALSE;
  if (hard > 0) {
    g_atomic_int_set (&self->has_hard_limit, TRUE);
    limit.rlim_max = MIN (limit.rlim_max, (rlim_t) hard);
    soft = MIN (soft, limit.rlim_max / 2);
  }
  limit.rlim_cur = MIN (limit.rlim_cur, soft);
  return setrlimit (RLIMIT_RTTIME, &limit) == 0;
}

static gboolean
limit_run (gint64 hard)
{
  Table *self = get_table ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return limit_locked (self, hard);
}

/* --- the table --- */

static gboolean
note_thread (gint thread)
{
  Table *self = get_table ();

  for (guint i = 0; i < MAX_THREADS; i++)
    if (g_atomic_int_get (&self->threads[i]) == thread)
      return TRUE;
  for (guint i = 0; i < MAX_THREADS; i++)
    if (g_atomic_int_compare_and_exchange (&self->threads[i], 0, thread))
      return TRUE;
  return FALSE;
}

static gboolean
forget_thread (gint thread)
{
  Table *self = get_table ();

  for (guint i = 0; i < MAX_THREADS; i++)
    if (g_atomic_int_compare_and_exchange (&self->threads[i], thread, 0))
      return TRUE;
  return FALSE;
}

/* --- priority --- */

static gboolean
enter_directly (gint thread, guint priority)
{
  const struct sched_param param = {.sched_priority = priority };

  return sched_setscheduler (thread, SCHED_RR | SCHED_RESET_ON_FORK,
      &param) == 0;
}

static gboolean
ask_rtkit (gint thread, guint priority, GError ** error)
{
  gint64 max_run;
  gint max_priority;

  if (!nda_rtkit_get_limits (&max_run, &max_priority, error))
    return FALSE;
  if (!limit_run (max_run)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
        "the application handles SIGXCPU itself");
    return FALSE;
  }
  return nda_rtkit_make_realtime (thread, MIN (priority, (guint) max_priority),
      error);
}

NdaRealtimeSource
nda_realtime_enter (gint thread, guint priority, gchar ** problem)
{
  g_autoptr (GError) error = NULL;
  NdaRealtimeSource source = NDA_REALTIME_NONE;

  /* before it gets priority, so that the handler knows it */
  if (note_thread (thread)) {
    if (enter_directly (thread, priority))
      source = NDA_REALTIME_DIRECT;
    else if (ask_rtkit (thread, priority, &error))
      source = NDA_REALTIME_RTKIT;
  }
  if (source == NDA_REALTIME_DIRECT)
    limit_run (0);
  if (source != NDA_REALTIME_NONE)
    return source;
  forget_thread (thread);
  if (problem)
    *problem = g_strdup (error ? error->message : "too many threads");
  return source;
}

gboolean
nda_realtime_leave (gint thread)
{
  const struct sched_param ordinary = {.sched_priority = 0 };

  if (!forget_thread (thread))
    return FALSE;
  sched_setscheduler (thread, SCHED_OTHER, &ordinary);
  return TRUE;
}

guint
nda_realtime_get_n_revoked (void)
{
  return g_atomic_int_get (&get_table ()->n_revoked);
}

const gchar *
nda_realtime_source_get_name (NdaRealtimeSource source)
{
  static const gchar *const names[] = { "none", "direct", "rtkit" };

  return names[source];
}

GParamSpec *
nda_realtime_param (void)
{
  return g_param_spec_enum ("realtime", "Real time",
      "Whether threads that carry live sound get real-time priority: auto "
      "(directly or from RealtimeKit, where the system allows it), off",
      NDA_TYPE_REALTIME_POLICY, NDA_REALTIME_AUTO,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
}
