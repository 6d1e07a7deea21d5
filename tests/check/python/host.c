/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The host with a runner that is no plugin at all: in which order it calls
 * what, whether the runner starts on the block thread or anywhere. The test's
 * thread is the block thread. */

#include "config.h"

#include "ndapyhost.h"

#include <gst/check/gstcheck.h>

#define N_FRAMES 512

typedef struct
{
  NdaPyRunner parent;
  const NdaPyRunnerConfig *config;
  guint number;                 /* of those opened, from 1 */
  gchar *level;                 /* owned; its one parameter */
} Fake;

static GString *calls;          /* what was called, and of which */
static GString *events;         /* what the owner was told */
static guint n_opened;
static guint bad_start;         /* the number of one that does not start */
static guint odd_start;         /* of one that starts with one frame less */
static NdaPyHost *busy;         /* its parameter is set in the next call */
static NdaPyHost *to_stop;      /* is stopped during a start of the second */
static GThread *stopper;        /* that does so */
static GMutex lock;             /* of calls */
static GCond changed;           /* calls */

static Fake *
note (NdaPyRunner * runner, const gchar * call)
{
  Fake *self = (Fake *) runner;

  g_mutex_lock (&lock);
  g_string_append_printf (calls, "%s%u ", call, self->number);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  return self;
}

static NdaPyRunner *
open_as (const NdaPyRunnerKind * kind, const NdaPyRunnerConfig * config,
    GError ** error)
{
  Fake *self;

  if (g_str_equal (config->path, "bad")) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, "bad");
    return NULL;
  }
  self = g_new0 (Fake, 1);
  nda_py_runner_init (&self->parent, kind);
  self->config = config;
  self->number = ++n_opened;
  self->level = g_strdup ("0");
  note (&self->parent, "open");
  return &self->parent;
}

static void
fake_close (NdaPyRunner * runner)
{
  Fake *self = note (runner, "close");

  g_free (self->level);
  g_free (self);
}

static gpointer
stop_host (gpointer host)
{
  return GINT_TO_POINTER (nda_py_host_stop (host));
}

/* Returns when the one before has been stopped. */
static void
begin_to_stop (NdaPyHost * host)
{
  stopper = g_thread_new ("stopper", stop_host, host);
  g_mutex_lock (&lock);
  while (!strstr (calls->str, "stop1"))
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

static gboolean
fake_start (NdaPyRunner * runner, NdaPyFormat * format, GError ** error)
{
  Fake *self = note (runner, "start");

  if (self->number == 2 && to_stop)
    begin_to_stop (g_steal_pointer (&to_stop));
  *format = (NdaPyFormat) {
  48000, 2, N_FRAMES - (self->number == odd_start)};
  if (self->number != bad_start)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, "no start");
  return FALSE;
}

static void
fake_stop (NdaPyRunner * runner)
{
  note (runner, "stop");
}

static gchar *
fake_set_parameter (NdaPyRunner * runner, const gchar * key,
    const gchar * value)
{
  Fake *self = (Fake *) runner;

  g_string_append_printf (calls, "%s=%s:%u ", key, value, self->number);
  if (g_str_equal (value, "refused"))
    return g_strdup ("it returned False\nand more");
  g_free (self->level);
  self->level = g_strdup (value);
  return NULL;
}

static gchar *
fake_get_parameter (NdaPyRunner * runner, const gchar * key)
{
  return g_strdup (((Fake *) runner)->level);
}

static void
fake_get_facts (NdaPyRunner * runner, NdaPyFacts * facts)
{
  *facts = (NdaPyFacts) {
  .latency = ((Fake *) runner)->number,.n_channels = 2};
}

static NdaPyCallResult
fake_call (NdaPyRunner * runner, const NdaPyAudio * in, const NdaPyAudio * out,
    guint n_frames, gboolean is_gated)
{
  NdaPyHost *host = g_steal_pointer (&busy);

  note (runner, "call");
  if (host)
    fail_unless (nda_py_host_set_parameter (host, "level", "5"));
  return NDA_PY_CALL_OK;
}

static gchar *
fake_take_error (NdaPyRunner * runner)
{
  return g_strdup ("failed");
}

static void
fake_interrupt (NdaPyRunner * runner)
{
  note (runner, "interrupt");
}

static NdaPyRunner *open_anywhere (const NdaPyRunnerConfig * config,
    GError ** error);
static NdaPyRunner *open_bound (const NdaPyRunnerConfig * config,
    GError ** error);

#define FAKE_KIND(open_function, is_bound) { \
    .open = open_function, .starts_on_block_thread = is_bound, \
    .close = fake_close, .start = fake_start, .stop = fake_stop, \
    .set_parameter = fake_set_parameter, \
    .get_parameter = fake_get_parameter, .get_facts = fake_get_facts, \
    .call = fake_call, .take_error = fake_take_error, \
    .interrupt = fake_interrupt \
  }

static const NdaPyRunnerKind kinds[] = {
  FAKE_KIND (open_anywhere, FALSE),
  FAKE_KIND (open_bound, TRUE),
};

static NdaPyRunner *
open_anywhere (const NdaPyRunnerConfig * config, GError ** error)
{
  return open_as (&kinds[0], config, error);
}

static NdaPyRunner *
open_bound (const NdaPyRunnerConfig * config, GError ** error)
{
  return open_as (&kinds[1], config, error);
}

/* --- the owner ---------------------------------------------------------- */

static void
on_refused (gpointer owner, const gchar * text)
{
  g_string_append_printf (events, "refused(%s) ", text);
}

static void
on_warn (gpointer owner, const gchar * text)
{
  g_string_append_printf (events, "warn(%s) ", text);
}

static void
on_nothing (gpointer owner)
{
}

static void
on_reloaded (gpointer owner, const GError * error)
{
  g_string_append (events, error ? "kept " : "reloaded ");
}

static const NdaPyHostEvents host_events = {
  .warn = on_warn,
  .refused = on_refused,
  .latency_changed = on_nothing,
  .restarted = on_nothing,
  .reloaded = on_reloaded,
};

static NdaPyHost *
open_host (NdaPyRole role, guint kind)
{
  NdaPyHost *host = nda_py_host_new (role, &host_events, NULL);
  NdaPyRunnerConfig config = {.path = (gchar *) "good" };
  g_autoptr (GPtrArray) parameters = nda_py_parameters_parse ("level=1", NULL);
  g_autoptr (GError) error = NULL;

  calls = g_string_new (NULL);
  events = g_string_new (NULL);
  n_opened = bad_start = odd_start = 0;
  nda_py_host_open (host, &kinds[kind], &config, parameters, &error);
  g_assert_no_error (error);
  return host;
}

static void
start (NdaPyHost * host)
{
  NdaPyFormat format = {.n_channels = 2 };

  nda_py_host_arm (host);
  fail_unless (nda_py_host_start (host, &format, NULL));
}

static void
process (NdaPyHost * host)
{
  NdaPyBlock block = {.n_frames = N_FRAMES }, *blocks[] = { &block };
  NdaPyFormat format;
  GstClockTime gil_wait;

  nda_py_host_accept_exchange (host, &format);
  fail_unless_equals_int (nda_py_host_process (host, blocks, 1, TRUE,
          &gil_wait), 1);
  fail_unless (block.ok);
}

static void
assert_level (NdaPyHost * host, const gchar * level)
{
  g_autofree gchar *value = nda_py_host_get_parameter (host, "level");

  fail_unless_equals_string (value, level);
}

/* Asserts what was called and told since the last time. */
static void
expect (const gchar * called, const gchar * told)
{
  fail_unless_equals_string (calls->str, called);
  fail_unless_equals_string (events->str, told);
  g_string_truncate (calls, 0);
  g_string_truncate (events, 0);
}

static void
close_host (NdaPyHost * host)
{
  fail_unless (nda_py_host_stop (host));
  nda_py_host_close (host);
  nda_py_host_free (host);
  g_string_free (calls, TRUE);
  g_string_free (events, TRUE);
}

/* --- the tests, with either kind ----------------------------------------- */

GST_START_TEST (test_edited_processor_starts_before_the_other_stops)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, __i__);

  start (host);
  process (host);
  expect ("open1 level=1:1 start1 call1 ", "");
  fail_unless (nda_py_host_reload (host));
  process (host);
  expect ("open2 level=1:2 start2 stop1 close1 call2 ", "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_edited_source_starts_after_the_other_stopped)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_SOURCE, __i__);

  start (host);
  expect ("open1 level=1:1 start1 ", "");
  fail_unless (nda_py_host_reload (host));
  process (host);
  expect ("open2 level=1:2 stop1 start2 close1 call2 ", "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_edited_processor_that_does_not_start_is_dropped)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, __i__);

  start (host);
  expect ("open1 level=1:1 start1 ", "");
  bad_start = 2;
  nda_py_host_reload (host);
  process (host);
  expect ("open2 level=1:2 start2 close2 call1 ", "kept ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_source_goes_on_when_the_edited_one_is_of_other_frames)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_SOURCE, __i__);

  start (host);
  expect ("open1 level=1:1 start1 ", "");
  odd_start = 2;
  nda_py_host_reload (host);
  process (host);
  expect ("open2 level=1:2 stop1 start2 stop2 close2 start1 call1 ", "kept ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_edited_processor_of_another_format_is_accepted_first)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, __i__);
  NdaPyBlock block = {.n_frames = N_FRAMES }, *blocks[] = { &block };
  NdaPyFormat format;
  GstClockTime gil_wait;

  start (host);
  fail_if (nda_py_host_accept_exchange (host, &format));
  odd_start = 2;
  fail_unless (nda_py_host_reload (host));
  fail_unless_equals_int (nda_py_host_process (host, blocks, 1, TRUE,
          &gil_wait), 0);
  fail_unless (nda_py_host_accept_exchange (host, &format));
  fail_unless_equals_int (format.n_frames, N_FRAMES - 1);
  fail_if (nda_py_host_accept_exchange (host, &format));
  process (host);
  expect ("open1 level=1:1 start1 open2 level=1:2 start2 stop1 close1 call2 ",
      "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_plugin_at_rest_is_exchanged_without_a_start)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_SINK, __i__);

  expect ("open1 level=1:1 ", "");
  fail_unless (nda_py_host_reload (host));
  expect ("open2 level=1:2 close1 ", "reloaded ");
  start (host);
  process (host);
  expect ("start2 call2 ", "");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_plugin_whose_start_failed_can_be_exchanged)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, __i__);
  NdaPyFormat format = {.n_channels = 2 };

  bad_start = 1;
  fail_if (nda_py_host_start (host, &format, NULL));
  fail_unless (nda_py_host_is_spent (host));
  expect ("open1 level=1:1 start1 ", "");
  fail_unless (nda_py_host_reload (host));
  fail_if (nda_py_host_is_spent (host));
  start (host);
  expect ("open2 level=1:2 close1 start2 ", "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_parameter_set_after_a_reload_reaches_the_edited_plugin)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, __i__);

  start (host);
  fail_unless (nda_py_host_reload (host));
  fail_unless (nda_py_host_set_parameter (host, "level", "2"));
  process (host);
  assert_level (host, "2");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_parameter_set_in_a_call_waits_for_its_end)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, __i__);

  start (host);
  expect ("open1 level=1:1 start1 ", "");
  busy = host;
  process (host);
  expect ("call1 level=5:1 ", "");
  fail_unless (nda_py_host_reload (host));
  process (host);
  expect ("open2 level=5:2 start2 stop1 close1 call2 ", "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_refused_parameter_is_not_told_the_edited_plugin)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, __i__);

  expect ("open1 level=1:1 ", "");
  fail_if (nda_py_host_set_parameter (host, "level", "refused"));
  expect ("level=refused:1 ", "refused(level: it returned False) ");
  fail_unless (nda_py_host_reload (host));
  expect ("open2 level=1:2 close1 ", "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_start_takes_the_plugin_that_waits)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, 1);

  start (host);
  fail_unless (nda_py_host_reload (host));
  expect ("open1 level=1:1 start1 open2 level=1:2 ", "");
  start (host);
  expect ("stop1 close1 start2 ", "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_only_the_last_of_those_that_wait_is_used)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, 1);

  start (host);
  fail_unless (nda_py_host_reload (host));
  fail_unless (nda_py_host_reload (host));
  process (host);
  expect ("open1 level=1:1 start1 open2 level=1:2 open3 level=1:3 close2 "
      "start3 stop1 close1 call3 ", "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_plugin_that_waits_is_closed_with_the_host)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, 1);
  NdaPyRunnerConfig config = {.path = (gchar *) "good" };
  g_autoptr (GPtrArray) parameters = nda_py_parameters_new ();

  start (host);
  fail_unless (nda_py_host_reload (host));
  fail_unless (nda_py_host_stop (host));
  nda_py_host_close (host);
  expect ("open1 level=1:1 start1 open2 level=1:2 stop1 close2 close1 ", "");

  fail_unless (nda_py_host_open (host, &kinds[1], &config, parameters, NULL));
  start (host);
  process (host);
  expect ("open3 start3 call3 ", "");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_edited_plugin_is_stopped_if_it_starts_during_a_stop)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, 1);
  NdaPyBlock block = {.n_frames = N_FRAMES }, *blocks[] = { &block };
  GstClockTime gil_wait;

  start (host);
  fail_unless (nda_py_host_reload (host));
  expect ("open1 level=1:1 start1 open2 level=1:2 ", "");
  to_stop = host;
  fail_unless_equals_int (nda_py_host_process (host, blocks, 1, TRUE,
          &gil_wait), 0);
  fail_unless (g_thread_join (stopper) != NULL);
  expect ("start2 stop1 stop2 close1 ", "reloaded ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_edit_is_dropped_if_it_starts_during_a_stop)
{
  NdaPyHost *host = open_host (NDA_PY_ROLE_PROCESSOR, 0);

  start (host);
  expect ("open1 level=1:1 start1 ", "");
  to_stop = host;
  fail_if (nda_py_host_reload (host));
  fail_unless (g_thread_join (stopper) != NULL);
  expect ("open2 level=1:2 start2 stop1 stop2 close2 ", "kept ");
  close_host (host);
}

GST_END_TEST;

GST_START_TEST (test_without_a_plugin_nothing_is_done)
{
  NdaPyHost *host = nda_py_host_new (NDA_PY_ROLE_SINK, &host_events, NULL);
  NdaPyRunnerConfig config = {.path = (gchar *) "bad" };
  g_autoptr (GPtrArray) parameters = nda_py_parameters_new ();
  g_autoptr (GError) error = NULL;

  fail_if (nda_py_host_open (host, &kinds[0], &config, parameters, &error));
  fail_unless (g_error_matches (error, GST_LIBRARY_ERROR,
          GST_LIBRARY_ERROR_INIT));
  fail_if (nda_py_host_reload (host));
  fail_if (nda_py_host_set_parameter (host, "level", "1"));
  assert_level (host, "");
  fail_unless (nda_py_host_stop (host));
  nda_py_host_close (host);
  nda_py_host_free (host);
}

GST_END_TEST;

static Suite *
host_suite (void)
{
  Suite *suite = suite_create ("host");
  TCase *tc = tcase_create ("general");
  const gint n = G_N_ELEMENTS (kinds);

  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc,
      test_edited_processor_starts_before_the_other_stops, 0, n);
  tcase_add_loop_test (tc,
      test_edited_source_starts_after_the_other_stopped, 0, n);
  tcase_add_loop_test (tc,
      test_edited_processor_that_does_not_start_is_dropped, 0, n);
  tcase_add_loop_test (tc,
      test_source_goes_on_when_the_edited_one_is_of_other_frames, 0, n);
  tcase_add_loop_test (tc,
      test_edited_processor_of_another_format_is_accepted_first, 0, n);
  tcase_add_loop_test (tc, test_plugin_at_rest_is_exchanged_without_a_start, 0,
      n);
  tcase_add_loop_test (tc, test_plugin_whose_start_failed_can_be_exchanged, 0,
      n);
  tcase_add_loop_test (tc,
      test_parameter_set_after_a_reload_reaches_the_edited_plugin, 0, n);
  tcase_add_loop_test (tc, test_parameter_set_in_a_call_waits_for_its_end, 0,
      n);
  tcase_add_loop_test (tc,
      test_refused_parameter_is_not_told_the_edited_plugin, 0, n);
  tcase_add_test (tc, test_start_takes_the_plugin_that_waits);
  tcase_add_test (tc, test_only_the_last_of_those_that_wait_is_used);
  tcase_add_test (tc, test_plugin_that_waits_is_closed_with_the_host);
  tcase_add_test (tc, test_edited_plugin_is_stopped_if_it_starts_during_a_stop);
  tcase_add_test (tc, test_edit_is_dropped_if_it_starts_during_a_stop);
  tcase_add_test (tc, test_without_a_plugin_nothing_is_done);
  return suite;
}

GST_CHECK_MAIN (host);
