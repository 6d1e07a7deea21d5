/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decides what an ndaresample does between two formats: let frames pass,
 * resample them with one converter or another, or follow a clock too. The
 * decision depends on the formats, the settings and the makers that were built.
 *
 * Uses no pads. Belongs to the sink thread: no locks. */

#pragma once

#include "ndaadaptive.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_LATENCY_AUTO,             /* low in a live stream, else best */
  NDA_LATENCY_LOW,              /* nda's own converter */
  NDA_LATENCY_BEST,             /* a library's, if there is one */
} NdaLatency;

typedef struct
{
  NdaQuality quality;
  guint rate;                   /* 0: that of the input, if downstream can */
  NdaLatency latency;
  gboolean adaptive;
} NdaResampleSettings;

typedef struct
{
  /* [const] of converters, the best first; NULL behind the last */
  const NdaConverterMaker *const *makers;
  NdaResampleSettings settings; /* used by open () */
  GstAudioInfo in;              /* of UNKNOWN when it is closed */
  GstAudioInfo out;
  NdaResampler *resampler;      /* owned; NULL: frames pass */
  NdaAdaptive adaptive;
} NdaConversion;

void nda_conversion_init (NdaConversion * conversion,
    const NdaConverterMaker * const *makers);
void nda_conversion_close (NdaConversion * conversion);
gboolean nda_conversion_is_open (const NdaConversion * conversion);

/* Converts from @in to @out from now on; the earlier frames have all gone out.
 * @device: see nda_adaptive_start (). FALSE, closed and with the reason, if the
 * rates cannot be bridged. */
gboolean nda_conversion_open (NdaConversion * conversion,
    const GstAudioInfo * in, const GstAudioInfo * out, GstCaps * out_caps,
    const NdaResampleSettings * settings, GstClock * device,
    gboolean is_live, GError ** error);

/* Whether it must be opened again for these formats and settings. */
gboolean nda_conversion_must_open (const NdaConversion * conversion,
    const GstAudioInfo * in, const GstAudioInfo * out,
    const NdaResampleSettings * settings, GstClock * device);
/* Otherwise: uses the settings. FALSE: they have not changed. */
gboolean nda_conversion_adjust (NdaConversion * conversion,
    const NdaResampleSettings * settings, GstClock * device);

/* Whether the quality asked for needs a library that is missing. */
gboolean nda_conversion_is_less_exact (const NdaConversion * conversion);

/* Frames out per frame in, now; 0.0 when closed. */
gdouble nda_conversion_get_ratio (const NdaConversion * conversion);
/* The name of the converter's maker; “none” if frames pass. */
const gchar *nda_conversion_get_converter (const NdaConversion * conversion);
/* 0 if frames pass. */
GstClockTime nda_conversion_get_latency (const NdaConversion * conversion);

/* If frames pass and a clock is watched: lets a resampler take over. */
void nda_conversion_take_over (NdaConversion * conversion, GstCaps * out_caps);
/* Forgets all frames. */
void nda_conversion_flush (NdaConversion * conversion);

G_END_DECLS
