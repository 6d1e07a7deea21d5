/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* In the place of zita.cc where there is no zita-resampler */

#include "peers.h"

/* *INDENT-OFF* */
const Peer zita_peers[] = {
  { "zita-resampler", "libzita-resampler-dev", NULL, NULL, NULL },
  { NULL, NULL, NULL, NULL, NULL }
};
/* *INDENT-ON* */
