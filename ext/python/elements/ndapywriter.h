/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Writes blocks to a sink plugin: waits for its room, offers a block again that
 * it did not take, and gives up after a while. */

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

  /* [streaming thread] */
  gboolean is_started;
  NdaPyFormat format;           /* of the plugin */
  NdaPyFit *fit;                /* owned; NULL where the plugin takes blocks */
  gboolean is_distrusted;       /* what it says of its room is not true */
} NdaPyWriter;

void nda_py_writer_init (NdaPyWriter * writer, GstBaseSink * sink,
    NdaPyShared * py);
void nda_py_writer_clear (NdaPyWriter * writer);
void nda_py_writer_stop (NdaPyWriter * writer);

/* the streaming thread, with the preroll lock, which the first three give up
 * around the plugin's calls and the waits for room */
GstFlowReturn nda_py_writer_preroll (NdaPyWriter * writer);
GstFlowReturn nda_py_writer_start (NdaPyWriter * writer);
GstFlowReturn nda_py_writer_write (NdaPyWriter * writer,
    const GstAudioInfo * info, GstBuffer * block, guint * n_frames);
void nda_py_writer_drain (NdaPyWriter * writer);
void nda_py_writer_flush (NdaPyWriter * writer);

G_END_DECLS
