/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads a description. An error names the group and the key with the fault. */

#include "config.h"

#include "ndapydescription.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

#include <math.h>
#include <string.h>

#define PLUGIN "plugin"
#define PARAMETER "parameter "
#define MAX_CHANNELS 64

/* --- errors --------------------------------------------------------------- */

static void
set_wrong (GError ** error, const gchar * group,
    const gchar * key, const gchar * format, ...)
G_GNUC_PRINTF (4, 5);

     static void
         set_wrong (GError ** error, const gchar * group, const gchar * key,
    const gchar * format, ...)
{
  va_list args;
  g_autofree gchar *what = NULL;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      _("[%s] %s: %s"), group, key, what);
}

/* --- keys of the file ----------------------------------------------------- */

/* Reads a text (transfer full), NULL if there is none. FALSE: it is not valid
 * text. */
static gboolean
read_text (GKeyFile * file, const gchar * group, const gchar * key,
    gchar ** text, GError ** error)
{
  g_autoptr (GError) failure = NULL;

  *text = NULL;
  if (!g_key_file_has_key (file, group, key, NULL))
    return TRUE;
  *text = g_key_file_get_string (file, group, key, &failure);
  if (!failure)
    return TRUE;
  g_clear_pointer (text, g_free);
  set_wrong (error, group, key, "%s", failure->message);
  return FALSE;
}

static gboolean
read_needed (GKeyFile * file, const gchar * group, const gchar * key,
    gchar ** text, GError ** error)
{
  if (!read_text (file, group, key, text, error))
    return FALSE;
  if (*text && **text)
    return TRUE;
  set_wrong (error, group, key, _("this key is missing"));
  g_clear_pointer (text, g_free);
  return FALSE;
}

/* Reads a whole number, 0 if there is none. */
static gboolean
read_number (GKeyFile * file, const gchar * key, gint64 minimum, gint64 maximum,
    gint64 * number, GError ** error)
{
  g_autofree gchar *text = NULL;
  g_autofree gchar *range = NULL;

  *number = 0;
  if (!read_text (file, PLUGIN, key, &text, error))
    return FALSE;
  if (!text || g_ascii_string_to_signed (text, 10, minimum, maximum, number,
          NULL))
    return TRUE;
  range = g_strdup_printf ("%" G_GINT64_FORMAT "…%" G_GINT64_FORMAT, minimum,
      maximum);
  set_wrong (error, PLUGIN, key, _("“%s” is not a whole number in %s"),
      text, range);
  return FALSE;
}

/* --- the plugin ----------------------------------------------------------- */

static gboolean
read_role (NdaPyDescription * self, GKeyFile * file, GError ** error)
{
  static const struct
  {
    const gchar *word;
    NdaPyRole role;
  } roles[] = {
    {"processor", NDA_PY_ROLE_PROCESSOR},
    {"analyser", NDA_PY_ROLE_PROCESSOR},
    {"source", NDA_PY_ROLE_SOURCE},
    {"sink", NDA_PY_ROLE_SINK},
  };
  g_autofree gchar *word = NULL;

  if (!read_needed (file, PLUGIN, "role", &word, error))
    return FALSE;
  self->is_analyser = g_str_equal (word, "analyser");
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (g_str_equal (word, roles[i].word)) {
      self->role = roles[i].role;
      return TRUE;
    }
  set_wrong (error, PLUGIN, "role",
      _("“%s” is not processor, analyser, source or sink"), word);
  return FALSE;
}

static gboolean
read_format (NdaPyDescription * self, GKeyFile * file, GError ** error)
{
  gint64 rate, n_frames, n_channels, latency, api;

  if (!read_number (file, "rate", 0, NDA_PY_MAX_RATE, &rate, error)
      || !read_number (file, "frames", 0, NDA_PY_MAX_FRAMES, &n_frames, error)
      || !read_number (file, "channels", -1, MAX_CHANNELS, &n_channels, error)
      || !read_number (file, "latency", 0, G_MAXUINT, &latency, error)
      || !read_number (file, "api", 0, 2, &api, error))
    return FALSE;
  self->is_api_1 = api == 1;
  self->rate = rate;
  self->n_frames = n_frames;
  self->n_channels = n_channels;
  self->latency = latency;
  return TRUE;
}

static gboolean
read_plugin (NdaPyDescription * self, GKeyFile * file, GError ** error)
{
  if (!g_key_file_has_group (file, PLUGIN)) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("There is no group [%s]"), PLUGIN);
    return FALSE;
  }
  return read_needed (file, PLUGIN, "name", &self->name, error)
      && read_role (self, file, error)
      && read_text (file, PLUGIN, "description", &self->summary, error)
      && read_format (self, file, error)
      && read_text (file, PLUGIN, "path", &self->path, error)
      && read_text (file, PLUGIN, "plugin", &self->plugin, error)
      && read_text (file, PLUGIN, "checksum", &self->checksum, error)
      && read_text (file, PLUGIN, "python", &self->python, error);
}

/* --- one parameter -------------------------------------------------------- */

static void
nda_py_declaration_free (gpointer data)
{
  NdaPyDeclaration *self = data;

  g_free (self->key);
  g_free (self->property);
  if (G_IS_VALUE (&self->initial))
    g_value_unset (&self->initial);
  g_free (self->unit);
  g_free (self->help);
  g_strfreev (self->options);
  g_free (self);
}

/* Makes a property name for the parameter @key: letters, digits and dashes, a
 * letter first, and no name that every object has. */
static gchar *
make_property (const gchar * key)
{
  g_autofree gchar *name = g_strdup (key);
  const gchar *begin;

  g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS, '-');
  for (begin = name; *begin == '-'; begin++);
  if (!g_ascii_isalpha (*begin) || g_str_equal (begin, "name")
      || g_str_equal (begin, "parent"))
    return g_strconcat ("parameter-", begin, NULL);
  return g_strdup (begin);
}

static gboolean
read_type (NdaPyDeclaration * self, GKeyFile * file, const gchar * group,
    GError ** error)
{
  static const gchar *const words[] = {
    "float", "int", "bool", "text", "choice", "secret"
  };
  g_autofree gchar *word = NULL;

  if (!read_needed (file, group, "type", &word, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (word, words[i])) {
      self->type = i;
      return TRUE;
    }
  set_wrong (error, group, "type",
      _("“%s” is not float, int, bool, text, choice or secret"), word);
  return FALSE;
}

/* Reads one of the two bounds, if it is there. */
static gboolean
read_bound (NdaPyDeclaration * self, GKeyFile * file, const gchar * group,
    const gchar * key, gdouble * number, gint * whole, GError ** error)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GError) failure = NULL;
  g_auto (GValue) value = G_VALUE_INIT;

  if (!read_text (file, group, key, &text, error))
    return FALSE;
  if (!text)
    return TRUE;
  if (!nda_py_declaration_parse (self, text, &value, &failure)) {
    set_wrong (error, group, key, "%s", failure->message);
    return FALSE;
  }
  if (self->type == NDA_PY_TYPE_INT)
    *whole = g_value_get_int (&value);
  else
    *number = g_value_get_double (&value);
  return TRUE;
}

static gboolean
read_range (NdaPyDeclaration * self, GKeyFile * file, const gchar * group,
    GError ** error)
{
  gdouble low = -G_MAXDOUBLE, high = G_MAXDOUBLE;
  gint int_low = G_MININT, int_high = G_MAXINT;

  /* the bounds themselves may be any number */
  self->minimum = low;
  self->maximum = high;
  self->int_minimum = int_low;
  self->int_maximum = int_high;
  if (self->type != NDA_PY_TYPE_FLOAT && self->type != NDA_PY_TYPE_INT)
    return TRUE;
  if (!read_bound (self, file, group, "minimum", &low, &int_low, error)
      || !read_bound (self, file, group, "maximum", &high, &int_high, error))
    return FALSE;
  if (low > high || int_low > int_high) {
    set_wrong (error, group, "minimum", _("it is above the maximum"));
    return FALSE;
  }
  self->minimum = low;
  self->maximum = high;
  self->int_minimum = int_low;
  self->int_maximum = int_high;
  return TRUE;
}

static gboolean
read_options (NdaPyDeclaration * self, GKeyFile * file, const gchar * group,
    GError ** error)
{
  if (self->type != NDA_PY_TYPE_CHOICE)
    return TRUE;
  self->options =
      g_key_file_get_string_list (file, group, "options", NULL, NULL);
  if (!self->options || !self->options[0]) {
    set_wrong (error, group, "options", _("a choice needs at least one"));
    return FALSE;
  }
  for (guint i = 0; self->options[i]; i++)
    for (guint j = 0; j < i; j++)
      if (g_str_equal (self->options[i], self->options[j])) {
        set_wrong (error, group, "options", _("“%s” stands there twice"),
            self->options[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
read_initial (NdaPyDeclaration * self, GKeyFile * file, const gchar * group,
    GError ** error)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GError) failure = NULL;

  if (self->type == NDA_PY_TYPE_SECRET)
    return TRUE;
  if (!read_text (file, group, "default", &text, error))
    return FALSE;
  if (!text && self->type != NDA_PY_TYPE_TEXT) {
    set_wrong (error, group, "default", _("this key is missing"));
    return FALSE;
  }
  if (nda_py_declaration_parse (self, text ? text : "", &self->initial,
          &failure))
    return TRUE;
  set_wrong (error, group, "default", "%s", failure->message);
  return FALSE;
}

/* Whether no other parameter has its key, or its property name. */
static gboolean
is_single (NdaPyDescription * self, NdaPyDeclaration * declaration,
    const gchar * group, GError ** error)
{
  gint other = nda_py_description_find (self, declaration->property);

  if (other < 0)
    return TRUE;
  set_wrong (error, group, "type",
      _("its property “%s” is that of the parameter “%s” too"),
      declaration->property, nda_py_description_get (self, other)->key);
  return FALSE;
}

static gboolean
read_parameter (NdaPyDescription * self, GKeyFile * file, const gchar * group,
    GError ** error)
{
  NdaPyDeclaration *declaration = g_new0 (NdaPyDeclaration, 1);

  declaration->key = g_strstrip (g_strdup (group + strlen (PARAMETER)));
  declaration->property = make_property (declaration->key);
  if (is_single (self, declaration, group, error)
      && read_type (declaration, file, group, error)
      && read_text (file, group, "unit", &declaration->unit, error)
      && read_text (file, group, "help", &declaration->help, error)
      && read_range (declaration, file, group, error)
      && read_options (declaration, file, group, error)
      && read_initial (declaration, file, group, error)) {
    g_ptr_array_add (self->declarations, declaration);
    return TRUE;
  }
  nda_py_declaration_free (declaration);
  return FALSE;
}

static gboolean
read_parameters (NdaPyDescription * self, GKeyFile * file, GError ** error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  for (guint i = 0; groups[i]; i++)
    if (g_str_has_prefix (groups[i], PARAMETER)
        && !read_parameter (self, file, groups[i], error))
      return FALSE;
  return TRUE;
}

/* --- the whole ------------------------------------------------------------ */

/* Reads @text. NULL: it is not a description, and @error says what is wrong
 * where. */
NdaPyDescription *
nda_py_description_parse (const gchar * text, GError ** error)
{
  g_autoptr (NdaPyDescription) self = g_new0 (NdaPyDescription, 1);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) failure = NULL;

  self->text = g_strdup (text);
  self->declarations = g_ptr_array_new_with_free_func (nda_py_declaration_free);
  if (!g_key_file_load_from_data (file, text, -1, G_KEY_FILE_NONE, &failure)) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("This is no description of a plugin: %s"), failure->message);
    return NULL;
  }
  if (!read_plugin (self, file, error)
      || !read_parameters (self, file, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
nda_py_description_free (NdaPyDescription * self)
{
  g_free (self->text);
  g_free (self->name);
  g_free (self->summary);
  g_free (self->path);
  g_free (self->plugin);
  g_free (self->python);
  g_free (self->checksum);
  g_ptr_array_unref (self->declarations);
  g_free (self);
}

/* The number of the parameter @key, by the plugin's name or the name of its
 * property; -1: none. */
gint
nda_py_description_find (const NdaPyDescription * self, const gchar * key)
{
  for (guint i = 0; i < self->declarations->len; i++)
    if (g_str_equal (nda_py_description_get (self, i)->key, key))
      return i;
  for (guint i = 0; i < self->declarations->len; i++)
    if (g_str_equal (nda_py_description_get (self, i)->property, key))
      return i;
  return -1;
}

/* The keys, for a person (transfer full). */
gchar *
nda_py_description_list_keys (const NdaPyDescription * self)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();

  for (guint i = 0; i < self->declarations->len; i++)
    g_ptr_array_add (keys, nda_py_description_get (self, i)->key);
  g_ptr_array_add (keys, NULL);
  return g_strjoinv (", ", (gchar **) keys->pdata);
}

/* --- whether it is what it was -------------------------------------------- */

/* Called before the plugin is opened, since another file may have other
 * declarations. */
gboolean
nda_py_description_check_file (const NdaPyDescription * d, GError ** error)
{
  g_autofree gchar *content = NULL;
  g_autofree gchar *checksum = NULL;
  g_autoptr (GError) failure = NULL;
  gsize n_bytes;

  if (!g_file_get_contents (d->path, &content, &n_bytes, &failure)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        _("The file of the plugin “%s” cannot be read: %s. If "
            "it was moved, run “nda install” for it again."), d->name,
        failure->message);
    return FALSE;
  }
  checksum = g_compute_checksum_for_data (G_CHECKSUM_SHA256,
      (const guchar *) content, n_bytes);
  if (g_str_equal (checksum, d->checksum))
    return TRUE;
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      _("The plugin file “%s” was changed after it was installed. Run "
          "“nda install %s” again."), d->path, d->plugin);
  return FALSE;
}
