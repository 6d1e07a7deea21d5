/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Opens the plugin that an element's settings name. */

#pragma once

#include "ndapyshared.h"

G_BEGIN_DECLS

void nda_py_open_copy_settings (NdaPyShared * self, NdaPySettings * copy);
void nda_py_open_clear_settings (NdaPySettings * copy);

/* Without the GIL */
gboolean nda_py_open_in (NdaPyHost * host, const NdaPyRunnerKind * kind,
    const NdaPySettings * settings, gchar * file, gchar * entry,
    GError ** error);

/* For any thread, without a lock, perhaps with the GIL */
gchar *nda_py_open_ask (NdaPyShared * self, GError ** error);

G_END_DECLS
