/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long a processor holds back sound that comes in blocks, and whether it
 * can take blocks as they come. Plain arithmetic: any thread. */

#pragma once

#include "ndapyrole.h"

G_BEGIN_DECLS

/* The smallest constant delay, in frames of the stream, of a plugin that takes
 * @format and delays by @latency frames at its own rate */
guint nda_py_delay_get (const NdaPyFormat * format, guint latency);

/* How many frames of the plugin must have come back before @n_frames of the
 * stream can be made of them */
guint64 nda_py_delay_count_needed (const NdaPyFormat * format,
    guint64 n_frames);
/* How many frames of the stream can be made of @n_frames of the plugin */
guint64 nda_py_delay_count_made (const NdaPyFormat * format,
    guint64 n_frames);

/* Whether each block of a stream of @n_channels is one call, or several whole
 * calls */
gboolean nda_py_delay_is_none (const NdaPyFormat * format, guint latency,
    guint n_channels);

G_END_DECLS
