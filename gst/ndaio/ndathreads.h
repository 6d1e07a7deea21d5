/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Gives real-time priority to the threads inside an ndasrc or ndasink that
 * carry live sound: the tasks of its elements, the thread of an audio device's
 * ring buffer, and the thread on which libpulse talks to the sound server.
 * Threads that carry a file keep ordinary priority.
 *
 * THREADS. Tasks announce themselves by stream status messages, on their own
 * thread, before it carries sound. All other functions are called in changes of
 * state. The statistics are read on any thread.
 *
 * LOCKS. The bin's object lock guards the policy. A separate lock guards the
 * rest, and is not held while a priority is requested. */

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
  NdaRealtimeSource source;     /* [lock] who gave the last priority */
  GArray *server_threads;       /* [lock] owned; gint, of libpulse */
  guint n_revoked;              /* [lock] when the bin began to play */
} NdaThreads;

void nda_threads_init (NdaThreads * threads, GstElement * bin);
void nda_threads_clear (NdaThreads * threads);

/* An audio device is inside, or not. */
void nda_threads_set_has_device (NdaThreads * threads, gboolean has_device);
/* In the bin's handle_message, for any message */
void nda_threads_note_message (NdaThreads * threads, GstMessage * message);
/* Before the children's change of state */
void nda_threads_before_change (NdaThreads * threads,
    GstStateChange transition);

/* Adds the priorities to @stats. */
void nda_threads_describe (NdaThreads * threads, GstStructure * stats);

G_END_DECLS
