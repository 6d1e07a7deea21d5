/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* nda's own rate converter, with the filter of ndapolyphase.h: low delay, a
 * ratio that may change while it runs, 32-bit floats, one quality for all. */

#pragma once

#include "ndaconverter.h"
#include "ndapolyphase.h"

G_BEGIN_DECLS

extern const NdaConverterMaker nda_polyphase_maker;

/* Whether the two rates are near enough to each other for the filter. */
gboolean nda_polyphase_converter_can (guint in_rate, guint out_rate);

/* Makes a converter from the rate of @format, which is F32, to @out_rate; the
 * two must be near enough. */
NdaConverter *nda_polyphase_converter_new (const GstAudioInfo * format,
    guint out_rate, NdaPolyphaseMode mode);

G_END_DECLS
