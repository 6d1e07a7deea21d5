/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Watches the device inside an ndasrc or ndasink for faults that the device's
 * element does not report: a source gives nothing, a sink takes nothing, or
 * PipeWire has ended under its own elements. The watch reports the loss.
 *
 * THREADS. The watch thread checks ten times a second, by this machine's time:
 * the pipeline's clock may be the device's. It counts its checks instead of the
 * time, since a program that was stopped and goes on has lost nothing.
 *
 * LOCKS. The watch lock guards the fields that are not [const] or [watch
 * thread]. It is not held while another object is called.
 *
 * HOW IT STOPS. The thread runs in PLAYING only. Before PAUSED it is woken and
 * joined; [watch thread] fields then belong to the change of state. The leash
 * (ndaleash.h) stays, since a server may end while the pipeline is paused. */

#pragma once

#include "ndaloss.h"

G_BEGIN_DECLS

typedef struct
{
  NdaLoss *loss;                /* [const] not owned; has its own lock */
  /* [const] Whether the device must give or take a buffer now; may be NULL.
   * Called on the watch thread. */
  gboolean (*is_expecting) (gpointer user_data);
  gpointer user_data;           /* [const] for this */

  GMutex lock;                  /* the watch lock */
  GCond changed;                /* is_stopping */
  GThread *thread;              /* [state change] owned; or NULL */
  gboolean is_stopping;
  gboolean is_steady;           /* there is a device that never pauses */
  gboolean is_of_pipewire;      /* there is an element of PipeWire's own */

  gint leash;                   /* [watch thread] to PipeWire, or -1 */
  guint n_idle;                 /* [watch thread] checks without a buffer */
  guint n_buffers;              /* [watch thread] at the last check */
} NdaWatch;

void nda_watch_init (NdaWatch * watch, NdaLoss * loss,
    gboolean (*is_expecting) (gpointer user_data), gpointer user_data);
void nda_watch_clear (NdaWatch * watch);

/* Whether there is a device that gives or takes without a pause. Any thread */
gboolean nda_watch_is_steady (NdaWatch * watch);
/* In deep_element_added: any element, of which one may be the device */
void nda_watch_add (NdaWatch * watch, GstElement * element);
/* Called when there is no such element any more */
void nda_watch_forget (NdaWatch * watch);

/* Before the children's change of state, and after it */
void nda_watch_before_change (NdaWatch * watch, GstStateChange transition);
void nda_watch_after_change (NdaWatch * watch, GstStateChange transition);

G_END_DECLS
