/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The stream through an ndaresample: it negotiates formats, converts frames to
 * another rate, and makes blocks of them.
 *
 * Belongs to the sink pad's streaming thread (the sink thread). */

#pragma once

#include "ndablockinput.h"
#include "ndaresampleshared.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *element;          /* [const] not owned */
  NdaResampleShared *shared;    /* [const] not owned */
  GstPad *sinkpad;              /* [const] not owned */
  GstPad *srcpad;               /* [const] not owned */
  NdaConversion conversion;
  NdaBlockInput blocks;         /* behind it */
} NdaResampleInput;

GST_DEBUG_CATEGORY_EXTERN (nda_resample_debug);

void nda_resample_input_init (NdaResampleInput * input,
    NdaResampleShared * shared, GstPad * sinkpad, GstPad * srcpad,
    const NdaConverterMaker * const *makers);
void nda_resample_input_clear (NdaResampleInput * input);

/* Forgets the stream, when the pads are deactivated. */
void nda_resample_input_reset (NdaResampleInput * input);

/* On the sink thread. Both take ownership. @event is serialized. */
GstFlowReturn nda_resample_input_chain (NdaResampleInput * input,
    GstBuffer * buffer);
GstFlowReturn nda_resample_input_event (NdaResampleInput * input,
    GstEvent * event);
/* Pushes all frames that are inside, for a DRAIN query. */
void nda_resample_input_drain (NdaResampleInput * input);

/* The latency of the resampler, or of regrouping if frames pass. Any thread. */
GstClockTime nda_resample_input_get_latency (NdaResampleInput * input);
/* The device that plays the output has started again. Any thread. */
void nda_resample_input_restart_later (NdaResampleInput * input);

G_END_DECLS
