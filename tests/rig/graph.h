/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Clients in the graph of an audio server, PipeWire's or jackd's: one plays and
 * one records. Both work in the same cycles, so the distance between two frames
 * is exact.
 *
 * A program is linked with graph_pipewire.c or with graph_jack.c. */

#pragma once

#include <glib.h>

#include "frames.h"

G_BEGIN_DECLS

typedef struct _RigGraph RigGraph;

/* Both are called in real time, once a cycle, and must neither wait nor
 * allocate. @position is that of the first frame, by the clock of the graph. */
typedef struct
{
  void (*play) (gpointer user_data, guint64 position, guint n_frames,
      gfloat * const out[RIG_CHANNELS]);
  void (*hear) (gpointer user_data, guint64 position, guint n_frames,
      const gfloat * const in[RIG_CHANNELS]);
} RigGraphCalls;

/* What was lost without a fault of those who play and hear, up to now */
typedef struct
{
  guint64 n_late;               /* cycles that some other client missed */
  guint64 n_unplayed;           /* frames of cycles that our player missed */
  guint64 n_unheard;            /* frames of cycles that our ear missed */
} RigGraphLosses;

RigGraph *rig_graph_open (const RigGraphCalls * calls, gpointer user_data);
gboolean rig_graph_connect (RigGraph * graph);
gboolean rig_graph_is_gone (RigGraph * graph);
guint rig_graph_get_quantum (RigGraph * graph);
void rig_graph_get_losses (RigGraph * graph, RigGraphLosses * losses);
void rig_graph_print_late (RigGraph * graph);
void rig_graph_close (RigGraph * graph);

/* What stands between player and ear by default */
extern const gchar rig_graph_path[];

G_END_DECLS
