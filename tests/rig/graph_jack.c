/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The client in jackd's graph. Its ports are marked as those of a device, since
 * the rig's jackd has no other. jackaudiosink finds them by itself,
 * jackaudiosrc of 1.22 only by their names.
 *
 * Threads: rig_graph_process () runs on JACK's thread, in real time; another
 * thread of JACK reports xruns. */

#include "graph.h"

#include <jack/jack.h>

const gchar rig_graph_path[] = "ndasrc name=src source=\"jackaudiosrc "
    "connect=explicit port-names=rig-graph-ear:mic_FL,rig-graph-ear:mic_FR\" ! "
    "ndapybridge name=bridge plugin=passthrough ! "
    "ndasink name=sink sink=jackaudiosink";

struct _RigGraph
{
  RigGraphCalls calls;          /* [const] */
  gpointer user_data;           /* [const] */
  jack_client_t *client;        /* owned */
  jack_port_t *out[RIG_CHANNELS], *in[RIG_CHANNELS];    /* [const] */

  /* [JACK's thread] */
  guint64 position;             /* the next cycle */
  jack_nframes_t server_position;       /* the same by the server */
  gboolean started;

  guint quantum;                /* [atomic] */
  guint n_missed;               /* [atomic] frames */
  guint n_xruns;                /* [atomic] */
  gint is_gone;                 /* [atomic] */
};

static void
follow_clock (RigGraph * graph, jack_nframes_t n_frames)
{
  jack_nframes_t now = jack_last_frame_time (graph->client);
  jack_nframes_t ahead = now - graph->server_position;

  if (graph->started && ahead > 0 && ahead < G_MAXINT32) {
    graph->position += ahead;
    g_atomic_int_add (&graph->n_missed, (gint) ahead);
  }
  graph->started = TRUE;
  graph->server_position = now + n_frames;
  g_atomic_int_set (&graph->quantum, n_frames);
}

static int
rig_graph_process (jack_nframes_t n_frames, void *data)
{
  RigGraph *graph = data;
  gfloat *out[RIG_CHANNELS];
  const gfloat *in[RIG_CHANNELS];

  follow_clock (graph, n_frames);
  for (gint i = 0; i < RIG_CHANNELS; i++) {
    out[i] = jack_port_get_buffer (graph->out[i], n_frames);
    in[i] = jack_port_get_buffer (graph->in[i], n_frames);
  }
  graph->calls.hear (graph->user_data, graph->position, n_frames, in);
  graph->calls.play (graph->user_data, graph->position, n_frames, out);
  graph->position += n_frames;
  return 0;
}

static int
on_xrun (void *data)
{
  RigGraph *graph = data;

  g_atomic_int_inc (&graph->n_xruns);
  return 0;
}

static void
on_shutdown (void *data)
{
  RigGraph *graph = data;

  g_atomic_int_set (&graph->is_gone, TRUE);
}

/* NULL if there is no jackd. */
RigGraph *
rig_graph_open (const RigGraphCalls * calls, gpointer user_data)
{
  RigGraph *graph = g_new0 (RigGraph, 1);

  graph->calls = *calls;
  graph->user_data = user_data;
  graph->client = jack_client_open ("rig-graph-ear", JackNoStartServer, NULL);
  if (!graph->client) {
    g_free (graph);
    return NULL;
  }
  jack_set_process_callback (graph->client, rig_graph_process, graph);
  jack_set_xrun_callback (graph->client, on_xrun, graph);
  jack_on_shutdown (graph->client, on_shutdown, graph);
  return graph;
}

/* What we play is what the microphone of the path hears: a device's port that
 * gives sound is one of output. */
gboolean
rig_graph_connect (RigGraph * graph)
{
  static const gchar *const out[] = { "mic_FL", "mic_FR" };
  static const gchar *const in[] = { "ear_FL", "ear_FR" };
  const gulong device = JackPortIsPhysical | JackPortIsTerminal;

  for (gint i = 0; i < RIG_CHANNELS; i++) {
    graph->out[i] = jack_port_register (graph->client, out[i],
        JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput | device, 0);
    graph->in[i] = jack_port_register (graph->client, in[i],
        JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput | device, 0);
    if (!graph->out[i] || !graph->in[i])
      return FALSE;
  }
  return jack_activate (graph->client) == 0;
}

/* Whether the server has ended. */
gboolean
rig_graph_is_gone (RigGraph * graph)
{
  return g_atomic_int_get (&graph->is_gone);
}

guint
rig_graph_get_quantum (RigGraph * graph)
{
  return g_atomic_int_get (&graph->quantum);
}

void
rig_graph_get_losses (RigGraph * graph, RigGraphLosses * losses)
{
  losses->n_unplayed = losses->n_unheard = g_atomic_int_get (&graph->n_missed);
  losses->n_late = g_atomic_int_get (&graph->n_xruns);
}

/* jackd tells nobody which client it waited for. */
void
rig_graph_print_late (RigGraph * graph)
{
}

void
rig_graph_close (RigGraph * graph)
{
  jack_client_close (graph->client);
  g_free (graph);
}
