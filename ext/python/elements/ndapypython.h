/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the elements need of Python itself. They include no room but the host:
 * ext/python/plugin.c, which knows all rooms, fills this table in. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  /* Gives up the GIL where this thread holds it, before a wait for a thread
   * that may want it; resume () takes it back */
  gpointer (*pause) (void);
  void (*resume) (gpointer paused);
  /* Why no plugin can be called any more (transfer full), or NULL */
  GError *(*get_gone_error) (void);
} NdaPyPython;

extern const NdaPyPython nda_py_python;

G_END_DECLS
