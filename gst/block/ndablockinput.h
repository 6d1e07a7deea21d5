/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink pad of an element that works in blocks: buffers of any size and the
 * serialized events among them in, blocks and events in their order out, to
 * the owner's two functions. A stream is cut, and its rest pushed as a short
 * block, where it ends, pauses or becomes another: at EOS, SEGMENT,
 * SEGMENT_DONE, GAP, STREAM_START, and at CAPS of another format. Any other
 * event follows the block that has the last frame before it.
 *
 * Belongs to the sink pad's streaming thread: no locks. The functions for
 * queries and nda_block_input_get_latency () may be called from any thread. */

#pragma once

#include "ndaheldevents.h"
#include "ndaregroup.h"

G_BEGIN_DECLS

/* Called on the streaming thread, without a lock. Both take ownership. */
typedef struct
{
  GstFlowReturn (*push_block) (gpointer owner, GstBuffer * block);
  GstFlowReturn (*push_event) (gpointer owner, GstEvent * event);
} NdaBlockOutput;

typedef struct
{
  GstElement *element;          /* [const] not owned; the pad's */
  const NdaBlockOutput *output; /* [const] */
  gpointer owner;               /* [const] not owned; passed to output's */
  NdaRegroup *regroup;          /* owned */
  NdaHeldEvents held;           /* owned; events behind frames that wait */
  guint64 n_left;               /* frames pushed while events waited */
  GstClockTime latency;         /* that was announced last */
  guint32 refused;              /* seqnum of the last segment refused, or 0 */
} NdaBlockInput;

/* The owner is @element, unless another is set before there is a stream. */
void nda_block_input_init (NdaBlockInput * input, GstElement * element,
    const NdaBlockOutput * output);
void nda_block_input_set_owner (NdaBlockInput * input, gpointer owner);
void nda_block_input_set_block_frames (NdaBlockInput * input, guint n_frames);
void nda_block_input_clear (NdaBlockInput * input);
void nda_block_input_reset (NdaBlockInput * input);

GstFlowReturn nda_block_input_chain (NdaBlockInput * input,
    GstBuffer * buffer);
void nda_block_input_drain (NdaBlockInput * input);
void nda_block_input_flush (NdaBlockInput * input);

/* The result of an event function set with gst_pad_set_event_full_function ().
 * A boolean cannot say that an event is refused because the stream stops, and
 * upstream would post that as an error. */
GstFlowReturn nda_block_input_event (NdaBlockInput * input, GstEvent * event);
/* The same, of an event that cuts nothing, behind @n_frames that are to come:
 * the owner holds them back. */
GstFlowReturn nda_block_input_event_behind (NdaBlockInput * input,
    GstEvent * event, guint n_frames);
GstFlowReturn nda_block_event_flow (GstPad * srcpad, GstEventType type,
    gboolean ok);
GstFlowReturn nda_block_push_event (GstPad * srcpad, GstEvent * event);

GstClockTime nda_block_input_get_latency (NdaBlockInput * input);
gboolean nda_block_answer_query (GstPad * pad, GstPad * other,
    GstQuery * query);
gboolean nda_block_answer_latency (GstPad * sinkpad, GstQuery * query,
    GstClockTime added, GstClockTime queued);

/* The functions of the pads of an element that passes blocks on at once, for
 * all events and queries that the element does not handle itself. */
GstFlowReturn nda_block_pass_event (GstPad * pad, GstObject * parent,
    GstEvent * event);
gboolean nda_block_sink_query (GstPad * pad, GstPad * srcpad,
    GstQuery * query);
gboolean nda_block_src_query (GstPad * pad, GstPad * sinkpad,
    GstClockTime added, GstQuery * query);
GstCaps *nda_block_filter_caps (GstCaps * caps, GstCaps * filter);

G_END_DECLS
