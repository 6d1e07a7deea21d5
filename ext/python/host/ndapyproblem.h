/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Sentences about the faults of a plugin, the same wherever the plugin runs.
 * The comments say which texts a fault comes with. */

#pragma once

#include "ndapyrole.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_PROBLEM_LOAD,          /* reason */
  NDA_PY_PROBLEM_FAILED,        /* name: a method; reason */
  NDA_PY_PROBLEM_REFUSED,       /* name: a method; reason: what it printed */
  NDA_PY_PROBLEM_NOTHING,       /* the same, of one that returned None */
  NDA_PY_PROBLEM_INFO,          /* reason */
  NDA_PY_PROBLEM_ROLE,          /* name: the wanted role; reason: the actual */
  NDA_PY_PROBLEM_CONFIGURE,     /* reason */
} NdaPyProblem;

void nda_py_problem_set_error (GError ** error, NdaPyProblem problem,
    const gchar * path, const gchar * name, const gchar * reason);
void nda_py_problem_set_told (GError ** error, const gchar * path,
    const gchar * nick, const gchar * name, const gchar * reason);
gboolean nda_py_problem_check_format (const gchar * path,
    const NdaPyFormat * before, const NdaPyFormat * format, GError ** error);
gboolean nda_py_problem_check_fit (guint n_channels,
    const NdaPyFormat * format, GError ** error);
NdaPyProblem nda_py_problem_from_nick (const gchar * nick);

gboolean nda_py_problem_is_failure (NdaPyRole role, NdaPyCallResult result);
gchar *nda_py_problem_describe_failure (const gchar * path, NdaPyRole role,
    NdaPyCallResult result, const gchar * text);

G_END_DECLS
