/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GObject itself refuses a value out of range, or clamps it, and does not say
 * what the range is. So the specs made here pass every value of their type to
 * the object, which refuses it with a sentence. Otherwise they are GObject's
 * own specs, so every tool can read their range. */

#include "config.h"

#include "ndapyparam.h"

#include <gst/gst.h>

/* --- specs that let every value through ----------------------------------- */

static gboolean
nda_py_param_validate (GParamSpec * param, GValue * value)
{
  return FALSE;                 /* the value was not changed */
}

static void
nda_py_param_class_init (gpointer class, gpointer unused)
{
  G_PARAM_SPEC_CLASS (class)->value_validate = nda_py_param_validate;
}

static GType
register_spec (const gchar * name, GType parent)
{
  GTypeQuery query;
  GTypeInfo info = { 0 };

  g_type_query (parent, &query);
  info.class_size = query.class_size;
  info.instance_size = query.instance_size;
  info.class_init = nda_py_param_class_init;
  return g_type_register_static (parent, name, &info, 0);
}

static GType
double_get_type (void)
{
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_spec ("NdaPyParamDouble",
            G_TYPE_PARAM_DOUBLE));
  return type;
}

static GType
int_get_type (void)
{
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_spec ("NdaPyParamInt",
            G_TYPE_PARAM_INT));
  return type;
}

static GType
enum_get_type (void)
{
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_spec ("NdaPyParamEnum",
            G_TYPE_PARAM_ENUM));
  return type;
}

/* --- one for each type of parameter --------------------------------------- */

static gchar *
make_blurb (const NdaPyDeclaration * d)
{
  g_autofree gchar *help = d->help && *d->help ? g_strdup (d->help) :
      g_strdup_printf ("The plugin's parameter %s", d->key);

  if (!d->unit || !*d->unit)
    return g_steal_pointer (&help);
  return g_strdup_printf ("%s (in %s)", help, d->unit);
}

static GParamSpec *
make_float (const NdaPyDeclaration * d, const gchar * name,
    const gchar * blurb, GParamFlags flags)
{
  GParamSpecDouble *spec = g_param_spec_internal (double_get_type (), name,
      d->key, blurb, flags | GST_PARAM_CONTROLLABLE);

  spec->minimum = d->minimum;
  spec->maximum = d->maximum;
  spec->default_value = g_value_get_double (&d->initial);
  return G_PARAM_SPEC (spec);
}

static GParamSpec *
make_int (const NdaPyDeclaration * d, const gchar * name,
    const gchar * blurb, GParamFlags flags)
{
  GParamSpecInt *spec = g_param_spec_internal (int_get_type (), name,
      d->key, blurb, flags | GST_PARAM_CONTROLLABLE);

  spec->minimum = d->int_minimum;
  spec->maximum = d->int_maximum;
  spec->default_value = g_value_get_int (&d->initial);
  return G_PARAM_SPEC (spec);
}

/* Registers an enumeration of the options, which is never freed. */
static GType
register_options (const NdaPyDeclaration * d, const gchar * prefix)
{
  guint n_options = g_strv_length (d->options);
  GEnumValue *values = g_new0 (GEnumValue, n_options + 1);
  g_autofree gchar *type_name = g_strdup_printf ("%s-%s", prefix, d->property);
  GType type = g_type_from_name (type_name);

  if (type) {
    g_free (values);
    return type;
  }
  for (guint i = 0; i < n_options; i++) {
    values[i].value = i;
    values[i].value_name = values[i].value_nick = g_strdup (d->options[i]);
  }
  type = g_enum_register_static (type_name, values);
  gst_type_mark_as_plugin_api (type, 0);
  return type;
}

static GParamSpec *
make_choice (const NdaPyDeclaration * d, const gchar * name,
    const gchar * prefix, const gchar * blurb, GParamFlags flags)
{
  GParamSpecEnum *spec = g_param_spec_internal (enum_get_type (), name,
      d->key, blurb, flags | GST_PARAM_CONTROLLABLE);
  GType type = register_options (d, prefix);

  G_PARAM_SPEC (spec)->value_type = type;
  spec->enum_class = g_type_class_ref (type);
  spec->default_value = g_value_get_int (&d->initial);
  return G_PARAM_SPEC (spec);
}

GParamSpec *
nda_py_param_new (const NdaPyDeclaration * d, const gchar * name,
    const gchar * prefix)
{
  GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | GST_PARAM_MUTABLE_PLAYING;
  g_autofree gchar *blurb = make_blurb (d);

  switch (d->type) {
    case NDA_PY_TYPE_FLOAT:
      return make_float (d, name, blurb, flags);
    case NDA_PY_TYPE_INT:
      return make_int (d, name, blurb, flags);
    case NDA_PY_TYPE_BOOL:
      return g_param_spec_boolean (name, d->key, blurb,
          g_value_get_boolean (&d->initial), flags | GST_PARAM_CONTROLLABLE);
    case NDA_PY_TYPE_CHOICE:
      return make_choice (d, name, prefix, blurb, flags);
    case NDA_PY_TYPE_SECRET:
      return g_param_spec_string (name, d->key, blurb, NULL,
          flags & ~G_PARAM_READABLE);
    default:
      return g_param_spec_string (name, d->key, blurb,
          g_value_get_string (&d->initial), flags);
  }
}

void
nda_py_param_to_plain (const GValue * value, GValue * plain)
{
  if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_int (plain, g_value_get_enum (value));
  else
    g_value_copy (value, plain);
}

void
nda_py_param_from_plain (const GValue * plain, GValue * value)
{
  if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, g_value_get_int (plain));
  else
    g_value_copy (plain, value);
}
