/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is said of the sound in a WAV file: a chunk LIST of the kind INFO, of
 * the tags that wavenc writes there too. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The chunk, of an even number of bytes; NULL: no tag has a place in it. */
GByteArray *nda_wav_make_info (const GstTagList * tags);

G_END_DECLS
