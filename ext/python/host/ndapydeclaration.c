/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Values of one parameter: conversion from and to text, and checks. A value
 * reaches the plugin as text, and a text becomes a value, in one form: a number
 * as Python and C write it in any locale, and a boolean as true or false. */

#include "config.h"

#include "ndapydescription.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

#include <math.h>
#include <string.h>

GType
nda_py_declaration_get_value_type (const NdaPyDeclaration * self)
{
  switch (self->type) {
    case NDA_PY_TYPE_FLOAT:
      return G_TYPE_DOUBLE;
    case NDA_PY_TYPE_INT:
      return G_TYPE_INT;
    case NDA_PY_TYPE_BOOL:
      return G_TYPE_BOOLEAN;
    case NDA_PY_TYPE_CHOICE:
      return G_TYPE_INT;
    default:
      return G_TYPE_STRING;
  }
}

static gchar *
print_float (gdouble number)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  return g_strdup (g_ascii_dtostr (text, sizeof (text), number));
}

/* Prints a number for a person: 0.1, not 0.10000000000000001 */
static gchar *
print_short (gdouble number)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof (text), "%.6g", number);
  return g_ascii_strtod (text, NULL) == number ? g_strdup (text) :
      print_float (number);
}

static gchar *
print_bounds (const NdaPyDeclaration * self)
{
  g_autofree gchar *low = NULL;
  g_autofree gchar *high = NULL;

  if (self->type == NDA_PY_TYPE_INT) {
    if (self->int_minimum == G_MININT && self->int_maximum == G_MAXINT)
      return g_strdup (_("a whole number"));
    return g_strdup_printf (_("a whole number from %d to %d"),
        self->int_minimum, self->int_maximum);
  }
  if (self->minimum == -G_MAXDOUBLE && self->maximum == G_MAXDOUBLE)
    return g_strdup (_("a number"));
  low = print_short (self->minimum);
  high = print_short (self->maximum);
  if (self->maximum == G_MAXDOUBLE)
    return g_strdup_printf (_("a number of at least %s"), low);
  if (self->minimum == -G_MAXDOUBLE)
    return g_strdup_printf (_("a number of at most %s"), high);
  return g_strdup_printf (_("a number from %s to %s"), low, high);
}

/* Describes the allowed values, in words (transfer full). */
gchar *
nda_py_declaration_print_range (const NdaPyDeclaration * self)
{
  g_autofree gchar *what = NULL;

  switch (self->type) {
    case NDA_PY_TYPE_FLOAT:
    case NDA_PY_TYPE_INT:
      what = print_bounds (self);
      return g_strconcat (what, self->unit ? " " : "", self->unit, NULL);
    case NDA_PY_TYPE_BOOL:
      return g_strdup (_("true or false"));
    case NDA_PY_TYPE_CHOICE:
      what = g_strjoinv (", ", self->options);
      return g_strdup_printf (_("one of %s"), what);
    default:
      return g_strdup (_("a text in UTF-8"));
  }
}

/* Whether nothing but blanks is at @end, and something before it. */
static gboolean
is_end (const gchar * begin, const gchar * end)
{
  if (end == begin)
    return FALSE;
  while (g_ascii_isspace (*end))
    end++;
  return *end == '\0';
}

static gboolean
parse_float (const gchar * text, GValue * value)
{
  gchar *end;
  gdouble number = g_ascii_strtod (text, &end);

  /* C reads 0x10 too, Python does not */
  if (!is_end (text, end) || strpbrk (text, "xX"))
    return FALSE;
  g_value_set_double (value, number);
  return TRUE;
}

/* What to write instead of a number with a comma (transfer full), or NULL. */
static gchar *
suggest_number (const NdaPyDeclaration * self, const gchar * text)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree gchar *number = g_strdelimit (g_strdup (text), ",", '.');

  if (self->type != NDA_PY_TYPE_FLOAT || !strchr (text, ','))
    return NULL;
  g_value_init (&value, G_TYPE_DOUBLE);
  return parse_float (number, &value) ? g_steal_pointer (&number) : NULL;
}

/* The text of a secret is not told. */
static gboolean
refuse (const NdaPyDeclaration * self, const gchar * text, GError ** error)
{
  g_autofree gchar *range = nda_py_declaration_print_range (self);
  g_autofree gchar *number = suggest_number (self, text);

  if (self->type == NDA_PY_TYPE_SECRET)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("%s: this is not %s"), self->key, range);
  else if (number)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("%s: “%s” is not %s; write it with a point: %s"), self->key,
        text, range, number);
  else
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("%s: “%s” is not %s"), self->key, text, range);
  return FALSE;
}

static gboolean
fits (const NdaPyDeclaration * self, const GValue * value)
{
  gdouble number;
  gint whole;
  const gchar *text;

  switch (self->type) {
    case NDA_PY_TYPE_FLOAT:
      number = g_value_get_double (value);
      return isfinite (number) && number >= self->minimum
          && number <= self->maximum;
    case NDA_PY_TYPE_INT:
      whole = g_value_get_int (value);
      return whole >= self->int_minimum && whole <= self->int_maximum;
    case NDA_PY_TYPE_CHOICE:
      return g_value_get_int (value) >= 0
          && (guint) g_value_get_int (value) < g_strv_length (self->options);
    case NDA_PY_TYPE_BOOL:
      return TRUE;
    default:
      text = g_value_get_string (value);
      return text && g_utf8_validate (text, -1, NULL);
  }
}

/* Whether @value, of the right type, may be set. If not, @error names the
 * allowed values. */
gboolean
nda_py_declaration_check (const NdaPyDeclaration * self,
    const GValue * value, GError ** error)
{
  g_autofree gchar *text = NULL;

  if (fits (self, value))
    return TRUE;
  text = nda_py_declaration_print (self, value);
  return refuse (self, text, error);
}

static gboolean
parse_int (const gchar * text, GValue * value)
{
  gint64 number;
  g_autofree gchar *digits = g_strstrip (g_strdup (text));
  const gchar *unsigned_digits = *digits == '+' ? digits + 1 : digits;

  if (!g_ascii_string_to_signed (unsigned_digits, 10, G_MININT, G_MAXINT,
          &number, NULL))
    return FALSE;
  g_value_set_int (value, number);
  return TRUE;
}

static gboolean
parse_bool (const gchar * text, GValue * value)
{
  static const gchar *const words[] = {
    "false", "true", "0", "1", "no", "yes", "off", "on"
  };
  g_autofree gchar *word = g_strstrip (g_ascii_strdown (text, -1));

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (word, words[i])) {
      g_value_set_boolean (value, i % 2);
      return TRUE;
    }
  return FALSE;
}

static gboolean
parse_choice (const NdaPyDeclaration * self, const gchar * text, GValue * value)
{
  for (gint i = 0; self->options[i]; i++)
    if (g_str_equal (self->options[i], text)) {
      g_value_set_int (value, i);
      return TRUE;
    }
  return FALSE;
}

static gboolean
parse (const NdaPyDeclaration * self, const gchar * text, GValue * value)
{
  switch (self->type) {
    case NDA_PY_TYPE_FLOAT:
      return parse_float (text, value);
    case NDA_PY_TYPE_INT:
      return parse_int (text, value);
    case NDA_PY_TYPE_BOOL:
      return parse_bool (text, value);
    case NDA_PY_TYPE_CHOICE:
      return parse_choice (self, text, value);
    default:
      g_value_set_string (value, text);
      return TRUE;
  }
}

/* Reads @text into @value, which is unset before. If the text may not be set,
 * @value stays unset and @error names the allowed values. */
gboolean
nda_py_declaration_parse (const NdaPyDeclaration * self, const gchar * text,
    GValue * value, GError ** error)
{
  g_value_init (value, nda_py_declaration_get_value_type (self));
  if (parse (self, text, value) && fits (self, value))
    return TRUE;
  g_value_unset (value);
  return refuse (self, text, error);
}

/* Returns @value, of the right type, as the text that the plugin gets (transfer
 * full). */
gchar *
nda_py_declaration_print (const NdaPyDeclaration * self, const GValue * value)
{
  gint option;

  switch (self->type) {
    case NDA_PY_TYPE_FLOAT:
      return print_float (g_value_get_double (value));
    case NDA_PY_TYPE_INT:
      return g_strdup_printf ("%d", g_value_get_int (value));
    case NDA_PY_TYPE_BOOL:
      return g_strdup (g_value_get_boolean (value) ? "true" : "false");
    case NDA_PY_TYPE_CHOICE:
      option = g_value_get_int (value);
      if (option >= 0 && (guint) option < g_strv_length (self->options))
        return g_strdup (self->options[option]);
      return g_strdup_printf ("%d", option);
    default:
      return g_strdup (g_value_get_string (value) ? g_value_get_string (value) :
          "");
  }
}
