/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "ndartkit.h"

#define NAME "org.freedesktop.RealtimeKit1"
#define PATH "/org/freedesktop/RealtimeKit1"
/* RealtimeKit is started by the first call */
#define TIMEOUT_MS 2000

static GVariant *
call (const gchar * interface, const gchar * method, GVariant * arguments,
    const gchar * reply, GError ** error)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (arguments);
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL,
      error);

  if (!bus)
    return NULL;
  return g_dbus_connection_call_sync (bus, NAME, PATH, interface, method,
      owned, G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL,
      error);
}

static GVariant *
get_property (const gchar * name, GError ** error)
{
  g_autoptr (GVariant) reply = call ("org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", NAME, name), "(v)", error);
  GVariant *value = NULL;

  if (reply)
    g_variant_get (reply, "(v)", &value);
  return value;
}

static gboolean
get_int (const gchar * name, gint64 * value, GError ** error)
{
  g_autoptr (GVariant) property = get_property (name, error);

  if (!property)
    return FALSE;
  if (g_variant_is_of_type (property, G_VARIANT_TYPE_INT64)) {
    *value = g_variant_get_int64 (property);
  } else if (g_variant_is_of_type (property, G_VARIANT_TYPE_INT32)) {
    *value = g_variant_get_int32 (property);
  } else {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "%s of RealtimeKit is no number", name);
    return FALSE;
  }
  return TRUE;
}

gboolean
nda_rtkit_get_limits (gint64 * max_run, gint * max_priority, GError ** error)
{
  gint64 run, priority;

  if (!get_int ("RTTimeUSecMax", &run, error)
      || !get_int ("MaxRealtimePriority", &priority, error))
    return FALSE;
  *max_run = run;
  *max_priority = CLAMP (priority, 1, 99);
  return TRUE;
}

gboolean
nda_rtkit_make_realtime (gint thread, guint priority, GError ** error)
{
  g_autoptr (GVariant) reply = call (NAME, "MakeThreadRealtime",
      g_variant_new ("(tu)", (guint64) thread, priority), "()", error);

  return reply != NULL;
}
