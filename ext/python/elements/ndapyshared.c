/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyshared.h"

#include "ndablock.h"
#include "ndapylog.h"

#include <glib/gi18n-lib.h>

#include <string.h>

/* Garbage is collected after this many calls of a source or sink */
#define CALLS_TO_COLLECT 64

/* --- what a host has to tell; any thread, without the GIL and a lock --- */

static void
nda_py_shared_warn (gpointer owner, const gchar * text)
{
  NdaPyShared *self = owner;

  GST_ELEMENT_WARNING (self->element, LIBRARY, FAILED, ("%s", text),
      ("the process of the plugin did not come to its end"));
}

static void
nda_py_shared_warn_of_parameter (gpointer owner, const gchar * text)
{
  NdaPyShared *self = owner;

  GST_ELEMENT_WARNING (self->element, LIBRARY, SETTINGS,
      (_("The plugin did not take the parameter %s"), text),
      ("set_parameter () failed"));
}

static void
nda_py_shared_tell_gave_up (gpointer owner, const GError * error)
{
  NdaPyShared *self = owner;

  GST_ELEMENT_WARNING (self->element, LIBRARY, FAILED, ("%s", error->message),
      ("a call of the plugin was given up"));
}

/* Posts that the latency has changed, which only a processor's does. */
static void
nda_py_shared_announce_latency (gpointer owner)
{
  NdaPyShared *self = owner;

  gst_element_post_message (self->element,
      gst_message_new_latency (GST_OBJECT (self->element)));
}

static void
nda_py_shared_count_restart (gpointer owner)
{
  NdaPyShared *self = owner;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (self->lock);

  self->counters.n_restarts++;
}

static void
nda_py_shared_count_standby (gpointer owner)
{
  NdaPyShared *self = owner;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (self->lock);

  self->counters.n_standbys++;
}

static void
nda_py_shared_note_reload (gpointer owner, const GError * error)
{
  NdaPyShared *self = owner;
  g_autofree gchar *reason = NULL;

  if (!error) {
    g_mutex_lock (self->lock);
    self->counters.n_reloads++;
    g_mutex_unlock (self->lock);
    self->reloaded (self);
    return;
  }
  reason = g_strndup (error->message, strcspn (error->message, "\n"));
  GST_ELEMENT_WARNING (self->element, LIBRARY, SETTINGS,
      (_("The edited plugin is not used, the one before goes on: %s"), reason),
      ("%s", error->message));
}

static const NdaPyHostEvents host_events = {
  .warn = nda_py_shared_warn,
  .refused = nda_py_shared_warn_of_parameter,
  .gave_up = nda_py_shared_tell_gave_up,
  .latency_changed = nda_py_shared_announce_latency,
  .restarted = nda_py_shared_count_restart,
  .stood_by = nda_py_shared_count_standby,
  .reloaded = nda_py_shared_note_reload,
};

void
nda_py_shared_init (NdaPyShared * self, GstElement * element, NdaPyRole role,
    const NdaStatsField * fields, GMutex * lock)
{
  self->element = element;
  self->role = role;
  self->host = nda_py_host_new (role, &host_events, self);
  self->fields = fields;
  self->lock = lock;
  self->settings.deadline = NDA_PY_DEFAULT_DEADLINE;
  self->settings.timeout = NDA_PY_DEFAULT_TIMEOUT;
  self->settings.restart = NDA_PY_RESTART_ALWAYS;
  self->unheard = g_ptr_array_new_with_free_func (g_free);
}

void
nda_py_shared_clear (NdaPyShared * self)
{
  if (self->child)
    gst_object_unparent (GST_OBJECT (self->child));
  g_clear_object (&self->child);
  g_ptr_array_unref (self->unheard);
  nda_py_host_free (self->host);
  g_free (self->settings.plugin);
  g_free (self->settings.plugin_path);
  g_free (self->settings.parameters);
  g_free (self->settings.python);
  g_free (self->settings.sandbox_folder);
  g_free (self->settings.group);
  g_free (self->failure);
}

/* --- what an application asks for, perhaps with the GIL --- */

gboolean
nda_py_shared_set_parameter (NdaPyShared * self, const gchar * key,
    const gchar * value)
{
  gpointer paused = nda_py_runners_pause_gil ();
  gboolean ok = nda_py_host_set_parameter (self->host, key, value);

  nda_py_runners_resume_gil (paused);
  return ok;
}

gchar *
nda_py_shared_get_parameter (NdaPyShared * self, const gchar * key)
{
  gpointer paused = nda_py_runners_pause_gil ();
  gchar *value = nda_py_host_get_parameter (self->host, key);

  nda_py_runners_resume_gil (paused);
  return value;
}

gboolean
nda_py_shared_reload (NdaPyShared * self)
{
  gpointer paused = nda_py_runners_pause_gil ();
  gboolean ok = nda_py_host_reload (self->host);

  nda_py_runners_resume_gil (paused);
  return ok;
}

GstStructure *
nda_py_shared_get_stats (NdaPyShared * self)
{
  GstElementFactory *factory = gst_element_get_factory (self->element);
  g_autofree gchar *name = g_strdup_printf ("application/x-%s-stats",
      GST_OBJECT_NAME (factory));

  return nda_stats_snapshot (name, self->fields, self->lock, &self->counters,
      sizeof (self->counters));
}

/* --- telling --- */

/* Posts @error. Its first line is for the user; the other lines, such as a
 * traceback, are for the developer. Any thread, without a lock and without the
 * GIL. */
void
nda_py_shared_post_error (NdaPyShared * self, const GError * error)
{
  gsize n_text = strcspn (error->message, "\n");
  const gchar *details = error->message + n_text;

  gst_element_message_full (self->element, GST_MESSAGE_ERROR,
      error->domain, error->code, g_strndup (error->message, n_text),
      g_strdup (*details ? details + 1 : error->message),
      __FILE__, G_STRFUNC, __LINE__);
}

/* Posts a warning about a failure that does not end the stream, at most once a
 * second. The @consequence is a translated sentence. */
void
nda_py_shared_report_failure (NdaPyShared * self, NdaPyBlock * block,
    const gchar * consequence)
{
  guint64 n_failed =
      nda_report_limit_count (&self->report, gst_util_get_timestamp ());
  g_autofree gchar *reason = NULL;

  if (block->failure) {
    g_free (self->failure);
    self->failure = g_steal_pointer (&block->failure);
    GST_WARNING_OBJECT (self->element, "%s", self->failure);
  }
  if (!n_failed || !self->failure)
    return;
  reason = g_strndup (self->failure, strcspn (self->failure, "\n"));
  GST_ELEMENT_WARNING (self->element, LIBRARY, FAILED,
      ("%s. %s", reason, consequence),
      ("%" G_GUINT64_FORMAT " failed blocks since the last report; %s",
          n_failed, self->failure));
}

/* What the last burst of failures began with, or NULL. Its first line is for
 * the person. [streaming thread] */
const gchar *
nda_py_shared_get_failure (NdaPyShared * self)
{
  return self->failure;
}

/* --- the calls of a processor --- */

/* Counts @calls that were made together, each of @format. They are late if they
 * take longer than their sound lasts. */
void
nda_py_shared_count_calls (NdaPyShared * self, NdaPyBlock * const *calls,
    guint n_calls, guint64 n_frames, GstClockTime gil_wait,
    const NdaPyFormat * format)
{
  NdaPyCounters *counters = &self->counters;
  GstClockTime duration =
      nda_block_frames_to_time (format->n_frames, format->rate);

  g_mutex_lock (self->lock);
  if (n_calls)
    nda_histogram_record (&counters->gil_wait, gil_wait);
  for (guint i = 0; i < n_calls; i++) {
    nda_histogram_record (&counters->call_time, calls[i]->call_time);
    counters->n_late += gil_wait + calls[i]->call_time > duration;
    counters->n_failures += !calls[i]->ok;
  }
  counters->n_blocks += n_calls;
  counters->n_frames += n_frames;
  g_mutex_unlock (self->lock);
}

/* --- the calls of a source or sink --- */

/* Starts the plugin of a source or sink; @format becomes its format. ERROR: it
 * did not start, and an error was posted. FLUSHING: it is being stopped. */
GstFlowReturn
nda_py_shared_start (NdaPyShared * self, NdaPyFormat * format)
{
  g_autoptr (GError) error = NULL;

  if (!nda_py_host_start (self->host, format, &error)) {
    if (!error)
      return GST_FLOW_FLUSHING;
    nda_py_shared_post_error (self, error);
    return GST_FLOW_ERROR;
  }
  GST_INFO_OBJECT (self->element,
      "the plugin has %u channels at %u Hz, %u frames a call",
      format->n_channels, format->rate, format->n_frames);
  return GST_FLOW_OK;
}

static void
count_call (NdaPyShared * self, const NdaPyBlock * block, GstClockTime gil_wait)
{
  NdaPyCounters *counters = &self->counters;
  gboolean is_made = block->result != NDA_PY_CALL_NO_SPACE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (self->lock);

  nda_histogram_record (&counters->gil_wait, gil_wait);
  if (is_made)
    nda_histogram_record (&counters->call_time, block->call_time);
  counters->n_failures += block->result == NDA_PY_CALL_FAILED
      || block->result == NDA_PY_CALL_DEAD;
  counters->n_retries += is_made && !block->ok
      && block->result != NDA_PY_CALL_ENDED;
}

/* Counts a block that came from the plugin, or went into it. */
void
nda_py_shared_count_block (NdaPyShared * self, guint n_frames, gboolean is_late)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (self->lock);

  self->counters.n_blocks++;
  self->counters.n_frames += n_frames;
  self->counters.n_late += is_late;
}

/* Makes one call of a source or sink, and collects garbage after some. An
 * exception, or None, is told, with the @consequence, a translated sentence.
 * FALSE when the plugin is being stopped, or Python was finalised by the
 * application. */
gboolean
nda_py_shared_call (NdaPyShared * self, NdaPyBlock * block,
    const gchar * consequence)
{
  GstClockTime gil_wait;

  if (!nda_py_host_process (self->host, &block, 1, FALSE, &gil_wait)) {
    g_autoptr (GError) error = NULL;

    if (!nda_py_host_check (self->host, &error))
      nda_py_shared_post_error (self, error);
    return FALSE;
  }
  count_call (self, block, gil_wait);
  if (block->result == NDA_PY_CALL_FAILED || block->result == NDA_PY_CALL_DEAD
      || block->result == NDA_PY_CALL_NOTHING)
    nda_py_shared_report_failure (self, block, consequence);
  if (++self->n_calls >= CALLS_TO_COLLECT) {
    nda_py_host_collect (self->host);
    self->n_calls = 0;
  }
  return TRUE;
}
