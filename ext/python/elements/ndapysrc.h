/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element, for its own files alone: ndapysrc.c is what an application sees,
 * ndapysrcblocks.c how blocks are read. The paragraph on threads stands in
 * ndapysrc.c. */

#pragma once

#include "ndaframeclock.h"
#include "ndapyelement.h"
#include "ndapyfit.h"
#include "ndapywait.h"

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

struct _NdaPySrc
{
  GstPushSrc parent;

  NdaPyElement py;
  GMutex counters_lock;
  NdaPyWait wait;               /* has its own lock */
  gint64 latency;               /* [object lock] ns */

  /* [streaming thread] */
  gboolean is_started;
  NdaPyFormat format;           /* of the plugin */
  GstAudioInfo info;            /* of the stream */
  GstBufferPool *pool;          /* owned */
  NdaPyFit *fit;                /* owned; NULL where the plugin makes blocks */
  NdaFrameClock pace;           /* of the frames that were read */
  NdaFrameClock stamps;         /* of those that were pushed */
  gboolean has_chunk;           /* behind a discontinuity, in the fit's input */
  gboolean had_nothing;         /* since the last block */
};

#define NDA_TYPE_PY_SRC (nda_py_src_get_type ())
G_DECLARE_FINAL_TYPE (NdaPySrc, nda_py_src, NDA, PY_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (ndapysrc);

/* ndapysrcblocks.c: the streaming thread */
GstFlowReturn nda_py_src_create (GstPushSrc * push_src, GstBuffer ** result);

G_END_DECLS
