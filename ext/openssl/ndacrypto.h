/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The common part of ndaencrypt and ndadecrypt: the pads, the keys and their
 * sources, context, suite and framing. Keys are read when the element leaves
 * NULL, and cleared when it is back there. Keys that were given by action
 * stay. */

#pragma once

#include "ndacryptoerror.h"
#include "ndakeyring.h"
#include "ndastats.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define NDA_SFRAME_CAPS_NAME "application/x-nda-sframe"

typedef enum
{
  NDA_FRAMING_AUTO,
  NDA_FRAMING_PACKET,
  NDA_FRAMING_STREAM,
} NdaFraming;

/* The settings of the application */
typedef struct
{
  gchar *key_file;              /* owned, like the other texts */
  gint key_fd;                  /* -1: none */
  gchar *passphrase_file;
  gchar *passphrase_salt;
  gchar *context;
  guint suite;                  /* 0: auto */
  NdaFraming framing;
} NdaCryptoSettings;

#define NDA_TYPE_FRAMING (nda_framing_get_type ())
GType nda_framing_get_type (void);

/* By hand: G_DECLARE_DERIVABLE_TYPE would hide the fields from subclasses. */
#define NDA_TYPE_CRYPTO (nda_crypto_get_type ())
#define NDA_CRYPTO(object) \
    (G_TYPE_CHECK_INSTANCE_CAST ((object), NDA_TYPE_CRYPTO, NdaCrypto))
#define NDA_CRYPTO_CLASS(class) \
    (G_TYPE_CHECK_CLASS_CAST ((class), NDA_TYPE_CRYPTO, NdaCryptoClass))
#define NDA_CRYPTO_GET_CLASS(object) \
    (G_TYPE_INSTANCE_GET_CLASS ((object), NDA_TYPE_CRYPTO, NdaCryptoClass))
GType nda_crypto_get_type (void);

typedef struct
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  /* [const] owned; the error if the system gave no memory for keys, or NULL.
   * With an error the element does not leave NULL, and ring, or the subclass's
   * own keys, may be NULL. */
  GError *init_error;
  GstPadEventFunction take_event;       /* [const] of the subclass */
  NdaKeyring *ring;             /* [const] owned; has a lock of its own */
  NdaCryptoSettings settings;   /* [object lock] */
  GMutex counters_lock;         /* guards the counters of the subclass */
} NdaCrypto;

typedef struct
{
  GstElementClass parent_class;

  /* READY to PAUSED: the keys are there. On the application's thread. */
  gboolean (*start) (NdaCrypto * crypto, GError ** error);
  /* PAUSED to READY: the pads are inactive. On the application's thread. */
  void (*stop) (NdaCrypto * crypto);

  const gchar *stats_name;      /* of the structure */
  const NdaStatsField *stats_fields;    /* in the counters */
  gsize counters_offset;        /* of the counters, in the instance */
  gsize n_counters;             /* bytes of them */
} NdaCryptoClass;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaCrypto, gst_object_unref)

void nda_crypto_add_pads (NdaCrypto * crypto, GstPadChainFunction chain,
    GstPadEventFunction event);
void nda_crypto_post_error (NdaCrypto * crypto, const GError * error);
gboolean nda_crypto_get_use (NdaCrypto * crypto, guint suite, NdaKeyUse * use);
NdaFraming nda_crypto_get_framing (NdaCrypto * crypto);
guint nda_crypto_get_suite (NdaCrypto * crypto);
gboolean nda_crypto_map_own_memory (GstBuffer * buffer, GstMapInfo * map);

/* ndacryptokeys.c */
void nda_crypto_settings_clear (NdaCryptoSettings * settings);
gboolean nda_crypto_load_keys (NdaCrypto * crypto, GError ** error);
void nda_crypto_install_actions (NdaCryptoClass * class);

G_END_DECLS
