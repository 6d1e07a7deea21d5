/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapylog.h"

GST_DEBUG_CATEGORY (nda_python_debug);

void
nda_py_log_init (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (nda_python_debug, "ndapython", 0,
        "Python plugins: the interpreter, and what plugins print");
    g_once_init_leave (&once, 1);
  }
}
