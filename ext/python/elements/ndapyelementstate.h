/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Loads, starts, stops and closes the plugin with the element's changes of
 * state. */

#pragma once

#include "ndapyelement.h"

G_BEGIN_DECLS

/* Replaces the parent's change of state, and calls it. With or without the
 * GIL. */
GstStateChangeReturn nda_py_element_change_state (NdaPyElement * self,
    GstStateChange transition, GstElementClass * parent_class);

G_END_DECLS
