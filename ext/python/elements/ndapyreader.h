/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads from a source plugin at the pace of the pipeline's clock, and makes
 * blocks of its frames. */

#pragma once

#include "ndaframeclock.h"
#include "ndapyfit.h"
#include "ndapyshared.h"
#include "ndapywait.h"

#include <gst/base/gstbasesrc.h>

G_BEGIN_DECLS

typedef struct
{
  GstBaseSrc *src;              /* [const] not owned */
  NdaPyShared *py;              /* [const] not owned */
  NdaPyWait wait;               /* has its own lock */

  /* All fields below: [streaming thread] */
  gboolean is_started;
  NdaPyFormat format;           /* of the plugin */
  GstAudioInfo info;            /* of the stream */
  GstBufferPool *pool;          /* owned */
  NdaPyFit *fit;                /* owned; NULL: not needed */
  NdaFrameClock pace;           /* of the frames read */
  NdaFrameClock stamps;         /* of the frames pushed */
  guint n_chunk;                /* frames that wait in the fit's input */
  gboolean is_behind_gap;       /* do these follow a gap? */
  gboolean had_nothing;         /* since the last block */
  gboolean has_ended;           /* the plugin has ended */
} NdaPyReader;

void nda_py_reader_init (NdaPyReader * reader, GstBaseSrc * src,
    NdaPyShared * py);
void nda_py_reader_clear (NdaPyReader * reader);
void nda_py_reader_stop (NdaPyReader * reader);

/* For the streaming thread */
GstFlowReturn nda_py_reader_start (NdaPyReader * reader);
gboolean nda_py_reader_set_caps (NdaPyReader * reader, GstCaps * caps);
GstClockTime nda_py_reader_get_latency (NdaPyReader * reader);
GstFlowReturn nda_py_reader_read (NdaPyReader * reader, GstBuffer ** result);

G_END_DECLS
