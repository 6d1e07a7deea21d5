/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Device loss: the device inside an ndasrc or ndasink vanishes while it runs,
 * and is opened again, with longer and longer pauses, until it is back.
 *
 *          an error              time                first buffer
 *   HERE -----------> AWAY ----------------> TRIAL ----------------> HERE
 *                       ^                      |
 *                       +----------------------+
 *                         an error, or nothing
 *
 * Only a device that has given or taken a buffer since the pipeline was started
 * can be lost. One that was never there remains an error. NdaDeviceKind says
 * which errors mean a loss.
 *
 * THREADS. Any thread may report the device's error; the streaming thread
 * reports its buffers; the application's changes the state of the bin. The loss
 * thread, which the first loss starts, closes the device, opens it again, and
 * passes the time. It may wait for the clock, the device and what is
 * downstream.
 *
 * LOCKS. The loss lock guards everything that is not [const] or [atomic]. It is
 * not held while anything of the owner or the device is called, but for
 * gst_element_set_locked_state ().
 *
 * HAND-OVER. A device that is not HERE has its state locked: the bin leaves it
 * to the loss thread.
 *
 * HOW IT STOPS. Before PAUSED the loss thread finishes opening, a trial is
 * taken back, and no other begins until PLAYING. Before READY the loss thread
 * is woken from the clock and joined; downstream must release it first, as it
 * must release any source. */

#pragma once

#include "ndameter.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_LOSS_HERE,
  NDA_LOSS_AWAY,
  NDA_LOSS_TRIAL,
} NdaLossState;

/* The callbacks of the owner. All except text may be NULL. No lock is held when
 * they are called. */
typedef struct
{
  /* The text of the warning; translated when it is used */
  const gchar *text;
  /* Called on the loss thread, once for each 512 frames of time by @clock, the
   * pipeline's, while the device is away. */
  void (*pass_time) (gpointer user_data, GstClock * clock);
  /* Called on the streaming thread, when the device is back. */
  void (*resume) (gpointer user_data);
  /* Called on the loss thread: the stream ends while the device is away. */
  void (*end) (gpointer user_data);
  /* For how many blocks a device that was opened may give nothing; 0: no
   * limit */
  guint max_trial;
} NdaLossHooks;

typedef struct
{
  GstElement *bin;              /* [const] not owned; the owner */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  const NdaLossHooks *hooks;    /* [const] */
  gpointer user_data;           /* [const] for the hooks */

  GMutex lock;                  /* the loss lock */
  GCond changed;                /* any field below, except n_ticks */
  GThread *thread;              /* owned; the loss thread, or NULL */
  GstElement *child;            /* owned; contains the device; or NULL */
  GstClock *own_clock;          /* owned; the device's, which stands still when
                                 * that is lost; or NULL */
  gint state;                   /* [atomic] an NdaLossState; written with the
                                 * lock */
  gint n_buffers;               /* [atomic] that have passed since PAUSED */
  gboolean is_state_locked;     /* of the child */
  gboolean is_closed;           /* the loss thread has set the child to NULL */
  gboolean is_opening;          /* the loss thread opens the child */
  gboolean has_failed;          /* the child has posted an error */
  gboolean is_held;             /* do not open: the bin is not PLAYING */
  gboolean is_stopping;         /* the loss thread has to return */
  gboolean is_ending, has_ended;        /* the stream, instead of opening */
  guint n_ticks;                /* blocks since the state has changed */
  guint n_trials;               /* since the loss */
  guint pause;                  /* blocks before the next trial */
  GstClockID wait;              /* owned; of the loss thread, or NULL */
} NdaLoss;

/* Counts losses in @meter. */
void nda_loss_init (NdaLoss * loss, GstElement * bin, NdaMeter * meter,
    const NdaLossHooks * hooks, gpointer user_data);
void nda_loss_clear (NdaLoss * loss);

/* Called before the change to PAUSED, with the child that contains the device.
 * TRUE: the device was away, and a new child must be made */
gboolean nda_loss_start (NdaLoss * loss, GstElement * child);
/* Called before and after the children's change of state */
void nda_loss_before_change (NdaLoss * loss, GstStateChange transition);
void nda_loss_after_change (NdaLoss * loss, GstStateChange transition);

/* For a bin's handle_message: whether to drop @message, because the loss has
 * posted its own message. */
gboolean nda_loss_takes_message (NdaLoss * loss, GstMessage * message);

/* Reports that the device is gone if its element does not; @why is for
 * developers. Any thread but the streaming thread. */
void nda_loss_report (NdaLoss * loss, const gchar * why);

/* Called on the streaming thread: a buffer has come from the device, or gone to
 * it. TRUE: it is the first one since the device was away. */
gboolean nda_loss_note_buffer (NdaLoss * loss);
/* A buffer could not go to the device. TRUE: the device is known to be lost */
gboolean nda_loss_note_failure (NdaLoss * loss);
NdaLossState nda_loss_get_state (NdaLoss * loss);
/* The number of buffers since the pipeline was started */
guint nda_loss_get_n_buffers (NdaLoss * loss);

/* The stream ends. TRUE: the device is away and cannot pass the end on; the
 * loss thread then ends the stream. */
gboolean nda_loss_end (NdaLoss * loss);
/* After a flush the stream goes on: the device is opened again. */
void nda_loss_forget_end (NdaLoss * loss);

/* Waits until the device is not AWAY. FALSE when *@cancelled [atomic] is set,
 * after which nda_loss_wake () has to be called. */
gboolean nda_loss_wait (NdaLoss * loss, gint * cancelled);
void nda_loss_wake (NdaLoss * loss);

G_END_DECLS
