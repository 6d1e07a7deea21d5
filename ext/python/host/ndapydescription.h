/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a plugin of API 2 declares: its role, rate and frame, and its
 * parameters with type, range and default. A runner gives it as text of a key
 * file, and “nda install” keeps the same text. A description is read once and
 * never changes. */

#pragma once

#include "ndapyrole.h"

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_TYPE_FLOAT,
  NDA_PY_TYPE_INT,
  NDA_PY_TYPE_BOOL,
  NDA_PY_TYPE_TEXT,
  NDA_PY_TYPE_CHOICE,
  NDA_PY_TYPE_SECRET,           /* a text that is never shown */
} NdaPyType;

/* One parameter, as it is declared */
typedef struct
{
  gchar *key;                   /* owned; what the plugin calls it */
  gchar *property;              /* owned; what GObject can call it */
  NdaPyType type;
  gdouble minimum, maximum;     /* of a float */
  gint int_minimum, int_maximum;      /* of an int */
  GValue initial;               /* the default; unset: of a secret */
  gchar *unit;                  /* owned, or NULL */
  gchar *help;                  /* owned, or NULL */
  GStrv options;                /* owned; of a choice, else NULL */
} NdaPyDeclaration;

typedef struct
{
  gchar *text;                  /* owned; what it was read from */
  gchar *name;                  /* owned */
  NdaPyRole role;
  gboolean is_analyser;
  gchar *summary;               /* owned, or NULL */
  guint rate;                   /* Hz; 0: the stream's */
  guint n_frames;               /* of a call; 0: those of a block */
  gint n_channels;              /* 0: the stream's; -1: each by itself */
  guint latency;                /* frames, at the plugin's rate */
  gchar *path;                  /* owned, or NULL; of the file */

  /* of a plugin that is installed, else NULL */
  gboolean is_api_1;            /* it declares nothing */
  gchar *plugin;                /* owned; what an element's “plugin” is then */
  gchar *checksum;              /* owned; of the file, SHA-256 */
  gchar *python;                /* owned; the interpreter that it needs */

  GPtrArray *declarations;      /* owned; of NdaPyDeclaration */
} NdaPyDescription;

NdaPyDescription *nda_py_description_parse (const gchar * text,
    GError ** error);
void nda_py_description_free (NdaPyDescription * self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaPyDescription, nda_py_description_free)

static inline NdaPyDeclaration *
nda_py_description_get (const NdaPyDescription * self, guint i)
{
  return (NdaPyDeclaration *) g_ptr_array_index (self->declarations, i);
}

/* FALSE: the file is not the one that was installed */
gboolean nda_py_description_check_file (const NdaPyDescription * self,
    GError ** error);

gint nda_py_description_find (const NdaPyDescription * self,
    const gchar * key);
gchar *nda_py_description_list_keys (const NdaPyDescription * self);

/* ndapydeclaration.c: values of one parameter. The type of a GValue is that of
 * nda_py_declaration_get_value_type (). A choice is its option's number. */
GType nda_py_declaration_get_value_type (const NdaPyDeclaration * self);
gboolean nda_py_declaration_parse (const NdaPyDeclaration * self,
    const gchar * text, GValue * value, GError ** error);
gboolean nda_py_declaration_check (const NdaPyDeclaration * self,
    const GValue * value, GError ** error);
gchar *nda_py_declaration_print (const NdaPyDeclaration * self,
    const GValue * value);
gchar *nda_py_declaration_print_range (const NdaPyDeclaration * self);

G_END_DECLS
