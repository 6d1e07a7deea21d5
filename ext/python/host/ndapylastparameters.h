/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The last value of each parameter that the plugin accepted, for a plugin that
 * takes its place after an edit or a crash.
 *
 * Parameters are noted before the plugin gets them, so that none is lost if
 * another plugin takes its place at that moment. Parameters that the plugin
 * refuses are forgotten again. One thread at a time tries and settles; any
 * thread copies. */

#pragma once

#include "ndapyparameters.h"

G_BEGIN_DECLS

typedef struct _NdaPyLastParameters NdaPyLastParameters;

NdaPyLastParameters *nda_py_last_parameters_new (void);
void nda_py_last_parameters_free (NdaPyLastParameters * last);
void nda_py_last_parameters_clear (NdaPyLastParameters * last);

void nda_py_last_parameters_try (NdaPyLastParameters * last,
    const NdaPyParameters * parameters);
void nda_py_last_parameters_settle (NdaPyLastParameters * last,
    const gboolean * is_taken);

void nda_py_last_parameters_drop (NdaPyLastParameters * self,
    const gchar * key);
guint nda_py_last_parameters_get_n_changes (NdaPyLastParameters * last);
NdaPyParameters *nda_py_last_parameters_copy (NdaPyLastParameters * last,
    guint * n_changes);

G_END_DECLS
