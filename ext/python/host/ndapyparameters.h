/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Parameters as text: "key=value,key=value". Every value reaches the plugin
 * exactly as written, up to the next comma. A value with a comma or a quote in
 * it is put in double quotes, in which a backslash keeps a quote or a
 * backslash. Spaces around a key are not part of it; spaces in a value are. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *key;
  gchar *value;
  gint is_refused;              /* [atomic] a plugin refused it */
} NdaPyParameter;

typedef GPtrArray NdaPyParameters;      /* of NdaPyParameter, owned */

/* A key with one of these words in it looks secret: its value is never shown.
 * The Python part of the host gets these words when it starts */
#define NDA_PY_SECRET_WORDS "key secret pass token"

NdaPyParameter *nda_py_parameter_new (const gchar * key, const gchar * value);
NdaPyParameter *nda_py_parameter_ref (NdaPyParameter * parameter);
void nda_py_parameter_unref (NdaPyParameter * parameter);

NdaPyParameters *nda_py_parameters_new (void);
NdaPyParameters *nda_py_parameters_parse (const gchar * text, GError ** error);
void nda_py_parameters_put (NdaPyParameters * parameters, const gchar * key,
    const gchar * value);
gchar *nda_py_parameters_hide (const gchar * text);

G_END_DECLS
