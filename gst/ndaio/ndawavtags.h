/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The tags of a WAV file: a chunk LIST of the kind INFO, with the tags that
 * wavenc writes too. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Returns the chunk, of an even number of bytes; NULL: no tag belongs into
 * it. */
GByteArray *nda_wav_make_info (const GstTagList * tags);

G_END_DECLS
