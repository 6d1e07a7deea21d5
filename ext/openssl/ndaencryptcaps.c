/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Negotiates framing and suite with downstream, on the sink thread of
 * ndaencrypt. */

#include "config.h"

#include "ndaencrypt.h"

#include "ndastream.h"

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY_EXTERN (nda_encrypt_debug);
#define GST_CAT_DEFAULT nda_encrypt_debug

/* The suite that the caps must have: the one that is named, or that of an
 * explicit base key, or 0. A suite with short tags must be named. */
static guint
get_wanted_suite (NdaEncrypt * self)
{
  NdaCrypto *crypto = NDA_CRYPTO (self);
  guint suite = nda_crypto_get_suite (crypto);
  NdaKeyInfo info;

  if (!suite && nda_keyring_find_sender (crypto->ring, &info, NULL)
      && info.kind == NDA_KEY_BASE && !nda_suite_is_weak (info.suite))
    suite = info.suite;
  return suite;
}

static GstCaps *
make_offer (NdaEncrypt * self)
{
  GstCaps *offer = gst_caps_make_writable (gst_pad_get_pad_template_caps
      (NDA_CRYPTO (self)->srcpad));
  NdaFraming framing = nda_crypto_get_framing (NDA_CRYPTO (self));
  guint suite = get_wanted_suite (self);

  if (framing != NDA_FRAMING_AUTO)
    gst_caps_set_simple (offer, "framing", G_TYPE_STRING,
        framing == NDA_FRAMING_PACKET ? "packet" : "stream", NULL);
  if (suite)
    gst_caps_set_simple (offer, "suite", G_TYPE_INT, suite, NULL);
  else
    gst_caps_set_simple (offer, "suite", GST_TYPE_INT_RANGE,
        NDA_SUITE_WEAKEST, NDA_SUITE_DEFAULT, NULL);
  return offer;
}

/* Once: upstream tries its caps again with each buffer. */
static void
tell_no_caps (NdaEncrypt * self, GstCaps * taken, GstCaps * offer)
{
  g_autofree gchar *takes = gst_caps_to_string (taken);
  g_autofree gchar *offers = gst_caps_to_string (offer);

  if (self->has_no_caps)
    return;
  self->has_no_caps = TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      (_("What comes next takes no records as they would be made. Set "
              "“suite” and “framing” to what it takes; suites 1 to 3 are used "
              "only when named.")), ("taken %s, offered %s", takes, offers));
}

/* Fixes what downstream leaves open: stream, since records in a file without
 * their lengths would be lost, and the strongest suite. */
static GstCaps *
choose_caps (NdaEncrypt * self)
{
  g_autoptr (GstCaps) offer = make_offer (self);
  g_autoptr (GstCaps) taken =
      gst_pad_peer_query_caps (NDA_CRYPTO (self)->srcpad, NULL);
  GstCaps *caps = gst_caps_intersect_full (taken, offer,
      GST_CAPS_INTERSECT_FIRST);
  GstStructure *s;

  if (gst_caps_is_empty (caps)) {
    tell_no_caps (self, taken, offer);
    gst_caps_unref (caps);
    return NULL;
  }
  caps = gst_caps_make_writable (gst_caps_truncate (caps));
  s = gst_caps_get_structure (caps, 0);
  gst_structure_fixate_field_string (s, "framing", "stream");
  gst_structure_fixate_field_nearest_int (s, "suite", NDA_SUITE_DEFAULT);
  return gst_caps_fixate (caps);
}

/* Makes the preamble of a stream */
GstBuffer *
nda_encrypt_make_preamble (guint suite)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, NDA_STREAM_PREAMBLE,
      NULL);
  guint8 preamble[NDA_STREAM_PREAMBLE];

  nda_stream_write_preamble (preamble, suite);
  gst_buffer_fill (buffer, 0, preamble, sizeof (preamble));
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_HEADER);
  return buffer;
}

/* Sets the bytes that a server sends first to each client that joins later. */
static void
set_streamheader (GstCaps * caps, guint suite)
{
  g_autoptr (GstBuffer) preamble = nda_encrypt_make_preamble (suite);
  g_auto (GValue) headers = G_VALUE_INIT;
  g_auto (GValue) header = G_VALUE_INIT;

  g_value_init (&headers, GST_TYPE_ARRAY);
  g_value_init (&header, GST_TYPE_BUFFER);
  gst_value_set_buffer (&header, preamble);
  gst_value_array_append_value (&headers, &header);
  gst_caps_set_value (caps, "streamheader", &headers);
}

/* Chooses framing and suite, once. FALSE: no choice suits all. */
gboolean
nda_encrypt_negotiate (NdaEncrypt * self)
{
  GstCaps *caps;
  gint suite;

  if (self->caps)
    return TRUE;
  caps = choose_caps (self);
  if (!caps)
    return FALSE;
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "suite", &suite);
  self->is_stream = g_str_equal (gst_structure_get_string
      (gst_caps_get_structure (caps, 0), "framing"), "stream");
  self->needs_preamble = self->is_stream;
  if (self->is_stream)
    set_streamheader (caps, suite);
  self->caps = caps;
  GST_INFO_OBJECT (self, "records as %" GST_PTR_FORMAT, caps);
  if (nda_crypto_get_use (NDA_CRYPTO (self), suite, &self->use))
    return TRUE;
  GST_ELEMENT_ERROR (self, LIBRARY, INIT,
      (_("OpenSSL lacks what cipher suite %d needs. Choose another "
              "“suite”."), suite),
      ("no cipher or key derivation could be fetched"));
  return FALSE;
}
