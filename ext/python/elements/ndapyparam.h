/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Makes GObject properties of a plugin's parameters: with type, range, default,
 * and a blurb with the unit. */

#pragma once

#include "ndapydescription.h"

G_BEGIN_DECLS

/* Makes a property for a class. The type of a choice has a name that begins
 * with @prefix */
GParamSpec *nda_py_param_new (const NdaPyDeclaration * declaration,
    const gchar * name, const gchar * prefix);

/* Convert between a property's value and the plain value of ndapydescription.h.
 * The two differ only for a choice. Both values are initialised. */
void nda_py_param_to_plain (const GValue * value, GValue * plain);
void nda_py_param_from_plain (const GValue * plain, GValue * value);

G_END_DECLS
