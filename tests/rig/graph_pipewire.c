/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The client in PipeWire's graph: a pw_filter linked to the sinks `cable` and
 * `ear` themselves, and the profiler, which tells for each cycle which nodes were
 * done in time.
 *
 * Threads: rig_graph_process () runs on PipeWire's data loop, in real time; the
 * profiler and the registry on the thread of a pw_thread_loop, with its lock; the
 * program calls from its own thread and takes this lock. */

#include "graph.h"

#include <pipewire/filter.h>
#include <pipewire/pipewire.h>
#include <pipewire/extensions/profiler.h>
#include <pipewire/impl.h>
#include <spa/debug/types.h>
#include <spa/param/profiler.h>
#include <spa/pod/parser.h>

#define NAME "rig-graph-ear"
/* The server of 0.3 counts no xruns of a node, but says how far it came */
#define STATUS_FINISHED 3
#define XRUNS_UNKNOWN -1

const gchar rig_graph_path[] = "ndasrc name=src ! "
    "ndapybridge name=bridge plugin=passthrough ! ndasink name=sink";

typedef struct
{
  gchar *name;                  /* owned */
  gint64 n_xruns;               /* by the server's own count */
  guint64 n_late;               /* seen */
} Node;

struct _RigGraph
{
  RigGraphProcess process;      /* [const] */
  gpointer user_data;           /* [const] */
  struct pw_thread_loop *loop;  /* owned */
  struct pw_context *context;   /* owned */
  struct pw_core *core;         /* owned */
  struct pw_registry *registry; /* owned */
  struct pw_proxy *profiler;    /* owned */
  struct pw_filter *filter;     /* owned */
  struct spa_hook registry_listener, profiler_listener;
  gpointer out[RIG_CHANNELS], in[RIG_CHANNELS]; /* [const] ports */

  /* [thread loop] */
  GHashTable *nodes;            /* owned; of Node, by their ids */
  guint64 n_late;
  gint64 n_driver_xruns;

  /* [data loop] */
  guint64 position;             /* the next frame */
  guint64 clock_position;       /* the same by the clock of the graph */
  guint clock_id;
  gfloat silence[8192];         /* [const] what is heard of an unlinked port */
  gfloat waste[8192];

  guint quantum;                /* [atomic] */
  guint n_missed;               /* [atomic] */
};

/* --- The cycles --- */

static void
follow_clock (RigGraph * graph, const struct spa_io_clock *clock)
{
  if (clock->id == graph->clock_id && clock->position > graph->clock_position) {
    guint64 n_frames = clock->position - graph->clock_position;

    graph->position += n_frames;
    g_atomic_int_add (&graph->n_missed,
        (gint) ((n_frames + clock->duration - 1) / clock->duration));
  }
  graph->clock_id = clock->id;
  graph->clock_position = clock->position + clock->duration;
  g_atomic_int_set (&graph->quantum, (guint) clock->duration);
}

static void
rig_graph_process (void *data, struct spa_io_position *position)
{
  RigGraph *graph = data;
  guint n_frames = (guint) position->clock.duration;
  gfloat *out[RIG_CHANNELS];
  const gfloat *in[RIG_CHANNELS];

  if (n_frames > G_N_ELEMENTS (graph->silence))
    return;
  follow_clock (graph, &position->clock);
  for (gint i = 0; i < RIG_CHANNELS; i++) {
    out[i] = pw_filter_get_dsp_buffer (graph->out[i], n_frames);
    if (!out[i])
      out[i] = graph->waste;
    in[i] = pw_filter_get_dsp_buffer (graph->in[i], n_frames);
    if (!in[i])
      in[i] = graph->silence;
  }
  graph->process (graph->user_data, graph->position, n_frames, out, in);
  graph->position += n_frames;
}

static const struct pw_filter_events filter_events = {
  PW_VERSION_FILTER_EVENTS,
  .process = rig_graph_process,
};

/* --- What the profiler says, on the thread loop --- */

static Node *
find_node (RigGraph * graph, gint id, const gchar * name)
{
  Node *node = g_hash_table_lookup (graph->nodes, GINT_TO_POINTER (id));

  if (!node) {
    node = g_new0 (Node, 1);
    node->name = g_strdup (name);
    node->n_xruns = XRUNS_UNKNOWN;
    g_hash_table_insert (graph->nodes, GINT_TO_POINTER (id), node);
  }
  return node;
}

static void
node_free (gpointer data)
{
  Node *node = data;

  g_free (node->name);
  g_free (node);
}

/* How often the node was late since the last time. */
static guint64
count_late (Node * node, gint status, gint64 n_xruns)
{
  gint64 n_late = status != STATUS_FINISHED;

  if (n_xruns != XRUNS_UNKNOWN) {
    n_late = node->n_xruns == XRUNS_UNKNOWN ? 0 : n_xruns - node->n_xruns;
    node->n_xruns = n_xruns;
  }
  return (guint64) MAX (n_late, 0);
}

static void
take_node (RigGraph * graph, const struct spa_pod *pod)
{
  gint id = 0, status = 0, n_xruns = XRUNS_UNKNOWN;
  gint64 ignored;
  const gchar *name = NULL;
  struct spa_fraction latency;
  guint64 n_late;
  Node *node;

  if (spa_pod_parse_struct (pod, SPA_POD_Int (&id), SPA_POD_String (&name),
          SPA_POD_Long (&ignored), SPA_POD_Long (&ignored),
          SPA_POD_Long (&ignored), SPA_POD_Long (&ignored),
          SPA_POD_Int (&status), SPA_POD_Fraction (&latency),
          SPA_POD_OPT_Int (&n_xruns)) < 0 || g_str_equal (name, NAME))
    return;
  node = find_node (graph, id, name);
  n_late = count_late (node, status, n_xruns);
  node->n_late += n_late;
  graph->n_late += n_late;
}

static void
take_driver (RigGraph * graph, const struct spa_pod *pod)
{
  gint64 count;
  gfloat load;
  gint n_xruns;

  if (spa_pod_parse_struct (pod, SPA_POD_Long (&count), SPA_POD_Float (&load),
          SPA_POD_Float (&load), SPA_POD_Float (&load),
          SPA_POD_Int (&n_xruns)) >= 0)
    graph->n_driver_xruns = n_xruns;
}

static void
on_profile (void *data, const struct spa_pod *pod)
{
  const struct spa_pod *object;

  SPA_POD_STRUCT_FOREACH (pod, object) {
    const struct spa_pod_prop *prop;

    if (!spa_pod_is_object_type (object, SPA_TYPE_OBJECT_Profiler))
      continue;
    SPA_POD_OBJECT_FOREACH ((const struct spa_pod_object *) object, prop) {
      if (prop->key == SPA_PROFILER_info)
        take_driver (data, &prop->value);
      else if (prop->key == SPA_PROFILER_followerBlock)
        take_node (data, &prop->value);
    }
  }
}

static const struct pw_profiler_events profiler_events = {
  PW_VERSION_PROFILER_EVENTS,
  .profile = on_profile,
};

static void
on_global (void *data, uint32_t id, uint32_t permissions, const char *type,
    uint32_t version, const struct spa_dict *props)
{
  RigGraph *graph = data;

  if (graph->profiler || !g_str_equal (type, PW_TYPE_INTERFACE_Profiler))
    return;
  graph->profiler = pw_registry_bind (graph->registry, id, type,
      PW_VERSION_PROFILER, 0);
  if (!graph->profiler)
    return;
  pw_proxy_add_object_listener (graph->profiler, &graph->profiler_listener,
      &profiler_events, graph);
}

static const struct pw_registry_events registry_events = {
  PW_VERSION_REGISTRY_EVENTS,
.global = on_global,};

/* --- Open and close --- */

static gpointer
add_port (RigGraph * graph, enum pw_direction direction, const gchar * name)
{
  return pw_filter_add_port (graph->filter, direction,
      PW_FILTER_PORT_FLAG_MAP_BUFFERS, sizeof (gpointer),
      pw_properties_new (PW_KEY_FORMAT_DSP, "32 bit float mono audio",
          PW_KEY_PORT_NAME, name, NULL), NULL, 0);
}

static gboolean
open_filter (RigGraph * graph)
{
  static const gchar *const out[] = { "out_FL", "out_FR" };
  static const gchar *const in[] = { "in_FL", "in_FR" };

  graph->filter = pw_filter_new_simple (pw_thread_loop_get_loop (graph->loop),
      NAME, pw_properties_new (PW_KEY_CONFIG_NAME, "client-rt.conf",
          PW_KEY_NODE_NAME, NAME, PW_KEY_NODE_ALWAYS_PROCESS, "true", NULL),
      &filter_events, graph);
  for (gint i = 0; i < RIG_CHANNELS; i++) {
    graph->out[i] = add_port (graph, PW_DIRECTION_OUTPUT, out[i]);
    graph->in[i] = add_port (graph, PW_DIRECTION_INPUT, in[i]);
  }
  return pw_filter_connect (graph->filter, PW_FILTER_FLAG_RT_PROCESS, NULL,
      0) >= 0;
}

static gboolean
open_profiler (RigGraph * graph)
{
  graph->context = pw_context_new (pw_thread_loop_get_loop (graph->loop), NULL,
      0);
  /* which knows how the profiler's messages are written */
  pw_context_load_module (graph->context, PW_EXTENSION_MODULE_PROFILER, NULL,
      NULL);
  graph->core = pw_context_connect (graph->context, NULL, 0);
  if (!graph->core)
    return FALSE;
  graph->registry = pw_core_get_registry (graph->core, PW_VERSION_REGISTRY, 0);
  pw_registry_add_listener (graph->registry, &graph->registry_listener,
      &registry_events, graph);
  return TRUE;
}

/* NULL if there is no PipeWire. */
RigGraph *
rig_graph_open (RigGraphProcess process, gpointer user_data)
{
  RigGraph *graph = g_new0 (RigGraph, 1);
  gboolean is_open;

  pw_init (NULL, NULL);
  graph->process = process;
  graph->user_data = user_data;
  graph->nodes = g_hash_table_new_full (NULL, NULL, NULL, node_free);
  graph->clock_id = SPA_ID_INVALID;
  graph->loop = pw_thread_loop_new (NAME, NULL);
  is_open = open_profiler (graph) && open_filter (graph)
      && pw_thread_loop_start (graph->loop) >= 0;
  if (!is_open)
    g_clear_pointer (&graph, rig_graph_close);
  return graph;
}

static gboolean
link_ports (const gchar * from, const gchar * to)
{
  const gchar *argv[] = { "pw-link", from, to, NULL };
  gint status;

  return g_spawn_sync (NULL, (gchar **) argv, NULL,
      G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
      &status, NULL) && status == 0;
}

/* Plays into `cable` and hears `ear` from now on; FALSE if they are not there
 * yet. */
gboolean
rig_graph_connect (RigGraph * graph)
{
  return link_ports (NAME ":out_FL", "cable:playback_FL") &&
      link_ports (NAME ":out_FR", "cable:playback_FR") &&
      link_ports ("ear:monitor_FL", NAME ":in_FL") &&
      link_ports ("ear:monitor_FR", NAME ":in_FR");
}

void
rig_graph_close (RigGraph * graph)
{
  pw_thread_loop_stop (graph->loop);
  g_clear_pointer (&graph->filter, pw_filter_destroy);
  g_clear_pointer (&graph->profiler, pw_proxy_destroy);
  if (graph->registry)
    pw_proxy_destroy ((struct pw_proxy *) graph->registry);
  g_clear_pointer (&graph->core, pw_core_disconnect);
  g_clear_pointer (&graph->context, pw_context_destroy);
  pw_thread_loop_destroy (graph->loop);
  g_hash_table_unref (graph->nodes);
  g_free (graph);
}

/* --- What was lost --- */

guint
rig_graph_get_quantum (RigGraph * graph)
{
  return g_atomic_int_get (&graph->quantum);
}

void
rig_graph_get_losses (RigGraph * graph, RigGraphLosses * losses)
{
  pw_thread_loop_lock (graph->loop);
  losses->n_late = graph->n_late;
  losses->n_xruns = graph->n_driver_xruns;
  pw_thread_loop_unlock (graph->loop);
  losses->n_missed = g_atomic_int_get (&graph->n_missed);
}

/* Which nodes were late, one a line. */
void
rig_graph_print_late (RigGraph * graph)
{
  GHashTableIter iter;
  gpointer value;

  pw_thread_loop_lock (graph->loop);
  g_hash_table_iter_init (&iter, graph->nodes);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Node *node = value;

    if (node->n_late > 0)
      g_print ("late %" G_GUINT64_FORMAT " times: %s\n", node->n_late,
          node->name);
  }
  pw_thread_loop_unlock (graph->loop);
}
