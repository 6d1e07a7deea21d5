/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndacrypto.h"

#include "ndablockinput.h"

#include <string.h>

GST_DEBUG_CATEGORY (nda_crypto_debug);
#define GST_CAT_DEFAULT nda_crypto_debug

#define DEFAULT_KEY_FD (-1)
#define DEFAULT_CONTEXT ""
#define DEFAULT_SUITE 0
#define DEFAULT_FRAMING NDA_FRAMING_AUTO

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (NdaCrypto, nda_crypto, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (nda_crypto_debug, "ndacrypto", 0,
        "keys of encrypted audio"));

enum
{
  PROP_KEY_FILE = 1,
  PROP_KEY_FD,
  PROP_PASSPHRASE_FILE,
  PROP_PASSPHRASE_SALT,
  PROP_CONTEXT,
  PROP_SUITE,
  PROP_FRAMING,
  PROP_STATS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* *INDENT-OFF* */
G_DEFINE_ENUM_TYPE (NdaFraming, nda_framing,
    {NDA_FRAMING_AUTO, "What the caps say, else stream", "auto"},
    {NDA_FRAMING_PACKET, "One record in a buffer or datagram", "packet"},
    {NDA_FRAMING_STREAM,
      "Records with a preamble and lengths, for files and pipes", "stream"})

#define NDA_TYPE_CIPHER_SUITE (nda_cipher_suite_get_type ())
static GType
nda_cipher_suite_get_type (void)
{
  static const GEnumValue values[] = {
    { 0, "What the caps say, else 5", "auto" },
    { 1, "AES_128_CTR_HMAC_SHA256_80", "aes-128-ctr-hmac-sha256-80" },
    { 2, "AES_128_CTR_HMAC_SHA256_64", "aes-128-ctr-hmac-sha256-64" },
    { 3, "AES_128_CTR_HMAC_SHA256_32", "aes-128-ctr-hmac-sha256-32" },
    { 4, "AES_128_GCM_SHA256_128", "aes-128-gcm-sha256-128" },
    { 5, "AES_256_GCM_SHA512_128", "aes-256-gcm-sha512-128" },
    { 0, NULL, NULL }
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("NdaCipherSuite",
            values));
  return type;
}
/* *INDENT-ON* */

/* --- errors --- */

static void
find_domain (gint code, GQuark * domain, gint * gst_code)
{
  *domain = GST_RESOURCE_ERROR;
  switch (code) {
    case NDA_CRYPTO_ERROR_NOT_FOUND:
      *gst_code = GST_RESOURCE_ERROR_NOT_FOUND;
      break;
    case NDA_CRYPTO_ERROR_UNREADABLE:
      *gst_code = GST_RESOURCE_ERROR_OPEN_READ;
      break;
    case NDA_CRYPTO_ERROR_INVALID:
      *gst_code = GST_RESOURCE_ERROR_SETTINGS;
      break;
    case NDA_CRYPTO_ERROR_NO_KEY:
      *domain = GST_STREAM_ERROR;
      *gst_code = GST_STREAM_ERROR_DECRYPT_NOKEY;
      break;
    default:
      *domain = GST_LIBRARY_ERROR;
      *gst_code = GST_LIBRARY_ERROR_FAILED;
      break;
  }
}

/* Posts an error of the codec in GStreamer's terms. */
void
nda_crypto_post_error (NdaCrypto * self, const GError * error)
{
  GQuark domain;
  gint code;

  find_domain (error->code, &domain, &code);
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, domain,
      code, g_strdup (error->message),
      g_strdup_printf ("codec error %d", error->code), __FILE__, G_STRFUNC,
      __LINE__);
}

/* --- settings --- */

/* Fills @use for keys of @suite. FALSE: there is no such suite. */
gboolean
nda_crypto_get_use (NdaCrypto * self, guint suite, NdaKeyUse * use)
{
  use->suite = nda_suite_find (suite);
  GST_OBJECT_LOCK (self);
  use->n_context = MIN (strlen (self->settings.context), NDA_CONTEXT_MAX);
  memcpy (use->context, self->settings.context, use->n_context);
  GST_OBJECT_UNLOCK (self);
  return use->suite != NULL;
}

NdaFraming
nda_crypto_get_framing (NdaCrypto * self)
{
  NdaFraming framing;

  GST_OBJECT_LOCK (self);
  framing = self->settings.framing;
  GST_OBJECT_UNLOCK (self);
  return framing;
}

/* The suite that the user named, or 0. */
guint
nda_crypto_get_suite (NdaCrypto * self)
{
  guint suite;

  GST_OBJECT_LOCK (self);
  suite = self->settings.suite;
  GST_OBJECT_UNLOCK (self);
  return suite;
}

/* --- buffers --- */

/* Maps the memory of @buffer for writing if nobody else uses it. It must be one
 * memory, writable, and @buffer must have no metas, which would not fit the
 * result. Memory that others hold too cannot be mapped in this way. */
gboolean
nda_crypto_map_own_memory (GstBuffer * buffer, GstMapInfo * map)
{
  gpointer at = NULL;

  return gst_buffer_is_writable (buffer) && gst_buffer_n_memory (buffer) == 1
      && !gst_buffer_iterate_meta (buffer, &at)
      && gst_memory_map (gst_buffer_peek_memory (buffer, 0), map,
      GST_MAP_READWRITE);
}

/* --- counters: where they are is the subclass's to say --- */

static gpointer
get_counters (NdaCrypto * self)
{
  return G_STRUCT_MEMBER_P (self, NDA_CRYPTO_GET_CLASS (self)->counters_offset);
}

static void
reset_counters (NdaCrypto * self)
{
  g_mutex_lock (&self->counters_lock);
  memset (get_counters (self), 0, NDA_CRYPTO_GET_CLASS (self)->n_counters);
  g_mutex_unlock (&self->counters_lock);
}

static GstStructure *
get_stats (NdaCrypto * self)
{
  NdaCryptoClass *class = NDA_CRYPTO_GET_CLASS (self);

  return nda_stats_snapshot (class->stats_name, class->stats_fields,
      &self->counters_lock, get_counters (self), class->n_counters);
}

/* --- life cycle --- */

static gboolean
prepare (NdaCrypto * self, GstStateChange transition, GError ** error)
{
  NdaCryptoClass *class = NDA_CRYPTO_GET_CLASS (self);

  if (self->init_error && transition == GST_STATE_CHANGE_NULL_TO_READY) {
    g_propagate_error (error, g_error_copy (self->init_error));
    return FALSE;
  }
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    return nda_crypto_load_keys (self, error);
  if (transition != GST_STATE_CHANGE_READY_TO_PAUSED)
    return TRUE;
  reset_counters (self);
  return class->start (self, error);
}

static GstStateChangeReturn
nda_crypto_change_state (GstElement * element, GstStateChange transition)
{
  NdaCrypto *self = NDA_CRYPTO (element);
  g_autoptr (GError) error = NULL;
  GstStateChangeReturn result;

  if (!prepare (self, transition, &error)) {
    nda_crypto_post_error (self, error);
    return GST_STATE_CHANGE_FAILURE;
  }
  result = GST_ELEMENT_CLASS (nda_crypto_parent_class)->change_state (element,
      transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && result == GST_STATE_CHANGE_FAILURE))
    NDA_CRYPTO_GET_CLASS (self)->stop (self);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    nda_keyring_forget (self->ring, NDA_KEY_FROM_FILE);
  return result;
}

/* --- properties --- */

static void
replace_text (gchar ** text, const GValue * value)
{
  g_free (*text);
  *text = g_value_dup_string (value);
}

static void
nda_crypto_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaCrypto *self = NDA_CRYPTO (object);
  NdaCryptoSettings *settings = &self->settings;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_KEY_FILE:
      replace_text (&settings->key_file, value);
      break;
    case PROP_KEY_FD:
      settings->key_fd = g_value_get_int (value);
      break;
    case PROP_PASSPHRASE_FILE:
      replace_text (&settings->passphrase_file, value);
      break;
    case PROP_PASSPHRASE_SALT:
      replace_text (&settings->passphrase_salt, value);
      break;
    case PROP_CONTEXT:
      replace_text (&settings->context, value);
      if (!settings->context)
        settings->context = g_strdup ("");
      break;
    case PROP_SUITE:
      settings->suite = g_value_get_enum (value);
      break;
    case PROP_FRAMING:
      settings->framing = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
nda_crypto_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaCrypto *self = NDA_CRYPTO (object);
  NdaCryptoSettings *settings = &self->settings;

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_KEY_FILE:
      g_value_set_string (value, settings->key_file);
      break;
    case PROP_KEY_FD:
      g_value_set_int (value, settings->key_fd);
      break;
    case PROP_PASSPHRASE_FILE:
      g_value_set_string (value, settings->passphrase_file);
      break;
    case PROP_PASSPHRASE_SALT:
      g_value_set_string (value, settings->passphrase_salt);
      break;
    case PROP_CONTEXT:
      g_value_set_string (value, settings->context);
      break;
    case PROP_SUITE:
      g_value_set_enum (value, settings->suite);
      break;
    case PROP_FRAMING:
      g_value_set_enum (value, settings->framing);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- the class --- */

/* A subclass handles an event or does not; the flow return says why. */
static GstFlowReturn
nda_crypto_sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  NdaCrypto *self = NDA_CRYPTO (parent);
  GstEventType type = GST_EVENT_TYPE (event);

  return nda_block_event_flow (self->srcpad, type,
      self->take_event (pad, parent, event));
}

/* For the init function of a subclass, which has the templates. */
void
nda_crypto_add_pads (NdaCrypto * self, GstPadChainFunction chain,
    GstPadEventFunction event)
{
  GstElementClass *class = GST_ELEMENT_GET_CLASS (self);

  self->sinkpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "sink"), "sink");
  self->srcpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "src"), "src");
  gst_pad_set_chain_function (self->sinkpad, chain);
  self->take_event = event;
  gst_pad_set_event_full_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_crypto_sink_event));
  gst_pad_use_fixed_caps (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

static void
nda_crypto_init (NdaCrypto * self)
{
  self->settings.key_fd = DEFAULT_KEY_FD;
  self->settings.context = g_strdup (DEFAULT_CONTEXT);
  g_mutex_init (&self->counters_lock);
  self->ring = nda_keyring_new (&self->init_error);
}

static void
nda_crypto_finalize (GObject * object)
{
  NdaCrypto *self = NDA_CRYPTO (object);

  g_clear_pointer (&self->ring, nda_keyring_free);
  g_clear_error (&self->init_error);
  nda_crypto_settings_clear (&self->settings);
  g_mutex_clear (&self->counters_lock);
  G_OBJECT_CLASS (nda_crypto_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  properties[PROP_KEY_FILE] = g_param_spec_string ("key-file", "Key file",
      "Path of the file that holds the keys: 32 raw bytes, or lines “master” "
      "or “base”. Only its owner may have access. The element reads it when it "
      "leaves NULL; “nda keygen” creates one", NULL, flags);
  properties[PROP_KEY_FD] = g_param_spec_int ("key-fd", "Key descriptor",
      "Descriptor of an open file or pipe with the keys, in the format of "
      "key-file. It stays open. -1: none", -1, G_MAXINT, DEFAULT_KEY_FD, flags);
  properties[PROP_PASSPHRASE_FILE] = g_param_spec_string ("passphrase-file",
      "Passphrase file",
      "Path of a file whose only line is a passphrase. A key is made from it "
      "and passphrase-salt", NULL, flags);
  properties[PROP_PASSPHRASE_SALT] = g_param_spec_string ("passphrase-salt",
      "Passphrase salt",
      "Text of 8 to 64 bytes, the same at both ends and different for each "
      "group, such as the name of the room. It is no secret", NULL, flags);
  properties[PROP_CONTEXT] = g_param_spec_string ("context", "Context",
      "Names the sender or direction, in 0 to 255 bytes, the same at both "
      "ends; each direction of a call needs its own", DEFAULT_CONTEXT, flags);
  properties[PROP_SUITE] = g_param_spec_enum ("suite", "Cipher suite",
      "Cipher suite of RFC 9605, the same at both ends. auto: the suite in the "
      "caps or in the stream itself, otherwise 5. 1 to 3 have short tags and "
      "are used only when named", NDA_TYPE_CIPHER_SUITE, DEFAULT_SUITE, flags);
  properties[PROP_FRAMING] = g_param_spec_enum ("framing", "Framing",
      "packet: one record is one buffer or datagram. stream: with a preamble "
      "and lengths, for files and pipes. auto: as in the caps, otherwise "
      "stream", NDA_TYPE_FRAMING, DEFAULT_FRAMING, flags);
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "Counters since the element left READY, all from one moment: "
      "num-blocks, num-frames, num-records, num-sessions; of ndadecrypt also "
      "num-concealed-frames, num-malformed, num-stale, num-replayed, "
      "num-too-old, num-unknown-key, num-auth-failed, num-invalid-block, "
      "num-expired, num-out-of-order, num-lost, num-truncated, num-trailing",
      GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
nda_crypto_class_init (NdaCryptoClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = nda_crypto_set_property;
  object_class->get_property = nda_crypto_get_property;
  object_class->finalize = nda_crypto_finalize;
  GST_ELEMENT_CLASS (class)->change_state =
      GST_DEBUG_FUNCPTR (nda_crypto_change_state);
  install_properties (object_class);
  nda_crypto_install_actions (class);
  gst_type_mark_as_plugin_api (NDA_TYPE_CRYPTO, 0);
  gst_type_mark_as_plugin_api (NDA_TYPE_FRAMING, 0);
  gst_type_mark_as_plugin_api (NDA_TYPE_CIPHER_SUITE, 0);
}
