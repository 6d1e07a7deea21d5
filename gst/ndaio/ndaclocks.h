/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two clocks: the pipeline's, and that of the audio device inside an ndasrc or
 * ndasink. Where they are not one clock, GStreamer's own sources and sinks drop
 * or repeat samples, or let the time stamps jump. Here they are told to keep
 * every frame, and the ndaresample inside follows the device.
 *
 * Its fields belong to the bin's object lock. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  NDA_DRIFT_COMPENSATION_OFF,   /* never: what GStreamer does of itself */
  NDA_DRIFT_COMPENSATION_AUTO,  /* where two clocks meet */
} NdaDriftCompensation;

/* Of the pipeline's clock and the device's */
typedef enum
{
  NDA_CLOCKS_UNKNOWN,           /* or left to the device's element */
  NDA_CLOCKS_ONE,
  NDA_CLOCKS_TWO,               /* and every frame is kept */
} NdaClocksRelation;

#define NDA_TYPE_DRIFT_COMPENSATION (nda_drift_compensation_get_type ())
GType nda_drift_compensation_get_type (void);

typedef struct
{
  GstElement *bin;              /* [const] not owned; the owner */
  GstElement *resample;         /* [const] not owned; a child, or NULL */
  NdaDriftCompensation compensation;    /* [object lock] */
  GstElement *device;           /* [object lock] owned; or NULL */
  gint relation;                /* [atomic] NdaClocksRelation */
} NdaClocks;

void nda_clocks_init (NdaClocks * clocks, GstElement * bin);
GParamSpec *nda_clocks_param (void);

/* In deep_element_added and _removed: any element, of which one may be the
 * device */
void nda_clocks_add (NdaClocks * clocks, GstElement * element);
void nda_clocks_remove (NdaClocks * clocks, GstElement * element);

/* Whether the device, when opened, is one that may be followed. */
gboolean nda_clocks_may_follow (NdaClocks * clocks);

/* Before the change to PLAYING, when the pipeline has chosen its clock; not in
 * set_clock, which is called under the pipeline's lock */
void nda_clocks_compare (NdaClocks * clocks);

/* What the last comparison found. Any thread. */
NdaClocksRelation nda_clocks_get_relation (NdaClocks * clocks);

/* Whether the ndaresample inside follows the device now: then it also makes up
 * for a step of the device's clock. Any thread, but not for every buffer. */
gboolean nda_clocks_is_following (NdaClocks * clocks);

/* Adds to @stats how the device is followed. */
void nda_clocks_describe (NdaClocks * clocks, GstStructure * stats);

G_END_DECLS
