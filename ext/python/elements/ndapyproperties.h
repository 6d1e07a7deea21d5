/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The properties that the three elements share: which plugin to run, and
 * how. */

#pragma once

#include "ndapyshared.h"

G_BEGIN_DECLS

/* An element's own properties begin with NDA_PY_N_PROPS */
enum
{
  NDA_PY_PROP_PLUGIN = 1,
  NDA_PY_PROP_PLUGIN_PATH,
  NDA_PY_PROP_PARAMETERS,
  NDA_PY_PROP_ISOLATION,
  NDA_PY_PROP_PYTHON,
  NDA_PY_PROP_DEADLINE,
  NDA_PY_PROP_TIMEOUT,
  NDA_PY_PROP_MEMORY_LIMIT,
  NDA_PY_PROP_RESTART,
  NDA_PY_PROP_STANDBY,
  NDA_PY_PROP_GROUP,
  NDA_PY_PROP_SANDBOX,
  NDA_PY_PROP_SANDBOX_FOLDER,
  NDA_PY_PROP_AUTO_RELOAD,
  NDA_PY_PROP_STATS,
  NDA_PY_N_PROPS
};

void nda_py_properties_install (GObjectClass * class);

/* FALSE: the property is not one of those shared */
gboolean nda_py_properties_set (NdaPyShared * shared, guint id,
    const GValue * value);
gboolean nda_py_properties_get (NdaPyShared * shared, guint id,
    GValue * value);

G_END_DECLS
