/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The parameters of a plugin as properties of the child, from many threads and
 * in every state. */

#include "config.h"

#include "bridge.h"

#include <glib/gstdio.h>

#define N_CHANGES 300
#define N_CYCLES 5

/* Puts out its number; each half of a block says what it is then. */
static const gchar plugin[] =
    "from nda import Int, Processor\n"
    "class Number(Processor):\n"
    "    number = Int(7, 0, 1000000)\n"
    "    def process(self, block):\n"
    "        block[:, :256] = self.number\n"
    "        block[:, 256:] = self.number\n";

static gchar *folder, *path;

static void
setup (void)
{
  folder = g_dir_make_tmp ("nda-parameters-XXXXXX", NULL);
  path = g_build_filename (folder, "number.py", NULL);
  fail_unless (g_file_set_contents (path, plugin, -1, NULL));
}

static void
teardown (void)
{
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}

static GObject *
get_child (GstElement * element)
{
  GObject *child =
      gst_child_proxy_get_child_by_name (GST_CHILD_PROXY (element), "plugin");

  fail_unless (child != NULL);
  return child;
}

/* What a block becomes: one number, from its first frame to its last. */
static gint
get_number (GstHarness * h)
{
  const gsize n_bytes = BLOCK * sizeof (gfloat);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_bytes, NULL);
  GstMapInfo map;
  gint number;

  gst_buffer_memset (buffer, 0, 0, n_bytes);
  GST_BUFFER_PTS (buffer) = 0;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  buffer = gst_harness_pull (h);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  number = ((gfloat *) map.data)[0];
  for (guint i = 0; i < BLOCK; i++)
    fail_unless_equals_int (((gfloat *) map.data)[i], number);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return number;
}

GST_START_TEST (test_a_property_is_set_in_null_and_while_playing)
{
  GstHarness *h = make_harness (path, NULL);
  g_autoptr (GObject) child = get_child (h->element);
  gint number;

  g_object_get (child, "number", &number, NULL);
  fail_unless_equals_int (number, 7);
  gst_child_proxy_set (GST_CHILD_PROXY (h->element), "plugin::number", 8, NULL);
  gst_harness_set_src_caps_str (h, MONO);
  fail_unless_equals_int (get_number (h), 8);
  g_object_set (child, "number", 9, NULL);
  fail_unless_equals_int (get_number (h), 9);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* GObject has nothing critical to say of it, which would end this program. */
GST_START_TEST (test_a_value_out_of_range_is_refused)
{
  GstHarness *h = make_harness (path, MONO);
  g_autoptr (GObject) child = get_child (h->element);
  gint number;

  g_object_set (child, "number", -1, NULL);
  g_object_get (child, "number", &number, NULL);
  fail_unless_equals_int (number, 7);
  fail_unless_equals_int (get_number (h), 7);
  gst_harness_teardown (h);
}

GST_END_TEST;

typedef struct
{
  GObject *child;
  gint first;
} Changes;

static gpointer
change_often (gpointer data)
{
  Changes *changes = data;

  for (gint i = 0; i < N_CHANGES; i++)
    g_object_set (changes->child, "number", changes->first + i, NULL);
  return NULL;
}

/* The last value that the child took is the last that the plugin got. */
GST_START_TEST (test_threads_that_set_one_property_agree_in_the_end)
{
  GstHarness *h = make_harness (path, MONO);
  g_autoptr (GObject) child = get_child (h->element);
  Changes changes[] = { {child, 1000}, {child, 2000}, {child, 3000}
  };
  GThread *threads[G_N_ELEMENTS (changes)];
  gint number;

  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    threads[i] = g_thread_new ("set", change_often, &changes[i]);
  for (guint i = 0; i < 50; i++)
    get_number (h);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    g_thread_join (threads[i]);

  g_object_get (child, "number", &number, NULL);
  fail_unless_equals_int (number % 1000, N_CHANGES - 1);
  fail_unless_equals_int (get_number (h), number);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_a_property_is_set_while_states_change)
{
  GstHarness *h = make_harness (path, NULL);
  g_autoptr (GObject) child = get_child (h->element);
  Changes changes = { child, 1000 };
  gint number;

  for (guint i = 0; i < N_CYCLES; i++) {
    GThread *thread = g_thread_new ("set", change_often, &changes);

    gst_element_set_state (h->element, GST_STATE_NULL);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    g_thread_join (thread);
    g_object_get (child, "number", &number, NULL);
    fail_unless_equals_int (number, 1000 + N_CHANGES - 1);
  }
  gst_harness_set_src_caps_str (h, MONO);
  fail_unless_equals_int (get_number (h), number);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Two that ask at once have one child. */
static gpointer
ask_for_child (gpointer element)
{
  return get_child (element);
}

GST_START_TEST (test_threads_that_ask_at_once_get_one_child)
{
  GstElement *element = gst_element_factory_make ("ndapybridge", NULL);
  GThread *threads[3];
  GObject *children[3];

  g_object_set (element, "plugin", path, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("ask", ask_for_child, element);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    children[i] = g_thread_join (threads[i]);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    fail_unless (children[i] == children[0]);
    g_object_unref (children[i]);
  }
  gst_object_unref (element);
}

GST_END_TEST;

GST_START_TEST (test_the_child_outlives_its_element)
{
  GstElement *element = gst_element_factory_make ("ndapybridge", NULL);
  g_autoptr (GObject) child = NULL;
  gint number;

  g_object_set (element, "plugin", path, NULL);
  child = get_child (element);
  gst_object_unref (element);
  g_object_set (child, "number", 12, NULL);
  g_object_set (child, "number", -12, NULL);
  g_object_get (child, "number", &number, NULL);

  fail_unless_equals_int (number, 12);
  ASSERT_OBJECT_REFCOUNT (child, "child", 1);
}

GST_END_TEST;

static Suite *
parameters_suite (void)
{
  Suite *s = suite_create ("parameters");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_a_property_is_set_in_null_and_while_playing);
  tcase_add_test (tc, test_a_value_out_of_range_is_refused);
  tcase_add_test (tc, test_threads_that_set_one_property_agree_in_the_end);
  tcase_add_test (tc, test_a_property_is_set_while_states_change);
  tcase_add_test (tc, test_threads_that_ask_at_once_get_one_child);
  tcase_add_test (tc, test_the_child_outlives_its_element);
  return s;
}

GST_CHECK_MAIN (parameters);
