/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The declarations of a plugin of API 2: its role, rate and frame, and its
 * parameters with type, range and default. A runner returns them as the text of
 * a key file, and “nda install” stores the same text. A description is read
 * once and never changes. */

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

/* The declaration of one parameter */
typedef struct
{
  gchar *key;                   /* owned; the plugin's name for it */
  gchar *property;              /* owned; the name of its property */
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
  gchar *text;                  /* owned; the text that was read */
  gchar *name;                  /* owned */
  NdaPyRole role;
  gboolean is_analyser;
  gchar *summary;               /* owned, or NULL */
  guint rate;                   /* Hz; 0: the stream's */
  guint n_frames;               /* of a call; 0: those of a block */
  gint n_channels;              /* 0: the stream's; -1: each separately */
  guint latency;                /* frames, at the plugin's rate */
  gchar *path;                  /* owned, or NULL; of the file */

  /* The rest is set for an installed plugin, otherwise NULL */
  gboolean is_api_1;            /* it declares nothing */
  gchar *plugin;                /* owned; the value of an element's “plugin” */
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

/* ndapydeclaration.c: values of one parameter. A GValue has the type that
 * nda_py_declaration_get_value_type () returns. The value of a choice is the
 * number of its option. */
GType nda_py_declaration_get_value_type (const NdaPyDeclaration * self);
gboolean nda_py_declaration_parse (const NdaPyDeclaration * self,
    const gchar * text, GValue * value, GError ** error);
gboolean nda_py_declaration_check (const NdaPyDeclaration * self,
    const GValue * value, GError ** error);
gchar *nda_py_declaration_print (const NdaPyDeclaration * self,
    const GValue * value);
gchar *nda_py_declaration_print_range (const NdaPyDeclaration * self);

G_END_DECLS
