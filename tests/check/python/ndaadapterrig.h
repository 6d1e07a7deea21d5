/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An adapter, a host, and a plugin that is none: it gives back what it gets,
 * later by as many frames as it says. Sound that is pushed piece by piece, and
 * what comes out. */

#pragma once

#include "ndablock.h"
#include "ndapyadapter.h"

#include <gst/check/gstcheck.h>

#define BLOCK NDA_BLOCK_FRAMES
/* that tone_write () writes */
#define RIG_AMPLITUDE 0.5

typedef struct
{
  guint n_channels;             /* of the stream */
  NdaPyFormat format;           /* of the plugin */
  gboolean is_analyser;

  NdaPyHost *host;
  NdaPyAdapter *adapter;

  GArray *input;                /* samples */
  GArray *output;
  guint n_pushed;               /* frames of the input */
  guint n_handed_on;            /* frames of the output */
  guint n_calls;
  guint n_crossings;

  gboolean is_exchanging;       /* a plugin for an edited one */
  guint latency;
  GArray *line;                 /* samples that the plugin was shown */
  NdaPyAdapterPolicy policy;
  const gchar *failing;         /* numbers of calls, or NULL */
  gboolean fails_always;
} Rig;

Rig *rig_new (guint n_channels, guint rate, guint plugin_channels,
    guint n_frames);
Rig *rig_new_analyser (guint n_channels, guint rate, guint plugin_channels,
    guint n_frames);
void rig_free (Rig * rig);

void rig_set_latency (Rig * rig, guint latency);
/* The plugin is edited, and loaded anew */
void rig_exchange (Rig * rig, guint rate, guint plugin_channels,
    guint n_frames, guint latency);
void rig_begin (Rig * rig, guint n_leading);

/* Sound for rig_push () */
void rig_make_noise (Rig * rig, guint n_frames);        /* any bits */
void rig_make_ramp (Rig * rig, guint n_frames); /* 1, 2, 3 ... */
void rig_make_tone (Rig * rig, guint n_frames, gdouble frequency);

void rig_push (Rig * rig, guint n_frames);
void rig_end (Rig * rig);
/* What came out is pushed into @to, as an element behind this one would. */
void rig_hand_on (Rig * rig, Rig * to);
/* What came out since rig_begin () is the input from @begin on. */
void rig_assert_same (Rig * rig, guint begin, guint n_frames);
