/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Real-time priority for the threads inside an ndasrc or ndasink that carry
 * live sound: the tasks of its elements, the thread of an audio device's ring,
 * and the thread on which libpulse talks to the sound server. Threads that
 * carry a file stay as they are.
 *
 * THREADS. Tasks announce themselves by stream status messages, on the thread
 * itself, before it carries sound. Everything else is called in changes of
 * state. The statistics are read on any thread.
 *
 * LOCKS. The bin's object lock guards the policy. A lock of its own guards the
 * rest, and is not held while a priority is asked for. */

#pragma once

#include "ndarealtime.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *bin;              /* [const] not owned; the owner */
  NdaRealtimePolicy policy;     /* [object lock] */
  gint has_device;              /* [atomic] an audio device is inside */

  GMutex lock;
  guint n_threads;              /* [lock] tasks that have priority */
  NdaRealtimeSource source;     /* [lock] where the last priority is from */
  GArray *server_threads;       /* [lock] owned; gint, of libpulse */
  guint n_revoked;              /* [lock] when the bin began to play */
} NdaThreads;

void nda_threads_init (NdaThreads * threads, GstElement * bin);
void nda_threads_clear (NdaThreads * threads);

/* An element is inside that is an audio device. */
void nda_threads_set_has_device (NdaThreads * threads, gboolean has_device);
/* In the bin's handle_message, for any message */
void nda_threads_note_message (NdaThreads * threads, GstMessage * message);
/* Before the children's change of state */
void nda_threads_before_change (NdaThreads * threads,
    GstStateChange transition);

/* Adds to @stats what was got. */
void nda_threads_describe (NdaThreads * threads, GstStructure * stats);

G_END_DECLS
