/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an ndaresample does between two formats: it lets frames pass, resamples
 * them with one converter or another, or follows a clock as well. The choice is
 * made here, from the formats, the settings and the makers that there are.
 *
 * Knows no pads. Belongs to the sink thread: no locks. */

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
  NdaResampleSettings settings; /* that it was opened with */
  GstAudioInfo in;              /* of UNKNOWN when it is closed */
  GstAudioInfo out;
  NdaResampler *resampler;      /* owned; NULL: frames pass */
  NdaAdaptive adaptive;
} NdaConversion;

void nda_conversion_init (NdaConversion * conversion,
    const NdaConverterMaker * const *makers);
void nda_conversion_close (NdaConversion * conversion);
gboolean nda_conversion_is_open (const NdaConversion * conversion);

/* From @in to @out, instead of what was before, whose frames have all gone out.
 * @device: see nda_adaptive_start (). FALSE, closed and with the reason where
 * the rates cannot be bridged. */
gboolean nda_conversion_open (NdaConversion * conversion,
    const GstAudioInfo * in, const GstAudioInfo * out, GstCaps * out_caps,
    const NdaResampleSettings * settings, GstClock * device,
    gboolean is_live, GError ** error);

/* Whether it has to be opened again to do as it is asked. */
gboolean nda_conversion_must_open (const NdaConversion * conversion,
    const GstAudioInfo * in, const GstAudioInfo * out,
    const NdaResampleSettings * settings, GstClock * device);
/* Otherwise: does as it is asked. FALSE when it did so already. */
gboolean nda_conversion_adjust (NdaConversion * conversion,
    const NdaResampleSettings * settings, GstClock * device);

/* Whether the quality that was asked for takes a library that is not there. */
gboolean nda_conversion_is_less_exact (const NdaConversion * conversion);

/* Frames out for one in, now; 0.0 when it is closed. */
gdouble nda_conversion_get_ratio (const NdaConversion * conversion);
/* The name of what made the converter; none where frames pass. */
const gchar *nda_conversion_get_converter (const NdaConversion * conversion);
/* 0 where frames pass. */
GstClockTime nda_conversion_get_latency (const NdaConversion * conversion);

/* Where frames pass and a clock is followed: lets a resampler take over. */
void nda_conversion_take_over (NdaConversion * conversion, GstCaps * out_caps);
/* Forgets all frames. */
void nda_conversion_flush (NdaConversion * conversion);

G_END_DECLS
