/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long a processor holds sound back that comes in blocks, and whether it
 * can be shown blocks as they come. Plain arithmetic: any thread. */

#pragma once

#include "ndapyrole.h"

G_BEGIN_DECLS

/* In frames of the stream, for a plugin that takes @format and delays by
 * @latency frames at its own rate: the smallest constant one */
guint nda_py_delay_get (const NdaPyFormat * format, guint latency);

/* How many frames of the plugin must have come back before @n_frames of the
 * stream can be made of them */
guint64 nda_py_delay_count_needed (const NdaPyFormat * format,
    guint64 n_frames);
/* and how many of the stream can be made of @n_frames of the plugin */
guint64 nda_py_delay_count_made (const NdaPyFormat * format,
    guint64 n_frames);

/* Whether blocks of a stream of @n_channels are, or hold, whole calls */
gboolean nda_py_delay_is_none (const NdaPyFormat * format, guint latency,
    guint n_channels);

G_END_DECLS
