/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Parameters of a plugin as properties of GObject: type, range, default, and a
 * blurb with the unit. */

#pragma once

#include "ndapydescription.h"

G_BEGIN_DECLS

/* For a class; @prefix begins the name of the type of a choice */
GParamSpec *nda_py_param_new (const NdaPyDeclaration * declaration,
    const gchar * name, const gchar * prefix);

/* Between a property's value and the plain one that ndapydescription.h has: the
 * two differ for a choice alone. Both are initialised. */
void nda_py_param_to_plain (const GValue * value, GValue * plain);
void nda_py_param_from_plain (const GValue * plain, GValue * value);

G_END_DECLS
