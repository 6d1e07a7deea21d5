/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapipewire.h"

#include "ndablock.h"
#include "ndagather.h"

#include <gst/audio/audio.h>

/* If the buffers of a source come one and a half of their length too early or
 * too late for this time, some are lost, and the time stamps begin again. */
#define DISCONT_WAIT (200 * GST_MSECOND)
/* A buffer in a sink waits in its stream behind one buffer from the start, and
 * then goes through one cycle of the graph. A sink's processing deadline is a
 * part of these two quanta. */
#define PLANNED_BY_SINK (5 * GST_MSECOND)
/* A sink passes no more buffers than these in one cycle of the graph */
#define MAX_BUFFERS 2

/* The quantum of the server's graph. A source sees it, a sink does not, so the
 * sinks of this program learn it from its sources. */
static struct
{
  GMutex lock;
  gint quantum;                 /* [lock] frames at 48 kHz; 0: not seen yet */
  GList *sinks;                 /* [lock] GWeakRefs of those with our delay,
                                 * each owned by its sink */
} graph;

/* What is known of a source; owned by a probe on its pad. A change of state and
 * the streaming thread, which runs after it, need no lock. */
typedef struct
{
  GstElement *device;           /* [const] not owned; owns the pad */
  GstAudioStreamAlign *align;   /* [streaming thread] owned; or NULL */
  GstAudioInfo info;            /* [streaming thread] of the input */
  gint quantum;                 /* [atomic] frames in the last buffer */
} Source;

static gboolean
has_property (GstElement * element, const gchar * property)
{
  return g_object_class_find_property (G_OBJECT_GET_CLASS (element), property)
      != NULL;
}

/* --- what is asked for --- */

/* Asks for a quantum of one block. A smaller one would be a burden for the
 * whole desktop, which uses the smallest quantum that any client asks for. */
static void
ask_for_quantum (GstElement * device)
{
  g_autoptr (GstStructure) wishes = NULL;
  g_autofree gchar *latency = g_strdup_printf ("%d/%d", NDA_BLOCK_FRAMES,
      NDA_BLOCK_RATE);

  if (!has_property (device, "stream-properties"))
    return;
  g_object_get (device, "stream-properties", &wishes, NULL);
  if (!wishes)
    wishes = gst_structure_new_empty ("properties");
  if (!gst_structure_has_field (wishes, "node.latency"))
    gst_structure_set (wishes, "node.latency", G_TYPE_STRING, latency, NULL);
  g_object_set (device, "stream-properties", wishes, NULL);
}

void
nda_pipewire_set_name (GstElement * device, const gchar * name)
{
  if (has_property (device, "target-object"))
    g_object_set (device, "target-object", name, NULL);
}

/* Its class is “video” before PipeWire 1.0. */
gboolean
nda_pipewire_is_loss (GstElement * device, const GError * error)
{
  return error->domain == GST_RESOURCE_ERROR;
}

/* --- the quantum --- */

/* Posts the new latency, if it is one. */
static void
set_delay (GstElement * sink, gint quantum)
{
  GstClockTime two = gst_util_uint64_scale (2 * quantum, GST_SECOND,
      NDA_BLOCK_RATE);

  g_object_set (sink, "render-delay",
      (guint64) (two > PLANNED_BY_SINK ? two - PLANNED_BY_SINK : 0), NULL);
}

/* Those that are not going, if the quantum is another one than before. */
static GList *
ref_sinks (gint quantum)
{
  GList *sinks = NULL;
  GstElement *sink;

  g_mutex_lock (&graph.lock);
  if (graph.quantum != quantum)
    for (GList * each = graph.sinks; each; each = each->next)
      if ((sink = g_weak_ref_get (each->data)))
        sinks = g_list_prepend (sinks, sink);
  graph.quantum = quantum;
  g_mutex_unlock (&graph.lock);
  return sinks;
}

/* On a source's streaming thread, when the quantum changes */
static void
tell_sinks (gint quantum)
{
  GList *sinks = ref_sinks (quantum);

  for (GList * each = sinks; each; each = each->next)
    set_delay (each->data, quantum);
  g_list_free_full (sinks, gst_object_unref);
}

/* At the end of a sink */
static void
nda_pipewire_forget_sink (gpointer weak)
{
  g_mutex_lock (&graph.lock);
  graph.sinks = g_list_remove (graph.sinks, weak);
  g_mutex_unlock (&graph.lock);
  g_weak_ref_clear (weak);
  g_free (weak);
}

/* --- what a source is asked --- */

/* Puts two channels first into the caps of the answer to @query. PipeWire
 * converts to its client's first choice, which would otherwise be the smallest
 * number of channels. */
static void
prefer_stereo (GstQuery * query)
{
  g_autoptr (GstCaps) stereo = NULL;
  g_autoptr (GstCaps) both = NULL;
  GstCaps *caps;

  gst_query_parse_caps_result (query, &caps);
  if (!caps || gst_caps_is_any (caps))
    return;
  stereo = gst_caps_copy (caps);
  gst_caps_set_simple (stereo, "channels", G_TYPE_INT, 2, NULL);
  both = gst_caps_intersect_full (stereo, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_append (both, gst_caps_ref (caps));
  gst_query_set_caps_result (query, both);
}

static GstClockTime
get_duration (gint n_frames, gint rate)
{
  return gst_util_uint64_scale (n_frames, GST_SECOND, rate);
}

/* The first frame of a buffer is one quantum old when the buffer comes. */
static void
answer_latency (Source * self, GstQuery * query)
{
  GstClockTime max;

  gst_query_parse_latency (query, NULL, NULL, &max);
  gst_query_set_latency (query, TRUE,
      get_duration (g_atomic_int_get (&self->quantum), NDA_BLOCK_RATE), max);
}

static GstPadProbeReturn
nda_pipewire_source_on_query (GstPad * pad, GstPadProbeInfo * info,
    gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS)
    prefer_stereo (query);
  else if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    answer_latency (user_data, query);
  return GST_PAD_PROBE_OK;
}

/* --- what a source gives --- */

/* Reads the format; FALSE before there is one. */
static gboolean
learn_format (Source * self, GstPad * pad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

  if (!caps || !gst_audio_info_from_caps (&self->info, caps))
    return FALSE;
  self->align = gst_audio_stream_align_new (self->info.rate, NDA_BLOCK_DURATION,
      DISCONT_WAIT);
  return TRUE;
}

static void
note_quantum (Source * self, gint n_frames)
{
  gint quantum = gst_util_uint64_scale_int (n_frames, NDA_BLOCK_RATE,
      self->info.rate);

  if (g_atomic_int_get (&self->quantum) == quantum)
    return;
  g_atomic_int_set (&self->quantum, quantum);
  tell_sinks (quantum);
  gst_element_post_message (self->device,
      gst_message_new_latency (GST_OBJECT (self->device)));
}

/* Stamps a buffer. The element itself gives no time stamp, or the time of
 * arrival. Frames follow each other, so the arrival of the first buffer tells
 * when all frames were recorded. */
static void
stamp (Source * self, GstBuffer * buffer)
{
  gint n_frames = gst_buffer_get_size (buffer) / self->info.bpf;
  GstClockTime now = gst_element_get_current_running_time (self->device);
  GstClockTime length = get_duration (n_frames, self->info.rate);

  note_quantum (self, n_frames);
  gst_audio_stream_align_set_alignment_threshold (self->align, length * 3 / 2);
  if (!GST_CLOCK_TIME_IS_VALID (now))
    return;
  if (gst_audio_stream_align_process (self->align,
          GST_BUFFER_IS_DISCONT (buffer), now > length ? now - length : 0,
          n_frames, &GST_BUFFER_PTS (buffer), &GST_BUFFER_DURATION (buffer),
          NULL))
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
}

static GstPadProbeReturn
nda_pipewire_source_on_data (GstPad * pad, GstPadProbeInfo * info,
    gpointer user_data)
{
  Source *self = user_data;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_CAPS)
      g_clear_pointer (&self->align, gst_audio_stream_align_free);
    return GST_PAD_PROBE_OK;
  }
  if (self->align || learn_format (self, pad)) {
    info->data = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
    stamp (self, info->data);
  }
  return GST_PAD_PROBE_OK;
}

/* --- an element that has been put into ours --- */

static void
source_free (gpointer data)
{
  Source *self = data;

  g_clear_pointer (&self->align, gst_audio_stream_align_free);
  g_free (self);
}

#define WATCHED_KEY "nda-pipewire-watched"

void
nda_pipewire_source_use_periods (GstElement * device, guint n_periods)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (device, "src");
  Source *self;

  ask_for_quantum (device);
  /* the application's element comes again with each READY */
  if (g_object_get_data (G_OBJECT (device), WATCHED_KEY))
    return;
  self = g_new0 (Source, 1);
  self->device = device;
  self->quantum = NDA_BLOCK_FRAMES;
  g_object_set_data_full (G_OBJECT (device), WATCHED_KEY, self, source_free);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_BOTH
      | GST_PAD_PROBE_TYPE_PULL, nda_pipewire_source_on_query, self, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, nda_pipewire_source_on_data, self,
      NULL);
}

/* Its delay is ours unless the application has set one. */
static void
watch_sink (GstElement * device)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);
  gint quantum;

  g_weak_ref_init (weak, device);
  g_object_set_data_full (G_OBJECT (device), WATCHED_KEY, weak,
      nda_pipewire_forget_sink);
  g_mutex_lock (&graph.lock);
  graph.sinks = g_list_prepend (graph.sinks, weak);
  quantum = graph.quantum ? graph.quantum : NDA_BLOCK_FRAMES;
  g_mutex_unlock (&graph.lock);
  set_delay (device, quantum);
}

/* On a sink's streaming thread: the quantum, if its blocks are too many. */
static gint
get_long_quantum (void)
{
  gint quantum;

  g_mutex_lock (&graph.lock);
  quantum = graph.quantum;
  g_mutex_unlock (&graph.lock);
  return quantum > MAX_BUFFERS * NDA_BLOCK_FRAMES ? quantum : 0;
}

#define GATHERED_KEY "nda-pipewire-gathered"

static void
gather_blocks (GstElement * device)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (device, "sink");

  if (g_object_get_data (G_OBJECT (device), GATHERED_KEY))
    return;
  g_object_set_data (G_OBJECT (device), GATHERED_KEY, device);
  nda_gather_add (pad, get_long_quantum);
}

void
nda_pipewire_sink_use_periods (GstElement * device, guint n_periods)
{
  guint64 delay;

  ask_for_quantum (device);
  gather_blocks (device);
  if (!has_property (device, "render-delay")
      || g_object_get_data (G_OBJECT (device), WATCHED_KEY))
    return;
  g_object_get (device, "render-delay", &delay, NULL);
  if (!delay)
    watch_sink (device);
}
