/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What comes into an ndasink, in whatever format, counted.
 *
 * Belongs to upstream's streaming thread: no locks. */

#pragma once

#include "ndameter.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *bin;              /* [const] not owned; the ndasink */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  GstAudioInfo info;            /* what comes in */
  gboolean has_started;         /* since the segment */
} NdaInputWatch;

void nda_input_watch_init (NdaInputWatch * watch, GstElement * bin,
    NdaMeter * meter);

/* @pad is a sink pad. Once. */
void nda_input_watch_pad (NdaInputWatch * watch, GstPad * pad);

G_END_DECLS
