/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The bounded queue between two streaming threads. It holds blocks, and the
 * events and queries between them, in order. Pushing a block waits while the
 * queue is full; events do not count. Items are in a ring that grows only for
 * events, so queueing a block allocates nothing.
 *
 * If downstream stops the queue, it behaves as GStreamer's queue does. After
 * EOS it takes events and no blocks until a stream or segment begins. After
 * NOT_LINKED it keeps its items until it is relinked. Sticky events stay in a
 * stopped queue, because they are valid when blocks are taken again. When the
 * queue is flushing it takes nothing, and upstream sends its sticky events
 * again.
 *
 * THREADS. One thread pushes, one pops; any other may flush. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* [queue lock] how full the queue is; it is a part of the owner's counters */
typedef struct
{
  guint n_blocks;
  guint max_n_blocks;           /* since the queue was made */
} NdaBlockQueueLevel;

typedef struct
{
  GMutex lock;                  /* the queue lock */
  GCond can_push;               /* a block was popped, or a query answered */
  GCond can_pop;                /* something was pushed */

  GstMiniObject **ring;         /* [queue lock] owned items; not the queries */
  guint n_slots;                /* [queue lock] a power of two */
  guint first;                  /* [queue lock] slot of the oldest */
  guint n_items;                /* [queue lock] */

  guint max_blocks;             /* [queue lock] */
  NdaBlockQueueLevel *level;    /* [queue lock] not owned */
  GstFlowReturn result;         /* [queue lock] of pushes of blocks */
  gboolean has_eos;             /* [queue lock] upstream has ended */
  gboolean is_idle;             /* [queue lock] the popper waits for more */
  guint n_wanted;               /* [queue lock] blocks that end its wait */
  gint64 popped_at;             /* [queue lock] the last pop, in microseconds */
  guint n_hasty_pops;           /* [queue lock] left until a trial */

  GstQuery *asked;              /* [queue lock] popped, not answered yet */
  GstQuery *answered;           /* [queue lock] the last query popped */
  gboolean answer;              /* [queue lock] the answer to it */
} NdaBlockQueue;

void nda_block_queue_init (NdaBlockQueue * queue, NdaBlockQueueLevel * level);
void nda_block_queue_clear (NdaBlockQueue * queue);
void nda_block_queue_set_max (NdaBlockQueue * queue, guint max_blocks);

/* For the pushing thread */
GstFlowReturn nda_block_queue_push_block (NdaBlockQueue * queue,
    GstBuffer * block);
GstFlowReturn nda_block_queue_push_event (NdaBlockQueue * queue,
    GstEvent * event);
gboolean nda_block_queue_push_query (NdaBlockQueue * queue, GstQuery * query);

/* For the popping thread */
gboolean nda_block_queue_pop (NdaBlockQueue * queue, GstMiniObject ** items,
    guint max_items, guint * n_items);
void nda_block_queue_answer (NdaBlockQueue * queue, GstQuery * query,
    gboolean answer);
void nda_block_queue_end (NdaBlockQueue * queue);
gboolean nda_block_queue_is_empty (NdaBlockQueue * queue);

/* For any thread */
gboolean nda_block_queue_stop (NdaBlockQueue * queue, GstFlowReturn result);
gboolean nda_block_queue_relink (NdaBlockQueue * queue);
void nda_block_queue_forget (NdaBlockQueue * queue);
void nda_block_queue_restart (NdaBlockQueue * queue);

G_END_DECLS
