/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "ndablockinput.h"
#include "ndafollower.h"
#include "ndaresampler.h"

G_BEGIN_DECLS

#define NDA_TYPE_QUALITY (nda_quality_get_type ())
GType nda_quality_get_type (void);

typedef enum
{
  NDA_LATENCY_AUTO,             /* low in a live stream, else best */
  NDA_LATENCY_LOW,              /* the polyphase filter */
  NDA_LATENCY_BEST,             /* a library's converter, if there is one */
} NdaLatency;

#define NDA_TYPE_LATENCY (nda_latency_get_type ())
GType nda_latency_get_type (void);

/* The name of a custom event upstream: the device that plays the sound began
 * anew, and with it its clock */
#define NDA_RESAMPLE_RESTART_EVENT "nda-device-restarted"

#define NDA_TYPE_RESAMPLE (nda_resample_get_type ())
G_DECLARE_FINAL_TYPE (NdaResample, nda_resample, NDA, RESAMPLE, GstElement)

typedef struct
{
  guint64 n_blocks;
  guint64 n_frames;
  guint64 n_frames_in;
  gdouble ratio;
  const gchar *converter;       /* its maker's name */
  gdouble drift_ppm;
  const gchar *state;           /* of following */
  gint64 delay_error;           /* ns */
  guint64 delay;                /* ns */
  guint64 n_clock_steps;
} NdaResampleCounters;

typedef struct
{
  NdaQuality quality;
  guint rate;                   /* 0: that of the input, if downstream can */
  NdaLatency latency;
  gboolean adaptive;
} NdaResampleSettings;

struct _NdaResample
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */

  NdaResampleSettings settings; /* [object lock] what was asked for */
  GstClock *device_clock;       /* [object lock] owned; or NULL */
  NdaResampleCounters counters; /* [object lock] */
  GstClockTime latency;         /* [object lock] of the resampler */

  NdaBlockInput blocks;         /* [sink thread] behind the resampler; its
                                 * latency: any thread */
  NdaResampler *resampler;      /* [sink thread] owned; NULL: frames pass */
  NdaResampleSettings used;     /* [sink thread] what goes on */
  NdaFollower follower;         /* [sink thread] when is_following */
  gint must_restart;            /* [atomic] following, before the next buffer */
  gboolean is_following;        /* [sink thread] used.adaptive, and possible */
  gboolean is_proven;           /* [sink thread] that there are two clocks */
  NdaDriftState told_state;     /* [sink thread] that was on the bus last */
  GstBuffer *last_block;        /* [sink thread] owned; a copy of what passed,
                                 * while it is watched */
  GstAudioInfo in;              /* [sink thread] of UNKNOWN before the first */
  GstAudioInfo out;             /* [sink thread] */
};

GST_DEBUG_CATEGORY_EXTERN (nda_resample_debug);

GST_ELEMENT_REGISTER_DECLARE (ndaresample);

/* Before the first element is made: what can make converters, the best first;
 * NULL behind the last. They stay. */
void nda_resample_set_makers (const NdaConverterMaker * const *makers);

NdaResampleSettings nda_resample_get_settings (NdaResample * self);
GstClock *nda_resample_get_device_clock (NdaResample * self);

/* ndaresampleinput.c: the sink thread */
void nda_resample_init_input (NdaResample * self);
void nda_resample_reset_input (NdaResample * self);
void nda_resample_tell_converter (NdaResample * self);
void nda_resample_set_latency (NdaResample * self, GstClockTime latency);

/* ndaresamplefollow.c: the sink thread, when adaptive */
gboolean nda_resample_follow (NdaResample * self, GstCaps * out_caps);
void nda_resample_unfollow (NdaResample * self);
void nda_resample_restart_following (NdaResample * self);
void nda_resample_observe (NdaResample * self, guint n_frames);
gboolean nda_resample_watch (NdaResample * self);
void nda_resample_keep_last (NdaResample * self, GstBuffer * block);

G_END_DECLS
