/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A rate converter on the polyphase core: low lag, a ratio that may glide, 32-bit
 * floats. */

#pragma once

#include "ndaconverter.h"
#include "ndapolyphase.h"

G_BEGIN_DECLS

gboolean nda_polyphase_converter_can (guint in_rate, guint out_rate);

/* From the rate of @format, which is F32, to @out_rate, where it can. */
NdaConverter *nda_polyphase_converter_new (const GstAudioInfo * format,
    guint out_rate, NdaPolyphaseMode mode);

G_END_DECLS
