/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sources of keys for ndaencrypt and ndadecrypt: files, when the element
 * leaves NULL, and the application, at any time. */

#include "config.h"

#include "ndacrypto.h"

#include "ndakeyfile.h"

#include <glib/gi18n-lib.h>

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (nda_crypto_debug);
#define GST_CAT_DEFAULT nda_crypto_debug

/* --- from files --- */

typedef struct
{
  NdaKeyring *ring;
  const NdaCryptoSettings *settings;
  GError *error;
} Stretching;

static gpointer
nda_crypto_stretch (gpointer data)
{
  Stretching *s = data;

  return GINT_TO_POINTER (nda_key_file_load_passphrase (s->ring,
          s->settings->passphrase_file, s->settings->passphrase_salt,
          &s->error));
}

/* Makes a key of a passphrase, which takes half a second, on a separate thread:
 * an element that is added while data flows has its state changed by a
 * streaming thread, whose stack and priority are not made for this work. */
static gboolean
load_passphrase (NdaCrypto * self, const NdaCryptoSettings * settings,
    GError ** error)
{
  g_autoptr (GError) no_thread = NULL;
  Stretching s = { self->ring, settings, NULL };
  GThread *thread =
      g_thread_try_new ("nda-scrypt", nda_crypto_stretch, &s, &no_thread);
  gboolean ok;

  if (!thread) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_FAILED,
        _("The system gives no thread that makes a key of the passphrase: %s. "
            "“ulimit -a” shows the limits of this program."),
        no_thread->message);
    return FALSE;
  }
  ok = GPOINTER_TO_INT (g_thread_join (thread));
  if (s.error)
    g_propagate_error (error, s.error);
  return ok;
}

static gboolean
check_context (const NdaCryptoSettings * settings, GError ** error)
{
  gsize n = strlen (settings->context);

  if (n <= NDA_CONTEXT_MAX)
    return TRUE;
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
      _("A context has at most %d bytes, and this one has %u. "
          "Set “context” to a shorter name."), NDA_CONTEXT_MAX, (guint) n);
  return FALSE;
}

static void
copy_settings (NdaCrypto * self, NdaCryptoSettings * copy)
{
  GST_OBJECT_LOCK (self);
  *copy = self->settings;
  copy->key_file = g_strdup (copy->key_file);
  copy->passphrase_file = g_strdup (copy->passphrase_file);
  copy->passphrase_salt = g_strdup (copy->passphrase_salt);
  copy->context = g_strdup (copy->context);
  GST_OBJECT_UNLOCK (self);
}

/* Frees the texts. */
void
nda_crypto_settings_clear (NdaCryptoSettings * settings)
{
  g_free (settings->key_file);
  g_free (settings->passphrase_file);
  g_free (settings->passphrase_salt);
  g_free (settings->context);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NdaCryptoSettings, nda_crypto_settings_clear);

static void
log_keys (NdaCrypto * self)
{
  NdaKeyInfo info;

  for (guint i = 0; nda_keyring_get_info (self->ring, i, &info); i++) {
    if (info.kind == NDA_KEY_BASE)
      GST_INFO_OBJECT (self, "holds a base key for KID %016" G_GINT64_MODIFIER
          "x, suite %u", info.kid, info.suite);
    else
      GST_INFO_OBJECT (self, "holds a master key, fingerprint "
          "%02x%02x%02x%02x%02x%02x%02x%02x", info.fingerprint[0],
          info.fingerprint[1], info.fingerprint[2], info.fingerprint[3],
          info.fingerprint[4], info.fingerprint[5], info.fingerprint[6],
          info.fingerprint[7]);
  }
}

/* Reads the keys that the settings name; all of them or none. */
gboolean
nda_crypto_load_keys (NdaCrypto * self, GError ** error)
{
  g_auto (NdaCryptoSettings) settings = { NULL };

  copy_settings (self, &settings);
  if (!check_context (&settings, error)
      || (settings.key_file
          && !nda_key_file_load (self->ring, settings.key_file, error))
      || (settings.key_fd >= 0
          && !nda_key_file_load_fd (self->ring, settings.key_fd, error))
      || (settings.passphrase_file
          && !load_passphrase (self, &settings, error))) {
    nda_keyring_forget (self->ring, NDA_KEY_FROM_FILE);
    return FALSE;
  }
  log_keys (self);
  return TRUE;
}

/* --- from the application --- */

static gboolean
tell (NdaCrypto * self, const GError * error)
{
  if (error)
    GST_WARNING_OBJECT (self, "key refused: %s", error->message);
  return error == NULL;
}

static gboolean
nda_crypto_set_master_key (NdaCrypto * self, GBytes * key)
{
  g_autoptr (GError) error = NULL;
  gsize n;
  const guint8 *bytes;

  if (self->init_error)
    return tell (self, self->init_error);
  if (!key) {
    nda_keyring_forget_masters (self->ring, NDA_KEY_FROM_ACTION);
    return TRUE;
  }
  bytes = g_bytes_get_data (key, &n);
  nda_keyring_add_master (self->ring, NDA_KEY_FROM_ACTION, bytes, n, &error);
  return tell (self, error);
}

static gboolean
nda_crypto_add_key (NdaCrypto * self, guint64 kid, guint suite, GBytes * key)
{
  g_autoptr (GError) error = NULL;
  gsize n = 0;
  const guint8 *bytes = key ? g_bytes_get_data (key, &n) : NULL;

  if (self->init_error)
    return tell (self, self->init_error);
  nda_keyring_add_base (self->ring, NDA_KEY_FROM_ACTION, kid, suite, bytes, n,
      &error);
  return tell (self, error);
}

static gboolean
nda_crypto_remove_key (NdaCrypto * self, guint64 kid)
{
  return !self->init_error && nda_keyring_remove_base (self->ring, kid);
}

/* For the init function of the class. */
void
nda_crypto_install_actions (NdaCryptoClass * class)
{
  GType type = G_TYPE_FROM_CLASS (class);
  const GSignalFlags flags = G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION;

  /**
   * NdaCrypto::set-master-key:
   * @key: (nullable): 32 bytes
   *
   * Gives a master key. ndaencrypt sends with it from its next session on (see
   * #NdaEncrypt::rekey), ndadecrypt holds it beside the others: the last 8 are
   * kept. NULL removes all that were given so.
   *
   * Returns: whether it is one
   */
  g_signal_new_class_handler ("set-master-key", type, flags,
      G_CALLBACK (nda_crypto_set_master_key), NULL, NULL, NULL, G_TYPE_BOOLEAN,
      1, G_TYPE_BYTES);

  /**
   * NdaCrypto::add-key:
   * @kid: key id, below 2^63
   * @suite: cipher suite, 1 to 5
   * @key: base key of 16 to 64 bytes
   *
   * Gives an explicit base key, in place of one of the same key id.
   *
   * Returns: whether it is one
   */
  g_signal_new_class_handler ("add-key", type, flags,
      G_CALLBACK (nda_crypto_add_key), NULL, NULL, NULL, G_TYPE_BOOLEAN, 3,
      G_TYPE_UINT64, G_TYPE_UINT, G_TYPE_BYTES);

  /**
   * NdaCrypto::remove-key:
   * @kid: key id
   *
   * Removes the explicit base key of that key id.
   *
   * Returns: whether there was one
   */
  g_signal_new_class_handler ("remove-key", type, flags,
      G_CALLBACK (nda_crypto_remove_key), NULL, NULL, NULL, G_TYPE_BOOLEAN, 1,
      G_TYPE_UINT64);
}
