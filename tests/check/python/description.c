/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a plugin declares, read from text; and which values fit. */

#include "config.h"

#include "ndapydescription.h"

#include <gst/check/gstcheck.h>

#include <math.h>

#define HEAD "[plugin]\nname=gate\nrole=processor\n"
#define LEVEL HEAD "[parameter level]\ntype=float\n"
#define ORDER HEAD "[parameter order]\ntype=int\n"
#define MODE HEAD "[parameter mode]\ntype=choice\n"

static const gchar whole[] =
    "[plugin]\n"
    "name=gate\n"
    "role=analyser\n"
    "description=Silence while it is quiet.\n"
    "rate=16000\n"
    "frames=480\n"
    "channels=-1\n"
    "latency=72\n"
    "path=/plugins/gate.py\n"
    "checksum=abc\n"
    "[parameter threshold_level]\n"
    "type=float\n"
    "default=-50\n"
    "minimum=-90.5\n"
    "maximum=0\n"
    "unit=dBFS\n"
    "help=level below which sound is silenced\n"
    "[parameter order]\n"
    "type=int\n"
    "default=3\n"
    "minimum=1\n"
    "maximum=9\n"
    "[parameter on]\n"
    "type=bool\n"
    "default=true\n"
    "[parameter name]\n"
    "type=text\n"
    "[parameter mode]\n"
    "type=choice\n"
    "default=very hard\n"
    "options=soft;very hard;\n"
    "[parameter token]\n" "type=secret\n" "help=what the service wants\n";

static NdaPyDescription *
parse_whole (void)
{
  g_autoptr (GError) error = NULL;
  NdaPyDescription *description = nda_py_description_parse (whole, &error);

  g_assert_no_error (error);
  return description;
}

GST_START_TEST (test_all_that_is_declared_is_read)
{
  g_autoptr (NdaPyDescription) d = parse_whole ();
  const NdaPyDeclaration *level = nda_py_description_get (d, 0);

  fail_unless_equals_string (d->name, "gate");
  fail_unless_equals_int (d->role, NDA_PY_ROLE_PROCESSOR);
  fail_unless (d->is_analyser);
  fail_unless_equals_string (d->summary, "Silence while it is quiet.");
  fail_unless_equals_int (d->rate, 16000);
  fail_unless_equals_int (d->n_frames, 480);
  fail_unless_equals_int (d->n_channels, -1);
  fail_unless_equals_int (d->latency, 72);
  fail_unless_equals_string (d->path, "/plugins/gate.py");
  fail_unless_equals_string (d->checksum, "abc");
  fail_unless_equals_int (d->declarations->len, 6);
  fail_unless_equals_string (level->key, "threshold_level");
  fail_unless_equals_string (level->property, "threshold-level");
  fail_unless_equals_float (level->minimum, -90.5);
  fail_unless_equals_float (level->maximum, 0.0);
  fail_unless_equals_float (g_value_get_double (&level->initial), -50.0);
  fail_unless_equals_string (level->unit, "dBFS");
}

GST_END_TEST;

GST_START_TEST (test_parameters_stand_in_the_order_of_their_declaration)
{
  g_autoptr (NdaPyDescription) d = parse_whole ();
  g_autofree gchar *keys = nda_py_description_list_keys (d);

  fail_unless_equals_string (keys,
      "threshold_level, order, on, name, mode, token");
  fail_unless_equals_int (nda_py_description_find (d, "mode"), 4);
  fail_unless_equals_int (nda_py_description_find (d, "threshold-level"), 0);
  fail_unless_equals_int (nda_py_description_find (d, "nothing"), -1);
}

GST_END_TEST;

GST_START_TEST (test_a_name_that_every_object_has_is_told_apart)
{
  g_autoptr (NdaPyDescription) d = parse_whole ();

  fail_unless_equals_string (nda_py_description_get (d, 3)->property,
      "parameter-name");
  fail_unless_equals_int (nda_py_description_find (d, "name"), 3);
}

GST_END_TEST;

/* --- what is wrong is named ---------------------------------------------- */

static const struct
{
  const gchar *text;
  const gchar *where;
  const gchar *what;
} wrong[] = {
  {"[plugin]\nname=gate\nrole", "role", "key-value pair"},
  {"name=gate\n", "", "group"},
  {"[other]\nname=gate\n", "[plugin]", "no group"},
  {"", "[plugin]", "no group"},
  {"[plugin]\nrole=sink\n", "[plugin] name", "missing"},
  {"[plugin]\nname=\nrole=sink\n", "[plugin] name", "missing"},
  {"[plugin]\nname=gate\n", "[plugin] role", "missing"},
  {"[plugin]\nname=gate\nrole=filter\n", "[plugin] role", "“filter”"},
  {HEAD "rate=fast\n", "[plugin] rate", "“fast”"},
  {HEAD "rate=-1\n", "[plugin] rate", "0…768000"},
  {HEAD "frames=96001\n", "[plugin] frames", "0…96000"},
  {HEAD "frames=1.5\n", "[plugin] frames", "“1.5”"},
  {HEAD "channels=-2\n", "[plugin] channels", "-1…64"},
  {HEAD "latency=-5\n", "[plugin] latency", "“-5”"},
  {HEAD "path=\\q\n", "[plugin] path", "path"},
  {HEAD "[parameter level]\n", "[parameter level] type", "missing"},
  {HEAD "[parameter level]\ntype=double\n", "[parameter level] type",
      "“double”"},
  {LEVEL, "[parameter level] default", "missing"},
  {LEVEL "default=loud\n", "[parameter level] default", "“loud”"},
  {LEVEL "default=0x10\n", "[parameter level] default", "“0x10”"},
  {LEVEL "default=1,5\n", "[parameter level] default", "“1,5”"},
  {LEVEL "default=nan\n", "[parameter level] default", "“nan”"},
  {LEVEL "default=2\nmaximum=1\n", "[parameter level] default", "at most 1"},
  {LEVEL "default=2\nminimum=3\nmaximum=1\n", "[parameter level] minimum",
      "above"},
  {LEVEL "default=2\nminimum=low\n", "[parameter level] minimum", "“low”"},
  {ORDER "default=1.5\n", "[parameter order] default", "“1.5”"},
  {ORDER "default=1\nmaximum=2147483648\n",
      "[parameter order] maximum", "2147483648"},
  {HEAD "[parameter on]\ntype=bool\ndefault=perhaps\n",
      "[parameter on] default", "true or false"},
  {MODE "default=soft\n", "[parameter mode] options", "at least one"},
  {MODE "default=loud\noptions=soft;hard\n", "[parameter mode] default",
      "one of soft, hard"},
  {MODE "default=soft\noptions=soft;soft\n", "[parameter mode] options",
      "twice"},
  {HEAD "[parameter a_b]\ntype=text\n[parameter a-b]\ntype=text\n",
      "[parameter a-b]", "“a_b”"},
};

GST_START_TEST (test_a_wrong_text_is_refused_and_the_place_named)
{
  g_autoptr (GError) error = NULL;
  NdaPyDescription *d = nda_py_description_parse (wrong[__i__].text, &error);

  fail_unless (d == NULL);
  fail_unless (error != NULL);
  fail_unless (strstr (error->message, wrong[__i__].where) != NULL,
      "“%s” does not name “%s”", error->message, wrong[__i__].where);
  fail_unless (strstr (error->message, wrong[__i__].what) != NULL,
      "“%s” does not say “%s”", error->message, wrong[__i__].what);
}

GST_END_TEST;

/* --- values --------------------------------------------------------------- */

/* By its key in `whole`: what is set, and what the plugin gets, or NULL */
static const struct
{
  const gchar *key;
  const gchar *text;
  const gchar *printed;
} values[] = {
  {"threshold_level", "-30", "-30"},
  {"threshold_level", " -3e1 ", "-30"},
  {"threshold_level", "-0.1", "-0.10000000000000001"},
  {"threshold_level", "0", "0"},
  {"threshold_level", "-90.5", "-90.5"},
  {"threshold_level", "-90.6", NULL},
  {"threshold_level", "0.001", NULL},
  {"threshold_level", "", NULL},
  {"threshold_level", "-30 dB", NULL},
  {"threshold_level", "-inf", NULL},
  {"order", "9", "9"},
  {"order", "+2", "2"},
  {"order", "10", NULL},
  {"order", "2.0", NULL},
  {"order", "", NULL},
  {"on", "True", "true"},
  {"on", "0", "false"},
  {"on", "off", "false"},
  {"on", "2", NULL},
  {"name", "a, \"b\" = c", "a, \"b\" = c"},
  {"name", "", ""},
  {"name", "\xff", NULL},
  {"mode", "soft", "soft"},
  {"mode", "very hard", "very hard"},
  {"mode", "Soft", NULL},
  {"mode", "1", NULL},
  {"token", "s3cret", "s3cret"},
};

GST_START_TEST (test_a_value_that_fits_is_read_and_no_other)
{
  g_autoptr (NdaPyDescription) d = parse_whole ();
  const NdaPyDeclaration *declaration = nda_py_description_get (d,
      nda_py_description_find (d, values[__i__].key));
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *printed = NULL;
  gboolean ok = nda_py_declaration_parse (declaration, values[__i__].text,
      &value, &error);

  fail_unless_equals_int (ok, values[__i__].printed != NULL);
  fail_unless_equals_int (ok, error == NULL);
  fail_unless_equals_int (ok, G_IS_VALUE (&value));
  if (ok)
    printed = nda_py_declaration_print (declaration, &value);
  fail_unless_equals_string (printed, values[__i__].printed);
}

GST_END_TEST;

/* What is refused, and the range that is told */
static const struct
{
  const gchar *key;
  const gchar *text;
  const gchar *range;
} ranges[] = {
  {"threshold_level", "7", "a number from -90.5 to 0 dBFS"},
  {"order", "0", "a whole number from 1 to 9"},
  {"on", "maybe", "true or false"},
  {"mode", "loud", "one of soft, very hard"},
  {"name", "\xff", "a text in UTF-8"},
};

GST_START_TEST (test_a_refusal_names_key_value_and_range)
{
  g_autoptr (NdaPyDescription) d = parse_whole ();
  const NdaPyDeclaration *declaration = nda_py_description_get (d,
      nda_py_description_find (d, ranges[__i__].key));
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  nda_py_declaration_parse (declaration, ranges[__i__].text, &value, &error);

  fail_unless (strstr (error->message, ranges[__i__].key) != NULL);
  fail_unless (strstr (error->message, ranges[__i__].text) != NULL);
  fail_unless (strstr (error->message, ranges[__i__].range) != NULL,
      "%s", error->message);
}

GST_END_TEST;

GST_START_TEST (test_a_refused_secret_is_not_told)
{
  g_autoptr (NdaPyDescription) d = parse_whole ();
  const NdaPyDeclaration *token = nda_py_description_get (d, 5);
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  nda_py_declaration_parse (token, "s3cret\xff", &value, &error);

  fail_unless (strstr (error->message, "token") != NULL);
  fail_unless (strstr (error->message, "s3cret") == NULL);
}

GST_END_TEST;

GST_START_TEST (test_a_number_is_no_number_to_check)
{
  g_autoptr (NdaPyDescription) d = parse_whole ();
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_value_set_double (&value, NAN);

  fail_if (nda_py_declaration_check (nda_py_description_get (d, 0), &value,
          &error));
  fail_unless (strstr (error->message, "nan") != NULL, "%s", error->message);
}

GST_END_TEST;

static Suite *
description_suite (void)
{
  Suite *s = suite_create ("description");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_all_that_is_declared_is_read);
  tcase_add_test (tc, test_parameters_stand_in_the_order_of_their_declaration);
  tcase_add_test (tc, test_a_name_that_every_object_has_is_told_apart);
  tcase_add_loop_test (tc, test_a_wrong_text_is_refused_and_the_place_named,
      0, G_N_ELEMENTS (wrong));
  tcase_add_loop_test (tc, test_a_value_that_fits_is_read_and_no_other,
      0, G_N_ELEMENTS (values));
  tcase_add_loop_test (tc, test_a_refusal_names_key_value_and_range,
      0, G_N_ELEMENTS (ranges));
  tcase_add_test (tc, test_a_refused_secret_is_not_told);
  tcase_add_test (tc, test_a_number_is_no_number_to_check);
  return s;
}

GST_CHECK_MAIN (description);
