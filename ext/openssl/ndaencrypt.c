/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndaencrypt
 * @title: ndaencrypt
 *
 * Encrypts raw audio, block by block, into records of RFC 9605 (SFrame). Each
 * record is authenticated, and #ndadecrypt can open it without any other. The
 * element regroups the input into blocks of #ndaencrypt:block-frames frames. A
 * block becomes one record, which is 49 bytes longer. docs/wire.md in the
 * sources describes the format to the byte.
 *
 * A record carries the position of its block, so lost records do not shift
 * the others in time. A gap in the input becomes a gap in the positions.
 * Silence is encrypted like any other sound. Tags are not passed on.
 *
 * ## Keys
 *
 * #ndaencrypt:key-file names a file that only its owner can read, made with
 * “nda keygen”. Without a usable key the element does not go to PAUSED. Keys
 * are in no property, message, log or event. Each start, each
 * #NdaEncrypt::rekey and each new format begins a session with a key of its
 * own.
 *
 * The element sends with an explicit base key only if #ndaencrypt:state-file is
 * set. That file records how much of the key was used. Without it the key would
 * encrypt two blocks in the same way after a restart.
 *
 * ## Streams
 *
 * A stream begins anew after a flush, and after an end. Its first bytes are
 * also in the caps, as `streamheader`, for receivers that join later.
 *
 * ## Latency
 *
 * Only regrouping adds latency: nothing when whole blocks arrive, otherwise
 * (block-frames - gcd (block-frames, buffer lengths)) / rate.
 *
 * ## Statistics
 *
 * The property `stats` is a structure application/x-ndaencrypt-stats of
 * counters since READY:
 *
 * * `num-blocks`, `num-frames` (guint64): blocks and frames encrypted
 * * `num-records` (guint64): records made, with those that end a session
 * * `num-sessions` (guint64): sessions begun
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 ndasrc ! ndaencrypt key-file=studio.key ! \
 *     filesink location=talk.nda
 * ]| Records the microphone. With -e, Ctrl-C completes the file. A file without
 * its end is reported as truncated when it is played.
 * |[
 * gst-launch-1.0 ndasrc ! audioconvert ! \
 *     audio/x-raw,format=S16LE,channels=1 ! \
 *     ndaencrypt key-file=studio.key context=alice framing=packet ! \
 *     udpsink host=127.0.0.1 port=5004
 * ]| Sends the microphone, each record in a datagram.
 *
 * Since: 0.1
 */

/* THREADS. Upstream's streaming thread does all the work and owns all fields
 * without a lock below. The application's threads change the state, set
 * properties, give keys and ask for a new session.
 *
 * LOCKS. Object lock: settings. The key ring has its own. Counters lock:
 * counters. No lock is held while another is taken, across a push or a message.
 *
 * HAND-OVER. Settings are copied in start, before the pads are active. A
 * request for a new session is one atomic flag, read before each block. */

#include "config.h"

#include "ndaencrypt.h"

#include "ndaformat.h"

GST_DEBUG_CATEGORY (nda_encrypt_debug);
#define GST_CAT_DEFAULT nda_encrypt_debug

#define DEFAULT_BLOCK_FRAMES 512
#define DEFAULT_SESSION_RECORDS NDA_SESSION_DEFAULT_RECORDS

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaEncrypt, nda_encrypt, NDA_TYPE_CRYPTO,
    GST_DEBUG_CATEGORY_INIT (nda_encrypt_debug, "ndaencrypt", 0,
        "encryption of audio"));

enum
{
  PROP_BLOCK_FRAMES = 1,
  PROP_SESSION_RECORDS,
  PROP_STATE_FILE,
  PROP_KID,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* *INDENT-OFF* */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_FORMAT_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_SFRAME_CAPS_NAME
        ", version = (int) 1, framing = (string) { stream, packet }, "
        "suite = (int) [ 1, 5 ]"));

#define FIELD(name, member) \
    { name, NDA_STATS_UINT64, G_STRUCT_OFFSET (NdaEncryptCounters, member) }

static const NdaStatsField stats_fields[] = {
  FIELD ("num-blocks", n_blocks),
  FIELD ("num-frames", n_frames),
  FIELD ("num-records", n_records),
  FIELD ("num-sessions", n_sessions),
  { NULL }
};
/* *INDENT-ON* */

/* --- queries --- */

static gboolean
nda_encrypt_src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaEncrypt *self = NDA_ENCRYPT (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return nda_block_answer_latency (NDA_CRYPTO (self)->sinkpad, query,
        nda_block_input_get_latency (&self->input), 0);
  return gst_pad_query_default (pad, parent, query);
}

/* --- life cycle --- */

static void
close_state (NdaEncrypt * self)
{
  nda_sealer_set_state (self->sealer, NULL);
  g_clear_pointer (&self->state, nda_send_state_close);
}

/* Opens the state file at @path, if one is named. It belongs to this sender
 * until the element stops. */
static gboolean
open_state (NdaEncrypt * self, const gchar * path, GError ** error)
{
  gboolean is_named = path && *path;

  if (is_named)
    self->state = nda_send_state_open (path, error);
  if (is_named && !self->state)
    return FALSE;
  nda_sealer_set_state (self->sealer, self->state);
  if (nda_sealer_check (self->sealer, error))
    return TRUE;
  close_state (self);
  return FALSE;
}

static gboolean
nda_encrypt_start (NdaCrypto * crypto, GError ** error)
{
  NdaEncrypt *self = NDA_ENCRYPT (crypto);
  g_autofree gchar *state_file = NULL;
  guint block_frames, session_records;

  GST_OBJECT_LOCK (self);
  block_frames = self->block_frames;
  session_records = self->session_records;
  state_file = g_strdup (self->state_file);
  GST_OBJECT_UNLOCK (self);
  if (!open_state (self, state_file, error))
    return FALSE;
  nda_encrypt_start_stream (self, block_frames, session_records);
  return TRUE;
}

static void
nda_encrypt_stop (NdaCrypto * crypto)
{
  nda_encrypt_stop_stream (NDA_ENCRYPT (crypto));
  close_state (NDA_ENCRYPT (crypto));
}

static void
nda_encrypt_rekey (NdaEncrypt * self)
{
  g_atomic_int_set (&self->wants_session, TRUE);
}

/* --- properties --- */

static void
nda_encrypt_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaEncrypt *self = NDA_ENCRYPT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_BLOCK_FRAMES:
      self->block_frames = g_value_get_uint (value);
      break;
    case PROP_SESSION_RECORDS:
      self->session_records = g_value_get_uint (value);
      break;
    case PROP_STATE_FILE:
      g_free (self->state_file);
      self->state_file = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static guint64
get_kid (NdaEncrypt * self)
{
  guint64 kid;

  g_mutex_lock (&NDA_CRYPTO (self)->counters_lock);
  kid = self->kid;
  g_mutex_unlock (&NDA_CRYPTO (self)->counters_lock);
  return kid;
}

static void
nda_encrypt_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaEncrypt *self = NDA_ENCRYPT (object);

  if (id == PROP_KID) {
    g_value_set_uint64 (value, get_kid (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_BLOCK_FRAMES:
      g_value_set_uint (value, self->block_frames);
      break;
    case PROP_SESSION_RECORDS:
      g_value_set_uint (value, self->session_records);
      break;
    case PROP_STATE_FILE:
      g_value_set_string (value, self->state_file);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- the class --- */

static void
nda_encrypt_init (NdaEncrypt * self)
{
  NdaCrypto *crypto = NDA_CRYPTO (self);
  self->block_frames = DEFAULT_BLOCK_FRAMES;
  self->session_records = DEFAULT_SESSION_RECORDS;
  if (crypto->ring)
    self->sealer = nda_sealer_new (crypto->ring, &crypto->init_error);
  nda_encrypt_init_stream (self);
  gst_pad_set_query_function (crypto->srcpad,
      GST_DEBUG_FUNCPTR (nda_encrypt_src_query));
}

static void
nda_encrypt_finalize (GObject * object)
{
  NdaEncrypt *self = NDA_ENCRYPT (object);

  g_clear_pointer (&self->sealer, nda_sealer_free);
  g_free (self->state_file);
  nda_block_input_clear (&self->input);
  G_OBJECT_CLASS (nda_encrypt_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  properties[PROP_BLOCK_FRAMES] = g_param_spec_uint ("block-frames",
      "Block frames", "Frames in a block; one block becomes one record",
      1, G_MAXUINT16, DEFAULT_BLOCK_FRAMES, flags);
  properties[PROP_SESSION_RECORDS] = g_param_spec_uint ("session-records",
      "Session records", "How many records a session has at most",
      2, NDA_SESSION_MAX_RECORDS, DEFAULT_SESSION_RECORDS, flags);
  properties[PROP_STATE_FILE] = g_param_spec_string ("state-file",
      "State file", "Path of a file, for this sender alone, that records how "
      "much of an explicit base key was used. It is created if it does not "
      "exist. Without it nothing is sent with such a key; master keys need no "
      "state file", NULL, flags);
  properties[PROP_KID] = g_param_spec_uint64 ("kid", "Key id",
      "The key id of the current session, which its records show in clear; 0 "
      "before the first session", 0, G_MAXUINT64, 0,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
nda_encrypt_class_init (NdaEncryptClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  NdaCryptoClass *crypto_class = NDA_CRYPTO_CLASS (class);

  object_class->set_property = nda_encrypt_set_property;
  object_class->get_property = nda_encrypt_get_property;
  object_class->finalize = nda_encrypt_finalize;
  crypto_class->start = nda_encrypt_start;
  crypto_class->stop = nda_encrypt_stop;
  crypto_class->stats_name = "application/x-ndaencrypt-stats";
  crypto_class->stats_fields = stats_fields;
  crypto_class->counters_offset = G_STRUCT_OFFSET (NdaEncrypt, counters);
  crypto_class->n_counters = sizeof (NdaEncryptCounters);
  install_properties (object_class);

  /**
   * NdaEncrypt::rekey:
   *
   * Ends the session before the next block, and begins another: with a key of
   * its own, and of the master key given last.
   */
  g_signal_new_class_handler ("rekey", G_TYPE_FROM_CLASS (class),
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION, G_CALLBACK (nda_encrypt_rekey), NULL,
      NULL, NULL, G_TYPE_NONE, 0);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Live audio encryption (SFrame)",
      "Encryptor/Audio", "Encrypts audio, block by block, into records of RFC "
      "9605 (SFrame)", "the nda authors");
}

GST_ELEMENT_REGISTER_DEFINE (ndaencrypt, "ndaencrypt", GST_RANK_NONE,
    NDA_TYPE_ENCRYPT);
