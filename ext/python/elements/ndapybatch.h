/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A run of blocks on its way through a plugin: buffers mapped, run under one
 * acquisition of the GIL, and what the failure policy makes of those that
 * failed. In place where a buffer may be written to. Belongs to the block
 * thread: no locks. */

#pragma once

#include "ndapyhost.h"

G_BEGIN_DECLS

/* The most blocks that one acquisition of the GIL serves */
#define NDA_PY_BATCH_MAX 64

typedef enum
{
  NDA_PY_ON_ERROR_STOP,
  NDA_PY_ON_ERROR_SILENCE,
  NDA_PY_ON_ERROR_PASSTHROUGH,
} NdaPyOnError;

#define NDA_TYPE_PY_ON_ERROR (nda_py_on_error_get_type ())
GType nda_py_on_error_get_type (void);
GParamSpec *nda_py_on_error_param (NdaPyOnError on_error);

typedef struct
{
  NdaPyBlock block;
  GstBuffer *in;                /* owned; NULL when worked in place */
  GstBuffer *out;               /* owned */
  GstAudioBuffer in_map;
  GstAudioBuffer out_map;
} NdaPyBatchItem;

typedef struct
{
  GstAudioInfo info;
  GstBufferPool *pool;          /* owned; NULL before there is a format */

  NdaPyBatchItem items[NDA_PY_BATCH_MAX];
  guint n_items;
  NdaPyBlock *blocks[NDA_PY_BATCH_MAX]; /* into items */
  GstClockTime gil_wait;        /* of the last run */
} NdaPyBatch;

gboolean nda_py_batch_set_caps (NdaPyBatch * batch, GstCaps * caps);
void nda_py_batch_clear (NdaPyBatch * batch);

guint nda_py_batch_run (NdaPyBatch * batch, NdaPyHost * host,
    GstMiniObject ** buffers, guint n_buffers, NdaPyOnError on_error,
    GError ** error);
GstBuffer *nda_py_batch_take (NdaPyBatch * batch, guint i);
void nda_py_batch_drop (NdaPyBatch * batch);

G_END_DECLS
