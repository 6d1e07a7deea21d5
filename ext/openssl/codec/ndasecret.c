/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasecret.h"

#include "ndacryptoerror.h"

#include <glib/gi18n-lib.h>

#include <openssl/crypto.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static gsize
whole_pages (gsize n_bytes)
{
  gsize page = sysconf (_SC_PAGESIZE);

  return (n_bytes + page - 1) / page * page;
}

static gboolean
protect (gpointer data, gsize n_bytes)
{
  /* without this a child process would use its parent's keys and counters */
  if (madvise (data, n_bytes, MADV_WIPEONFORK))
    return FALSE;
  if (madvise (data, n_bytes, MADV_DONTDUMP))
    g_info ("keys may get into core dumps: %s", g_strerror (errno));
  if (mlock (data, n_bytes))
    g_info ("keys may be swapped out: %s", g_strerror (errno));
  return TRUE;
}

NdaSecret *
nda_secret_new (gsize n_bytes, GError ** error)
{
  NdaSecret *self;
  gsize n_mapped = whole_pages (n_bytes);
  gpointer data = mmap (NULL, n_mapped, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (data == MAP_FAILED || !protect (data, n_mapped)) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_FAILED,
        _("The system gives no memory that is fit for keys: %s. Nothing is "
            "encrypted or decrypted without it."), g_strerror (errno));
    if (data != MAP_FAILED)
      munmap (data, n_mapped);
    return NULL;
  }
  self = g_new (NdaSecret, 1);
  self->data = data;
  self->n_bytes = n_bytes;
  return self;
}

void
nda_secret_free (NdaSecret * self)
{
  if (!self)
    return;
  OPENSSL_cleanse (self->data, self->n_bytes);
  munmap (self->data, whole_pages (self->n_bytes));
  g_free (self);
}
