/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decides which workers can come from one mould: those that would begin in the
 * same state if each was started directly. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gchar *nda_py_mould_key_find_interpreter (const gchar * python);
gboolean nda_py_mould_key_read_plugin (const gchar * path, GStrv * modules);
gchar *nda_py_mould_key_make (const gchar * interpreter, GStrv modules);

G_END_DECLS
