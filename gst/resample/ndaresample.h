/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element ndaresample: its pads, properties and queries. */

#pragma once

#include "ndaresampleinput.h"

G_BEGIN_DECLS

#define NDA_TYPE_QUALITY (nda_quality_get_type ())
GType nda_quality_get_type (void);

#define NDA_TYPE_LATENCY (nda_latency_get_type ())
GType nda_latency_get_type (void);

#define NDA_TYPE_RESAMPLE (nda_resample_get_type ())
G_DECLARE_FINAL_TYPE (NdaResample, nda_resample, NDA, RESAMPLE, GstElement)

struct _NdaResample
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  NdaResampleShared shared;     /* [object lock] */
  NdaResampleInput input;       /* [sink thread] */
};

/* Called before the first element is made: the makers of converters, the best
 * first; NULL after the last. They must stay valid. */
void nda_resample_set_makers (const NdaConverterMaker * const *makers);

GST_ELEMENT_REGISTER_DECLARE (ndaresample);

G_END_DECLS
