/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The clients in PipeWire's graph: a pw_filter that is linked to the sink
 * `cable`, another one that is linked to the monitor of `ear`, and the
 * profiler, which says for each cycle which nodes finished in time. There are
 * two filters, since the cycle of the one that records waits for all nodes that
 * play into `ear`.
 *
 * Threads: player_process () and ear_process () run on PipeWire's data loop, in
 * real time; the profiler and the registry on the thread of a pw_thread_loop,
 * with its lock; the program calls from its own thread and takes this lock. */

#include "graph.h"

#include <pipewire/filter.h>
#include <pipewire/pipewire.h>
#include <pipewire/extensions/profiler.h>
#include <pipewire/impl.h>
#include <spa/debug/types.h>
#include <spa/param/profiler.h>
#include <spa/pod/parser.h>

#define PLAYER "rig-graph-player"
#define EAR "rig-graph-ear"
#define MAX_QUANTUM 8192
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

/* A filter */
typedef struct
{
  struct pw_filter *filter;     /* owned */
  struct spa_hook listener;
  gpointer ports[RIG_CHANNELS]; /* [const] */
  /* [data loop] */
  guint clock_id;
  guint64 next;                 /* the position of the next cycle */
  gfloat unlinked[MAX_QUANTUM]; /* in place of a port that has no link */

  guint n_missed;               /* [atomic] frames */
} Client;

struct _RigGraph
{
  RigGraphCalls calls;          /* [const] */
  gpointer user_data;           /* [const] */
  struct pw_thread_loop *loop;  /* owned */
  struct pw_context *context;   /* owned */
  struct pw_core *core;         /* owned */
  struct pw_registry *registry; /* owned */
  struct pw_proxy *profiler;    /* owned */
  struct spa_hook core_listener, registry_listener, profiler_listener;
  Client player, ear;

  /* [thread loop] */
  GHashTable *nodes;            /* owned; of Node, by their ids */
  guint64 n_late;               /* cycles */

  guint quantum;                /* [atomic] */
  gint is_gone;                 /* [atomic] */
};

/* --- The cycles --- */

/* Notes what was missed since the last cycle. */
static void
follow_clock (Client * client, const struct spa_io_clock *clock)
{
  if (clock->id == client->clock_id && clock->position > client->next)
    g_atomic_int_add (&client->n_missed,
        (gint) (clock->position - client->next));
  client->clock_id = clock->id;
  client->next = clock->position + clock->duration;
}

static void
get_buffers (Client * client, guint n_frames, gfloat * buffers[RIG_CHANNELS])
{
  for (gint i = 0; i < RIG_CHANNELS; i++) {
    buffers[i] = pw_filter_get_dsp_buffer (client->ports[i], n_frames);
    if (!buffers[i])
      buffers[i] = client->unlinked;
  }
}

static void
player_process (void *data, struct spa_io_position *position)
{
  RigGraph *graph = data;
  guint n_frames = (guint) position->clock.duration;
  gfloat *out[RIG_CHANNELS];

  if (n_frames > MAX_QUANTUM)
    return;
  follow_clock (&graph->player, &position->clock);
  g_atomic_int_set (&graph->quantum, n_frames);
  get_buffers (&graph->player, n_frames, out);
  graph->calls.play (graph->user_data, position->clock.position, n_frames, out);
}

static void
ear_process (void *data, struct spa_io_position *position)
{
  RigGraph *graph = data;
  guint n_frames = (guint) position->clock.duration;
  gfloat *in[RIG_CHANNELS];

  if (n_frames > MAX_QUANTUM)
    return;
  follow_clock (&graph->ear, &position->clock);
  get_buffers (&graph->ear, n_frames, in);
  graph->calls.hear (graph->user_data, position->clock.position, n_frames,
      (const gfloat * const *) in);
}

static const struct pw_filter_events player_events = {
  PW_VERSION_FILTER_EVENTS,
  .process = player_process,
};

static const struct pw_filter_events ear_events = {
  PW_VERSION_FILTER_EVENTS,
  .process = ear_process,
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

/* A device is late when a client before it is; and we know of ourselves. */
static gboolean
is_other_client (RigGraph * graph, guint id, const gchar * name)
{
  static const gchar *const devices[] =
      { "cable", "mic", "ear", "ear_tap", NULL };

  return id != pw_filter_get_node_id (graph->player.filter)
      && id != pw_filter_get_node_id (graph->ear.filter)
      && !g_strv_contains (devices, name);
}

/* How many cycles the node of a follower's block was late. */
static guint64
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
          SPA_POD_OPT_Int (&n_xruns)) < 0
      || !is_other_client (graph, (guint) id, name))
    return 0;
  node = find_node (graph, id, name);
  n_late = count_late (node, status, n_xruns);
  node->n_late += n_late;
  return n_late;
}

/* A cycle of one driver is an object. */
static void
take_cycle (RigGraph * graph, const struct spa_pod_object *cycle)
{
  const struct spa_pod_prop *prop;
  guint64 n_late = 0;

  SPA_POD_OBJECT_FOREACH (cycle, prop) {
    if (prop->key == SPA_PROFILER_followerBlock) {
      guint64 n_cycles = take_node (graph, &prop->value);

      n_late = MAX (n_late, n_cycles);
    }
  }
  graph->n_late += n_late;
}

static void
on_profile (void *data, const struct spa_pod *pod)
{
  const struct spa_pod *object;

  SPA_POD_STRUCT_FOREACH (pod, object) {
    if (spa_pod_is_object_type (object, SPA_TYPE_OBJECT_Profiler))
      take_cycle (data, (const struct spa_pod_object *) object);
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

static void
on_core_error (void *data, uint32_t id, int seq, int error, const char *message)
{
  RigGraph *graph = data;

  (void) seq, (void) message;
  if (id == PW_ID_CORE && error == -EPIPE)
    g_atomic_int_set (&graph->is_gone, TRUE);
}

static const struct pw_core_events core_events = {
  PW_VERSION_CORE_EVENTS,
  .error = on_core_error,
};

/* --- Open and close --- */

static gboolean
open_client (RigGraph * graph, Client * client, const gchar * name,
    const struct pw_filter_events *events, enum pw_direction direction)
{
  static const gchar *const channels[] = { "FL", "FR" };

  client->clock_id = SPA_ID_INVALID;
  client->filter = pw_filter_new (graph->core, name,
      pw_properties_new (PW_KEY_NODE_NAME, name, PW_KEY_NODE_ALWAYS_PROCESS,
          "true", NULL));
  pw_filter_add_listener (client->filter, &client->listener, events, graph);
  for (gint i = 0; i < RIG_CHANNELS; i++)
    client->ports[i] = pw_filter_add_port (client->filter, direction,
        PW_FILTER_PORT_FLAG_MAP_BUFFERS, sizeof (gpointer),
        pw_properties_new (PW_KEY_FORMAT_DSP, "32 bit float mono audio",
            PW_KEY_PORT_NAME, channels[i], NULL), NULL, 0);
  return pw_filter_connect (client->filter, PW_FILTER_FLAG_RT_PROCESS, NULL,
      0) >= 0;
}

/* A client of 0.3 asks for real time only by a configuration of its own, which
 * 1.x may not have any more. */
static struct pw_context *
new_context (struct pw_loop *loop)
{
  struct pw_context *context = pw_context_new (loop,
      pw_properties_new (PW_KEY_CONFIG_NAME, "client-rt.conf", NULL), 0);

  return context ? context : pw_context_new (loop, NULL, 0);
}

static gboolean
open_core (RigGraph * graph)
{
  graph->context = new_context (pw_thread_loop_get_loop (graph->loop));
  /* which knows how the profiler's messages are written */
  pw_context_load_module (graph->context, PW_EXTENSION_MODULE_PROFILER, NULL,
      NULL);
  graph->core = pw_context_connect (graph->context, NULL, 0);
  if (!graph->core)
    return FALSE;
  pw_core_add_listener (graph->core, &graph->core_listener, &core_events,
      graph);
  graph->registry = pw_core_get_registry (graph->core, PW_VERSION_REGISTRY, 0);
  pw_registry_add_listener (graph->registry, &graph->registry_listener,
      &registry_events, graph);
  return TRUE;
}

/* NULL if there is no PipeWire. */
RigGraph *
rig_graph_open (const RigGraphCalls * calls, gpointer user_data)
{
  RigGraph *graph = g_new0 (RigGraph, 1);
  gboolean is_open;

  pw_init (NULL, NULL);
  graph->calls = *calls;
  graph->user_data = user_data;
  graph->nodes = g_hash_table_new_full (NULL, NULL, NULL, node_free);
  graph->loop = pw_thread_loop_new (EAR, NULL);
  is_open = open_core (graph)
      && open_client (graph, &graph->player, PLAYER, &player_events,
      PW_DIRECTION_OUTPUT)
      && open_client (graph, &graph->ear, EAR, &ear_events, PW_DIRECTION_INPUT)
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
  return link_ports (PLAYER ":FL", "cable:playback_FL") &&
      link_ports (PLAYER ":FR", "cable:playback_FR") &&
      link_ports ("ear:monitor_FL", EAR ":FL") &&
      link_ports ("ear:monitor_FR", EAR ":FR");
}

void
rig_graph_close (RigGraph * graph)
{
  pw_thread_loop_stop (graph->loop);
  g_clear_pointer (&graph->player.filter, pw_filter_destroy);
  g_clear_pointer (&graph->ear.filter, pw_filter_destroy);
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
  pw_thread_loop_lock (graph->loop);
  losses->n_late = graph->n_late;
  pw_thread_loop_unlock (graph->loop);
  losses->n_unplayed = g_atomic_int_get (&graph->player.n_missed);
  losses->n_unheard = g_atomic_int_get (&graph->ear.n_missed);
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
