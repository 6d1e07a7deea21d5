/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A wait of a streaming thread: for a time of the pipeline's clock or for a
 * while, until it is interrupted. One thread waits, any other interrupts. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;                  /* the wait lock */
  GCond cond;                   /* is_interrupted */
  GstClockID id;                /* [wait lock] not owned; of the wait */
  gboolean is_interrupted;      /* [wait lock] */
} NdaPyWait;

void nda_py_wait_init (NdaPyWait * wait);
void nda_py_wait_clear (NdaPyWait * wait);

/* For the streaming thread. Both return FALSE when interrupted */
gboolean nda_py_wait_until (NdaPyWait * wait, GstElement * element,
    GstClockTime running_time);
gboolean nda_py_wait_for (NdaPyWait * wait, GstClockTime duration);

/* For any thread */
void nda_py_wait_interrupt (NdaPyWait * wait);
void nda_py_wait_resume (NdaPyWait * wait);

G_END_DECLS
