/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The property “on-error”: what the element does with a block on which the
 * plugin failed, and with the rest of the stream. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_ON_ERROR_STOP,
  NDA_PY_ON_ERROR_SILENCE,
  NDA_PY_ON_ERROR_PASSTHROUGH,
} NdaPyOnError;

#define NDA_TYPE_PY_ON_ERROR (nda_py_on_error_get_type ())
GType nda_py_on_error_get_type (void);
GParamSpec *nda_py_on_error_param (NdaPyOnError on_error);

G_END_DECLS
