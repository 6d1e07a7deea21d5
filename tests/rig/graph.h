/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A client in the graph of an audio server, PipeWire's or jackd's, with two ports
 * in and two out. What it plays and hears within one cycle is in one cycle: the
 * distance between two frames is exact.
 *
 * A program is linked with graph_pipewire.c or with graph_jack.c. */

#pragma once

#include <glib.h>

#include "frames.h"

G_BEGIN_DECLS

typedef struct _RigGraph RigGraph;

/* Called in real time, once a cycle; must neither wait nor allocate. The frame at
 * @position is the first one; cycles that this client missed are counted in. */
typedef void (*RigGraphProcess) (gpointer user_data, guint64 position,
    guint n_frames, gfloat * const out[RIG_CHANNELS],
    const gfloat * const in[RIG_CHANNELS]);

/* Cycles in which sound was lost without a fault of those who made it: a client
 * of the graph was not done in time. */
typedef struct
{
  guint64 n_missed;             /* by this client itself */
  guint64 n_late;               /* by all the others, as the server says */
  guint64 n_xruns;              /* what the server calls by this name */
} RigGraphLosses;

RigGraph *rig_graph_open (RigGraphProcess process, gpointer user_data);
gboolean rig_graph_connect (RigGraph * graph);
guint rig_graph_get_quantum (RigGraph * graph);
void rig_graph_get_losses (RigGraph * graph, RigGraphLosses * losses);
void rig_graph_print_late (RigGraph * graph);
void rig_graph_close (RigGraph * graph);

/* What stands between the ports by default */
extern const gchar rig_graph_path[];

G_END_DECLS
