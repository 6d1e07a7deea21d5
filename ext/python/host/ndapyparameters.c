/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyparameters.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

#include <string.h>

NdaPyParameter *
nda_py_parameter_new (const gchar * key, const gchar * value)
{
  NdaPyParameter *self = g_atomic_rc_box_new0 (NdaPyParameter);

  self->key = g_strdup (key);
  self->value = g_strdup (value);
  return self;
}

NdaPyParameter *
nda_py_parameter_ref (NdaPyParameter * self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (NdaPyParameter * self)
{
  g_free (self->key);
  g_free (self->value);
}

void
nda_py_parameter_unref (NdaPyParameter * self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify) clear);
}

NdaPyParameters *
nda_py_parameters_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)
      nda_py_parameter_unref);
}

/* Adds a parameter, which replaces any other with its key. */
void
nda_py_parameters_put (NdaPyParameters * self, const gchar * key,
    const gchar * value)
{
  for (guint i = 0; i < self->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (self, i);

    if (g_str_equal (p->key, key)) {
      g_ptr_array_remove_index (self, i);
      break;
    }
  }
  g_ptr_array_add (self, nda_py_parameter_new (key, value));
}

/* Reads the quoted value at *@text, which is after its opening quote; *@text
 * ends up after the closing quote. NULL if there is no closing quote. */
static gchar *
unquote (const gchar ** text)
{
  GString *value = g_string_new (NULL);

  for (const gchar * p = *text; *p; p++) {
    if (*p == '"') {
      *text = p + 1;
      return g_string_free (value, FALSE);
    }
    if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
      p++;
    g_string_append_c (value, *p);
  }
  g_string_free (value, TRUE);
  return NULL;
}

/* Reads the value of @key at *@text; *@text ends up at the comma or the end
 * after it. Errors name only the key: the value may be secret. */
static gchar *
parse_value (const gchar * key, const gchar ** text, GError ** error)
{
  const gchar *begin = *text;
  gchar *value;

  if (*begin != '"') {
    *text = begin + strcspn (begin, ",");
    return g_strndup (begin, *text - begin);
  }
  (*text)++;
  value = unquote (text);
  if (value && (**text == ',' || **text == '\0'))
    return value;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      value ? _("After the quoted value of “%s” in the parameters a comma "
          "must follow. Write parameters as key=value,key=\"value, quoted\".") :
      _("The quoted value of “%s” in the parameters has no closing quote. "
          "Write parameters as key=value,key=\"value, quoted\"."), key);
  g_free (value);
  return NULL;
}

static NdaPyParameter *
parse_one (const gchar ** text, GError ** error)
{
  gsize n_key = strcspn (*text, "=,");
  g_autofree gchar *key = g_strstrip (g_strndup (*text, n_key));
  g_autofree gchar *value = NULL;

  if ((*text)[n_key] != '=' || !*key) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("The parameters “%s” are not of the form key=value,key=value. A "
            "comma ends a value: write a number with a point, as 0.5, and a "
            "text with a comma in double quotes, as key=\"a, b\"."), *text);
    return NULL;
  }
  *text += n_key + 1;
  value = parse_value (key, text, error);
  return value ? nda_py_parameter_new (key, value) : NULL;
}

/* Reads @text, which may be NULL or empty. NULL: the text has a fault, and
 * @error says where. */
NdaPyParameters *
nda_py_parameters_parse (const gchar * text, GError ** error)
{
  g_autoptr (GPtrArray) parameters = nda_py_parameters_new ();

  while (text && *text) {
    NdaPyParameter *parameter = parse_one (&text, error);

    if (!parameter)
      return NULL;
    g_ptr_array_add (parameters, parameter);
    if (*text == ',')
      text++;
  }
  return g_steal_pointer (&parameters);
}

static gboolean
is_secret (const gchar * key)
{
  g_auto (GStrv) words = g_strsplit (NDA_PY_SECRET_WORDS, " ", -1);
  g_autofree gchar *lower = g_ascii_strdown (key, -1);

  for (guint i = 0; words[i]; i++)
    if (strstr (lower, words[i]))
      return TRUE;
  return FALSE;
}

/* Returns @text as it may be shown (transfer full), NULL as NULL: *** replaces
 * each value whose key looks secret, and each part that cannot be read. */
gchar *
nda_py_parameters_hide (const gchar * text)
{
  GString *shown;

  if (!text)
    return NULL;
  shown = g_string_new (NULL);
  while (*text) {
    const gchar *begin = text;
    NdaPyParameter *parameter = parse_one (&text, NULL);

    if (!parameter) {
      g_string_append (shown, "***");
      break;
    }
    if (is_secret (parameter->key))
      g_string_append_printf (shown, "%s=***", parameter->key);
    else
      g_string_append_len (shown, begin, text - begin);
    nda_py_parameter_unref (parameter);
    if (*text == ',')
      g_string_append_c (shown, *text++);
  }
  return g_string_free (shown, FALSE);
}
