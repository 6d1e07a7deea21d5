/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The child “plugin” of an element: an object whose properties are the
 * parameters of the plugin. Its type is made from the plugin's declarations. It
 * keeps the values, and passes each change to the element, its parent. */

#pragma once

#include "ndapydescription.h"
#include "ndapyparameters.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define NDA_TYPE_PY_CHILD (nda_py_child_get_type ())
G_DECLARE_DERIVABLE_TYPE (NdaPyChild, nda_py_child, NDA, PY_CHILD, GstObject)

/* The events of a child, as long as it has a parent; the owner lives as long as
 * the parent */
typedef struct
{
  /* a value for the plugin; called with the child's lock */
  void (*queue) (gpointer owner, const gchar * key, const gchar * text);
  /* called on any thread, without a lock, perhaps with the GIL */
  void (*set_queued) (gpointer owner);
  void (*notify) (gpointer owner, const gchar * property);
  void (*refuse) (gpointer owner, const GError * error);
} NdaPyChildEvents;

struct _NdaPyChildClass
{
  GstObjectClass parent;

  const NdaPyDescription *description;  /* [const] NULL: it declares nothing */
  GParamSpec **params;          /* [const] owned; one for each declaration */
};

#define NDA_PY_CHILD_NAME "plugin"

/* Makes a child (transfer floating). NULL: @text is no description, and @error
 * says why. Without @text: for a plugin that declares nothing. */
NdaPyChild *nda_py_child_new (const gchar * text,
    const NdaPyChildEvents * events, gpointer owner, GError ** error);

const NdaPyDescription *nda_py_child_get_description (NdaPyChild * self);
gboolean nda_py_child_is_of (NdaPyChild * self, const gchar * text);

/* For any thread, with or without the GIL, without a lock */
gboolean nda_py_child_set (NdaPyChild * self, guint i, const GValue * plain,
    GError ** error);
gboolean nda_py_child_set_text (NdaPyChild * self, const gchar * key,
    const gchar * text, GError ** error);
gboolean nda_py_child_get (NdaPyChild * self, guint i, GValue * plain);
NdaPyParameters *nda_py_child_list (NdaPyChild * self);
void nda_py_child_queue_all (NdaPyChild * self);

G_END_DECLS
