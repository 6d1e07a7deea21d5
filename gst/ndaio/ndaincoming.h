/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Counts the buffers that come into an ndasink, in any format, in its meter.
 *
 * Its fields belong to upstream's streaming thread. The sink inside may have
 * another thread. */

#pragma once

#include "ndameter.h"

#include <gst/audio/audio.h>

G_BEGIN_DECLS

typedef struct
{
  GstElement *bin;              /* [const] not owned; the ndasink */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  GstAudioInfo info;
  gboolean has_started;         /* the segment */
} NdaIncoming;

/* Counts the buffers that come into @first, an element inside @bin, in @meter.
 * Called once. */
void nda_incoming_watch (NdaIncoming * incoming, GstElement * first,
    GstElement * bin, NdaMeter * meter);

G_END_DECLS
