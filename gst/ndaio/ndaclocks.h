/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Handles two clocks: the pipeline's clock, and the clock of the audio device
 * inside an ndasrc or ndasink. If they are not the same, GStreamer's own
 * sources and sinks drop or repeat samples, or let the time stamps jump. Here
 * they are told to keep every frame, and the ndaresample inside follows the
 * device.
 *
 * The bin's object lock guards its fields. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  NDA_DRIFT_COMPENSATION_OFF,   /* never: leave it to GStreamer */
  NDA_DRIFT_COMPENSATION_AUTO,  /* if there are two clocks */
} NdaDriftCompensation;

/* The relation of the pipeline's clock and the device's */
typedef enum
{
  NDA_CLOCKS_UNKNOWN,           /* or the device's element handles it */
  NDA_CLOCKS_ONE,
  NDA_CLOCKS_TWO,               /* two clocks, and every frame is kept */
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

/* Called in deep_element_added and _removed with any element; it may be the
 * device */
void nda_clocks_add (NdaClocks * clocks, GstElement * element);
void nda_clocks_remove (NdaClocks * clocks, GstElement * element);

/* Whether the device is one that may be followed when it is open. */
gboolean nda_clocks_may_follow (NdaClocks * clocks);

/* Called before the change to PLAYING, when the pipeline has chosen its clock;
 * not in set_clock, which is called under the pipeline's lock */
void nda_clocks_compare (NdaClocks * clocks);

/* The result of the last comparison. Any thread. */
NdaClocksRelation nda_clocks_get_relation (NdaClocks * clocks);

/* Whether the ndaresample inside follows the device now. It then also corrects
 * a step of the device's clock. Any thread, but not for every buffer. */
gboolean nda_clocks_is_following (NdaClocks * clocks);

/* Adds the state of following to @stats. */
void nda_clocks_describe (NdaClocks * clocks, GstStructure * stats);

G_END_DECLS
