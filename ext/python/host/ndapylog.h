/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The debug category of all code that does not belong to an element. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (nda_python_debug);
#define GST_CAT_DEFAULT nda_python_debug

void nda_py_log_init (void);

G_END_DECLS
