/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What comes into an ndasink, in any format, counted in its meter.
 *
 * Its fields belong to upstream's streaming thread, which may not be that of
 * the sink inside. */

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

/* Counts in @meter what comes into @first, an element inside @bin. Once. */
void nda_incoming_watch (NdaIncoming * incoming, GstElement * first,
    GstElement * bin, NdaMeter * meter);

G_END_DECLS
