/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Real-time priority, as this machine gives it; and as RealtimeKit gives it,
 * for which a bus of the test's own stands. */

#define _GNU_SOURCE

#include <gst/check/gstcheck.h>

#include <gio/gio.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ndarealtime.h"

/* --- threads --- */

static gint
get_policy (void)
{
  return sched_getscheduler (0) & ~SCHED_RESET_ON_FORK;
}

typedef struct
{
  NdaRealtimeSource source;
  gint policy_within, policy_after;
  gint priority;
  gboolean was_known;
} Visit;

static gpointer
visit (gpointer data)
{
  Visit *visit = data;
  gint thread = nda_realtime_get_thread ();
  struct sched_param param;

  visit->source = nda_realtime_enter (thread, NDA_REALTIME_DEVICE_PRIORITY,
      NULL);
  visit->policy_within = get_policy ();
  sched_getparam (0, &param);
  visit->priority = param.sched_priority;
  visit->was_known = nda_realtime_leave (thread);
  visit->policy_after = get_policy ();
  return NULL;
}

static gboolean
may_be_realtime (void)
{
  const struct sched_param realtime = {.sched_priority = 1 };
  const struct sched_param ordinary = {.sched_priority = 0 };

  if (sched_setscheduler (0, SCHED_RR | SCHED_RESET_ON_FORK, &realtime) != 0)
    return FALSE;
  sched_setscheduler (0, SCHED_OTHER, &ordinary);
  return TRUE;
}

GST_START_TEST (test_thread_gets_priority_and_gives_it_back)
{
  Visit visited = { 0, };

  if (!may_be_realtime ())
    return;
  g_thread_join (g_thread_new ("visit", visit, &visited));

  fail_unless_equals_int (visited.source, NDA_REALTIME_DIRECT);
  fail_unless_equals_int (visited.policy_within, SCHED_RR);
  fail_unless_equals_int (visited.priority, NDA_REALTIME_DEVICE_PRIORITY);
  fail_unless (visited.was_known);
  fail_unless_equals_int (visited.policy_after, SCHED_OTHER);
}

GST_END_TEST;

GST_START_TEST (test_thread_without_priority_is_left_alone)
{
  fail_if (nda_realtime_leave (nda_realtime_get_thread ()));
}

GST_END_TEST;

/* Computes until the kernel's limit has taken the priority back. */
static gpointer
run_away (gpointer data)
{
  gint *policy = data;

  nda_realtime_enter (nda_realtime_get_thread (),
      NDA_REALTIME_PLUGIN_PRIORITY, NULL);
  while (get_policy () != SCHED_OTHER);
  *policy = get_policy ();
  nda_realtime_leave (nda_realtime_get_thread ());
  return NULL;
}

GST_START_TEST (test_runaway_thread_loses_its_priority_and_nobody_dies)
{
  guint n_revoked = nda_realtime_get_n_revoked ();
  gint policy = -1;

  if (!may_be_realtime ())
    return;
  g_thread_join (g_thread_new ("runaway", run_away, &policy));

  fail_unless_equals_int (policy, SCHED_OTHER);
  fail_unless (nda_realtime_get_n_revoked () > n_revoked);
}

GST_END_TEST;

/* --- RealtimeKit --- */

typedef struct
{
  GMainLoop *loop;              /* owned */
  GDBusConnection *bus;         /* owned */
  GDBusNodeInfo *info;          /* owned */
  gint64 max_run;               /* [const] us */
  gboolean refuses;             /* [const] */
  gint n_calls;                 /* [atomic] */
  gint thread, priority;        /* [atomic] of the last call */
} Kit;

static const gchar xml[] =
    "<node><interface name='org.freedesktop.RealtimeKit1'>"
    "<method name='MakeThreadRealtime'>"
    "<arg type='t' direction='in'/><arg type='u' direction='in'/></method>"
    "<property name='RTTimeUSecMax' type='x' access='read'/>"
    "<property name='MaxRealtimePriority' type='i' access='read'/>"
    "</interface></node>";

static void
on_call (GDBusConnection * bus, const gchar * sender, const gchar * path,
    const gchar * interface, const gchar * method, GVariant * arguments,
    GDBusMethodInvocation * invocation, gpointer user_data)
{
  Kit *kit = user_data;
  guint64 thread;
  guint32 priority;

  g_variant_get (arguments, "(tu)", &thread, &priority);
  g_atomic_int_set (&kit->thread, thread);
  g_atomic_int_set (&kit->priority, priority);
  g_atomic_int_inc (&kit->n_calls);
  if (kit->refuses)
    g_dbus_method_invocation_return_dbus_error (invocation,
        "org.freedesktop.DBus.Error.AccessDenied", "not today");
  else
    g_dbus_method_invocation_return_value (invocation, NULL);
}

static GVariant *
on_get (GDBusConnection * bus, const gchar * sender, const gchar * path,
    const gchar * interface, const gchar * property, GError ** error,
    gpointer user_data)
{
  Kit *kit = user_data;

  return g_str_equal (property, "RTTimeUSecMax") ?
      g_variant_new_int64 (kit->max_run) : g_variant_new_int32 (8);
}

static gpointer
serve (gpointer data)
{
  Kit *kit = data;

  g_main_context_push_thread_default (g_main_loop_get_context (kit->loop));
  g_main_loop_run (kit->loop);
  g_main_context_pop_thread_default (g_main_loop_get_context (kit->loop));
  return NULL;
}

/* Registers @kit at @address; it answers on a thread of its own. */
static GThread *
open_kit (Kit * kit, const gchar * address)
{
  static const GDBusInterfaceVTable table = { on_call, on_get, NULL, {NULL} };
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GVariant) reply = NULL;

  kit->loop = g_main_loop_new (context, FALSE);
  kit->bus = g_dbus_connection_new_for_address_sync (address,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
      | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL, NULL, NULL);
  fail_unless (kit->bus != NULL);
  kit->info = g_dbus_node_info_new_for_xml (xml, NULL);
  g_main_context_push_thread_default (context);
  fail_unless (g_dbus_connection_register_object (kit->bus,
          "/org/freedesktop/RealtimeKit1", kit->info->interfaces[0], &table,
          kit, NULL, NULL) > 0);
  g_main_context_pop_thread_default (context);
  reply = g_dbus_connection_call_sync (kit->bus, "org.freedesktop.DBus",
      "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
      g_variant_new ("(su)", "org.freedesktop.RealtimeKit1", 0),
      G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
  fail_unless (reply != NULL);
  return g_thread_new ("kit", serve, kit);
}

static void
close_kit (Kit * kit, GThread * server)
{
  g_main_loop_quit (kit->loop);
  g_thread_join (server);
  g_dbus_node_info_unref (kit->info);
  g_object_unref (kit->bus);
  g_main_loop_unref (kit->loop);
}

/* What an ordinary user may do */
static void
give_up_rights (void)
{
  struct __user_cap_header_struct header = {
    .version = _LINUX_CAPABILITY_VERSION_3
  };
  struct __user_cap_data_struct data[2];
  const struct rlimit none = { 0, 0 };

  setrlimit (RLIMIT_RTPRIO, &none);
  fail_unless (syscall (SYS_capget, &header, data) == 0);
  data[CAP_SYS_NICE / 32].effective &= ~(1u << (CAP_SYS_NICE % 32));
  fail_unless (syscall (SYS_capset, &header, data) == 0);
}

static GTestDBus *
start_bus (void)
{
  g_autofree gchar *daemon = g_find_program_in_path ("dbus-daemon");
  GTestDBus *bus;

  if (!daemon)
    return NULL;
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address (bus), TRUE);
  return bus;
}

static void
stop_bus (GTestDBus * bus)
{
  g_test_dbus_stop (bus);
  g_object_unref (bus);
}

GST_START_TEST (test_realtime_kit_is_asked_where_the_limits_forbid_it)
{
  GTestDBus *bus = start_bus ();
  Kit kit = {.max_run = 200000 };
  struct rlimit limit;
  GThread *server;
  NdaRealtimeSource source;

  if (!bus)
    return;
  server = open_kit (&kit, g_test_dbus_get_bus_address (bus));
  give_up_rights ();
  source = nda_realtime_enter (nda_realtime_get_thread (), 99, NULL);
  getrlimit (RLIMIT_RTTIME, &limit);

  fail_unless_equals_int (source, NDA_REALTIME_RTKIT);
  fail_unless_equals_int (g_atomic_int_get (&kit.thread),
      nda_realtime_get_thread ());
  fail_unless_equals_int (g_atomic_int_get (&kit.priority), 8);
  /* what RealtimeKit asks for, and the signal well before it */
  fail_unless_equals_uint64 (limit.rlim_max, 200000);
  fail_unless_equals_uint64 (limit.rlim_cur, 100000);
  fail_unless (nda_realtime_leave (nda_realtime_get_thread ()));
  close_kit (&kit, server);
  stop_bus (bus);
}

GST_END_TEST;

GST_START_TEST (test_refusal_of_realtime_kit_is_told)
{
  GTestDBus *bus = start_bus ();
  Kit kit = {.max_run = 200000,.refuses = TRUE };
  g_autofree gchar *problem = NULL;
  GThread *server;
  NdaRealtimeSource source;

  if (!bus)
    return;
  server = open_kit (&kit, g_test_dbus_get_bus_address (bus));
  give_up_rights ();
  source = nda_realtime_enter (nda_realtime_get_thread (), 5, &problem);

  fail_unless_equals_int (source, NDA_REALTIME_NONE);
  fail_unless_equals_int (g_atomic_int_get (&kit.n_calls), 1);
  fail_unless (strstr (problem, "not today") != NULL);
  fail_if (nda_realtime_leave (nda_realtime_get_thread ()));
  close_kit (&kit, server);
  stop_bus (bus);
}

GST_END_TEST;

static void
handle (int signal)
{
}

GST_START_TEST (test_application_keeps_its_own_signal_handler)
{
  struct sigaction own = {.sa_handler = handle }, after;
  GTestDBus *bus = start_bus ();
  Kit kit = {.max_run = 200000 };
  GThread *server;

  if (!bus)
    return;
  sigaction (SIGXCPU, &own, NULL);
  server = open_kit (&kit, g_test_dbus_get_bus_address (bus));
  give_up_rights ();

  fail_unless_equals_int (nda_realtime_enter (nda_realtime_get_thread (), 5,
          NULL), NDA_REALTIME_NONE);
  fail_unless_equals_int (g_atomic_int_get (&kit.n_calls), 0);
  sigaction (SIGXCPU, NULL, &after);
  fail_unless (after.sa_handler == handle);
  close_kit (&kit, server);
  stop_bus (bus);
}

GST_END_TEST;

static Suite *
realtime_suite (void)
{
  Suite *suite = suite_create ("realtime");
  TCase *chain = tcase_create ("general");

  suite_add_tcase (suite, chain);
  tcase_add_test (chain, test_thread_gets_priority_and_gives_it_back);
  tcase_add_test (chain, test_thread_without_priority_is_left_alone);
  tcase_add_test (chain,
      test_runaway_thread_loses_its_priority_and_nobody_dies);
  tcase_add_test (chain, test_realtime_kit_is_asked_where_the_limits_forbid_it);
  tcase_add_test (chain, test_refusal_of_realtime_kit_is_told);
  tcase_add_test (chain, test_application_keeps_its_own_signal_handler);
  return suite;
}

GST_CHECK_MAIN (realtime);
