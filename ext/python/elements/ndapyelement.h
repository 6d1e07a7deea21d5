/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The interface of the three elements that host a plugin. Through it the
 * actions and the changes of state find the fields that the elements share. */

#pragma once

#include "ndapyshared.h"

G_BEGIN_DECLS

#define NDA_TYPE_PY_ELEMENT (nda_py_element_get_type ())
G_DECLARE_INTERFACE (NdaPyElement, nda_py_element, NDA, PY_ELEMENT, GstElement)

/* Called on any thread, without a lock and perhaps with the GIL */
struct _NdaPyElementInterface
{
  GTypeInterface parent;

  /* returns a part of the instance, valid for its whole life */
  NdaPyShared *(*get_shared) (NdaPyElement * self);
  /* ends the waits of the block thread, before the host is stopped */
  void (*unblock) (NdaPyElement * self);
};

void nda_py_element_install (GstElementClass * class);

NdaPyShared *nda_py_element_get_shared (NdaPyElement * self);
void nda_py_element_unblock (NdaPyElement * self);

G_END_DECLS
