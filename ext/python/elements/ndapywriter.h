/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Writes blocks to a sink plugin: waits for room, offers a block again if the
 * plugin did not take it, and gives up after a while. */

#pragma once

#include "ndapyfit.h"
#include "ndapyshared.h"
#include "ndapywait.h"

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

typedef struct
{
  GstBaseSink *sink;            /* [const] not owned; has the preroll lock */
  NdaPyShared *py;              /* [const] not owned */
  NdaPyWait wait;               /* has its own lock */
  GstClockTime budget;          /* [object lock] how long a block is offered */

  /* All fields below: [streaming thread] */
  gboolean is_started;
  NdaPyFormat format;           /* of the plugin */
  NdaPyFit *fit;                /* owned; NULL: not needed */
  gboolean is_distrusted;       /* it took a block without room */
} NdaPyWriter;

void nda_py_writer_init (NdaPyWriter * writer, GstBaseSink * sink,
    NdaPyShared * py);
void nda_py_writer_clear (NdaPyWriter * writer);
void nda_py_writer_stop (NdaPyWriter * writer);

/* For the streaming thread, with the preroll lock. The first three give the
 * lock up around the plugin's calls and the waits for room */
GstFlowReturn nda_py_writer_preroll (NdaPyWriter * writer);
GstFlowReturn nda_py_writer_start (NdaPyWriter * writer);
GstFlowReturn nda_py_writer_write (NdaPyWriter * writer,
    const GstAudioInfo * info, GstBuffer * block, guint * n_frames);
void nda_py_writer_drain (NdaPyWriter * writer);
void nda_py_writer_flush (NdaPyWriter * writer);

G_END_DECLS
