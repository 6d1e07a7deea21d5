/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* nda-key: creates a key file, and says what is in one without showing it.
 *
 *     nda-key gen FILE      32 random bytes that only you can read
 *     nda-key info FILE     the keys in it, by their fingerprints and key ids
 *
 * `nda keygen` and `nda keyinfo` run it. */

#include "config.h"

#include "ndakeyfile.h"

#include <glib/gi18n-lib.h>

#include <locale.h>

static void
print_key (const NdaKeyInfo * info)
{
  g_autofree gchar *kid = g_strdup_printf ("%016" G_GINT64_MODIFIER "x",
      info->kid);

  if (info->kind == NDA_KEY_BASE) {
    g_print (_("base key for key id %s, suite %u\n"), kid, info->suite);
    return;
  }
  g_print ("%s ", _("master key, fingerprint"));
  for (guint i = 0; i < NDA_FINGERPRINT; i++)
    g_print ("%02x", info->fingerprint[i]);
  g_print ("\n");
}

static gboolean
print_keys (const gchar * path, GError ** error)
{
  g_autoptr (NdaKeyring) ring = nda_keyring_new (error);
  NdaKeyInfo info;

  if (!ring || !nda_key_file_load (ring, path, error))
    return FALSE;
  for (guint i = 0; nda_keyring_get_info (ring, i, &info); i++)
    print_key (&info);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  if (argc == 3 && g_str_equal (argv[1], "gen")) {
    ok = nda_key_file_create (argv[2], &error)
        && print_keys (argv[2], &error);
  } else if (argc == 3 && g_str_equal (argv[1], "info")) {
    ok = print_keys (argv[2], &error);
  } else {
    g_printerr (_("Usage: nda-key gen FILE, or nda-key info FILE\n"));
    return 2;
  }
  if (!ok)
    g_printerr ("nda-key: %s\n", error->message);
  return ok ? 0 : 1;
}
