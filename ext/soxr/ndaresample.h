/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "ndablockinput.h"
#include "ndaresampler.h"

G_BEGIN_DECLS

#define NDA_TYPE_QUALITY (nda_quality_get_type ())
GType nda_quality_get_type (void);

#define NDA_TYPE_RESAMPLE (nda_resample_get_type ())
G_DECLARE_FINAL_TYPE (NdaResample, nda_resample, NDA, RESAMPLE, GstElement)

typedef struct
{
  guint64 n_blocks;
  guint64 n_frames;
  guint64 n_frames_in;
  gdouble ratio;
  gdouble drift_ppm;
} NdaResampleCounters;

typedef struct
{
  NdaQuality quality;
  guint rate;                   /* 0: that of the input, if downstream can */
} NdaResampleSettings;

struct _NdaResample
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */

  NdaResampleSettings settings; /* [object lock] what was asked for */
  NdaResampleCounters counters; /* [object lock] */
  GstClockTime latency;         /* [object lock] of the resampler */

  NdaBlockInput blocks;         /* [sink thread] behind the resampler; its
                                 * latency: any thread */
  NdaResampler *resampler;      /* [sink thread] owned; NULL: frames pass */
  NdaResampleSettings used;     /* [sink thread] what goes on */
  GstAudioInfo in;              /* [sink thread] of UNKNOWN before the first */
  GstAudioInfo out;             /* [sink thread] */
};

GST_DEBUG_CATEGORY_EXTERN (nda_resample_debug);

GST_ELEMENT_REGISTER_DECLARE (ndaresample);

NdaResampleSettings nda_resample_get_settings (NdaResample * self);

/* ndaresampleinput.c: the sink thread */
void nda_resample_init_input (NdaResample * self);
void nda_resample_reset_input (NdaResample * self);

G_END_DECLS
