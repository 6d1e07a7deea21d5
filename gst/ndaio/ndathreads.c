/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndathreads.h"

#include "ndalog.h"

#include <gst/base/gstbasesrc.h>

#include <glib/gi18n-lib.h>

#define TASKS "/proc/self/task"
/* libpulse's name for the thread of a pa_threaded_mainloop */
#define SERVER_THREAD "threaded-ml"

void
nda_threads_init (NdaThreads * self, GstElement * bin)
{
  self->bin = bin;
  self->policy = NDA_REALTIME_AUTO;
  g_mutex_init (&self->lock);
  self->server_threads = g_array_new (FALSE, FALSE, sizeof (gint));
}

void
nda_threads_clear (NdaThreads * self)
{
  g_array_unref (self->server_threads);
  g_mutex_clear (&self->lock);
}

static gboolean
is_wanted (NdaThreads * self)
{
  NdaRealtimePolicy policy;

  GST_OBJECT_LOCK (self->bin);
  policy = self->policy;
  GST_OBJECT_UNLOCK (self->bin);
  return policy == NDA_REALTIME_AUTO;
}

void
nda_threads_set_has_device (NdaThreads * self, gboolean has_device)
{
  g_atomic_int_set (&self->has_device, has_device);
}

/* --- one thread --- */

static gboolean
quicken (NdaThreads * self, gint thread)
{
  g_autofree gchar *problem = NULL;
  NdaRealtimeSource source = nda_realtime_enter (thread,
      NDA_REALTIME_DEVICE_PRIORITY, &problem);

  if (source == NDA_REALTIME_NONE) {
    NDA_LOG_INFO (self->bin, "thread %d stays without real-time priority: "
        "%s", thread, problem);
    return FALSE;
  }
  g_mutex_lock (&self->lock);
  self->source = source;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* --- the threads of libpulse --- */

static gboolean
is_server_thread (const gchar * thread)
{
  g_autofree gchar *path = g_build_filename (TASKS, thread, "comm", NULL);
  g_autofree gchar *name = NULL;

  return g_file_get_contents (path, &name, NULL, NULL)
      && g_str_equal (g_strstrip (name), SERVER_THREAD);
}

static gboolean
is_known_locked (NdaThreads * self, gint thread)
{
  for (guint i = 0; i < self->server_threads->len; i++)
    if (g_array_index (self->server_threads, gint, i) == thread)
      return TRUE;
  return FALSE;
}

static gboolean
is_known (NdaThreads * self, gint thread)
{
  gboolean known;

  g_mutex_lock (&self->lock);
  known = is_known_locked (self, thread);
  g_mutex_unlock (&self->lock);
  return known;
}

static void
quicken_server_thread (NdaThreads * self, gint thread)
{
  if (is_known (self, thread) || !quicken (self, thread))
    return;
  g_mutex_lock (&self->lock);
  g_array_append_val (self->server_threads, thread);
  g_mutex_unlock (&self->lock);
}

/* libpulse does not announce its threads, so they are found by their name. */
static void
quicken_server_threads (NdaThreads * self)
{
  g_autoptr (GDir) tasks = g_dir_open (TASKS, 0, NULL);
  const gchar *thread;

  while (tasks && (thread = g_dir_read_name (tasks)))
    if (is_server_thread (thread))
      quicken_server_thread (self, g_ascii_strtoll (thread, NULL, 10));
}

/* They end with the elements that made them. */
static void
forget_server_threads (NdaThreads * self)
{
  g_autoptr (GArray) threads = NULL;

  g_mutex_lock (&self->lock);
  threads = self->server_threads;
  self->server_threads = g_array_new (FALSE, FALSE, sizeof (gint));
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < threads->len; i++)
    nda_realtime_leave (g_array_index (threads, gint, i));
}

/* --- tasks --- */

static gboolean
carries_live_sound (NdaThreads * self, GstElement * owner)
{
  return g_atomic_int_get (&self->has_device)
      || (GST_IS_BASE_SRC (owner) && gst_base_src_is_live (GST_BASE_SRC
          (owner)));
}

static void
begin_task (NdaThreads * self, GstElement * owner)
{
  if (!is_wanted (self) || !carries_live_sound (self, owner))
    return;
  if (quicken (self, nda_realtime_get_thread ())) {
    g_mutex_lock (&self->lock);
    self->n_threads++;
    g_mutex_unlock (&self->lock);
  }
  if (g_atomic_int_get (&self->has_device))
    quicken_server_threads (self);
}

static void
end_task (NdaThreads * self)
{
  if (!nda_realtime_leave (nda_realtime_get_thread ()))
    return;
  g_mutex_lock (&self->lock);
  self->n_threads--;
  g_mutex_unlock (&self->lock);
}

void
nda_threads_note_message (NdaThreads * self, GstMessage * message)
{
  GstStreamStatusType type;
  GstElement *owner;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_STREAM_STATUS)
    return;
  gst_message_parse_stream_status (message, &type, &owner);
  if (type == GST_STREAM_STATUS_TYPE_ENTER)
    begin_task (self, owner);
  else if (type == GST_STREAM_STATUS_TYPE_LEAVE)
    end_task (self);
}

/* --- changes of state --- */

/* Warns, when the bin stops, if threads have lost their priority meanwhile */
static void
report_revoked (NdaThreads * self)
{
  guint n_revoked = nda_realtime_get_n_revoked ();
  gboolean is_new;

  g_mutex_lock (&self->lock);
  is_new = n_revoked != self->n_revoked && self->n_threads > 0;
  g_mutex_unlock (&self->lock);
  if (is_new)
    GST_ELEMENT_WARNING (self->bin, RESOURCE, FAILED,
        (_("A thread of this program computed for more than 0.2 s without a "
                "pause. Its threads have lost their real-time priority. Set "
                "the property “realtime” to “off”, or find what takes so "
                "long.")), ("SIGXCPU, %u times", n_revoked));
}

void
nda_threads_before_change (NdaThreads * self, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    g_mutex_lock (&self->lock);
    self->n_revoked = nda_realtime_get_n_revoked ();
    g_mutex_unlock (&self->lock);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    report_revoked (self);
  } else if (transition == GST_STATE_CHANGE_READY_TO_NULL) {
    forget_server_threads (self);
  }
}

void
nda_threads_describe (NdaThreads * self, GstStructure * stats)
{
  guint n_threads;
  NdaRealtimeSource source;

  g_mutex_lock (&self->lock);
  n_threads = self->n_threads + self->server_threads->len;
  source = n_threads > 0 ? self->source : NDA_REALTIME_NONE;
  g_mutex_unlock (&self->lock);
  gst_structure_set (stats,
      "realtime", G_TYPE_STRING, nda_realtime_source_get_name (source),
      "num-realtime-threads", G_TYPE_UINT, n_threads,
      "num-realtime-revoked", G_TYPE_UINT, nda_realtime_get_n_revoked (), NULL);
}
