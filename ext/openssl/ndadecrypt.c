/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndadecrypt
 * @title: ndadecrypt
 *
 * Decrypts the records of #ndaencrypt. The element authenticates a whole record
 * before a sample of it goes out. It does not use a record that was altered,
 * forged or repeated, or that another sender made. docs/wire.md in the sources
 * describes the format to the byte, and docs/ndadecrypt.md the outcomes of a
 * record.
 *
 * A stored stream (stream framing) plays until the first fault, and stops there
 * with an error. With packets, silence flagged GAP replaces missing ones at
 * their exact place, up to #ndadecrypt:max-conceal, so nothing shifts. Longer
 * gaps, and each new session, are marked DISCONT. #ndadecrypt:on-bad can choose
 * otherwise.
 *
 * Blocks are as long as the sender made them. In stream framing a block's time
 * is its position / rate, rounded down once, from 0 or from the start of the
 * segment. A stored stream knows its length and can be seeked. In packet
 * framing a line through all arrivals gives the time; it follows the sender's
 * clock. The line begins again with each segment and after a flush. No latency
 * is added.
 *
 * ## Messages
 *
 * The element counts each fault that does not stop the stream, and posts a
 * warning at most once a second for each kind, with a structure `ndadecrypt`:
 *
 * * `outcome` (string): `malformed`, `stale`, `replayed`, `too-old`,
 *   `unknown-key`, `auth-failed`, `invalid-block`, `expired`, `late`, `lost`,
 *   `truncated` or `trailing`
 * * `kid` (guint64), `n` (guint): key id and number of the last such record
 * * `count` (guint64): how many since the last message
 *
 * A stream that cannot be seeked may begin in its middle, with
 * #ndadecrypt:on-bad at auto. A warning then reports the missed part as lost.
 *
 * An error that stops the stream has the same structure. The end of the
 * sender's stream is an element message `ndadecrypt` with the outcome `end` and
 * `position` (guint64), the length in frames. In packet framing the pipeline
 * goes on after it.
 *
 * ## Statistics
 *
 * The property `stats` is a structure application/x-ndadecrypt-stats of
 * counters since READY, all guint64:
 *
 * * `num-blocks`, `num-frames`: blocks and frames pushed, silence included
 * * `num-records`, `num-sessions`: records and sessions accepted
 * * `num-concealed-frames`: frames of silence in place of missing records
 * * `num-malformed`, `num-stale`, `num-replayed`, `num-too-old`,
 *   `num-unknown-key`, `num-auth-failed`, `num-invalid-block`, `num-expired`,
 *   `num-out-of-order` (late), `num-lost`, `num-truncated`, `num-trailing`:
 *   how often each outcome occurred
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 filesrc location=talk.nda ! \
 *     ndadecrypt key-file=studio.key ! ndasink
 * ]| Plays a recording of ndaencrypt.
 * |[
 * gst-launch-1.0 udpsrc port=5004 \
 *     caps="application/x-nda-sframe,version=1,framing=packet,suite=5" ! \
 *     ndadecrypt key-file=studio.key context=alice max-age=30 ! ndasink
 * ]| Plays the packets that ndaencrypt sends now, and no old recording of them.
 *
 * Since: 0.1
 */

/* THREADS. Upstream's streaming thread does all the work and owns all fields
 * without a lock in ndadecrypt.h; it emits request-key. The application's
 * threads change the state, set properties, give keys, ask for the length and
 * seek. A flush comes on the thread that seeks, when the streaming thread is
 * stopped.
 *
 * LOCKS. Object lock: settings, layout and seek. The key ring has its own.
 * Counters lock: counters. No lock is held while another is taken, across a
 * push, a message or a signal.
 *
 * HAND-OVER. Settings are copied in start, before the pads are active. Keys:
 * the opener reads the key ring's serial number before each record. */

#include "config.h"

#include "ndadecrypt.h"

#include "ndaformat.h"
#include "ndareplay.h"

GST_DEBUG_CATEGORY (nda_decrypt_debug);
#define GST_CAT_DEFAULT nda_decrypt_debug

#define DEFAULT_ON_BAD NDA_ON_BAD_AUTO
#define DEFAULT_MAX_AGE 0
#define DEFAULT_MAX_CONCEAL (1 * GST_SECOND)

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaDecrypt, nda_decrypt, NDA_TYPE_CRYPTO,
    GST_DEBUG_CATEGORY_INIT (nda_decrypt_debug, "ndadecrypt", 0,
        "decryption of audio"));

enum
{
  PROP_ON_BAD = 1,
  PROP_REPLAY_WINDOW,
  PROP_MAX_AGE,
  PROP_MAX_CONCEAL,
  N_PROPS
};

enum
{
  SIGNAL_REQUEST_KEY,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* *INDENT-OFF* */
G_DEFINE_ENUM_TYPE (NdaOnBad, nda_on_bad,
    {NDA_ON_BAD_AUTO,
      "Conceal in packet framing, error in stream framing", "auto"},
    {NDA_ON_BAD_DROP, "Leave the block out", "drop"},
    {NDA_ON_BAD_CONCEAL, "Put silence in the place of the block", "conceal"},
    {NDA_ON_BAD_ERROR, "Stop with an error", "error"})

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_SFRAME_CAPS_NAME
        ", version = (int) 1, framing = (string) { stream, packet }"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_FORMAT_CAPS));

#define FIELD(name, member) \
    { name, NDA_STATS_UINT64, G_STRUCT_OFFSET (NdaDecryptCounters, member) }
#define OUTCOME(name, outcome) \
    FIELD (name, n_outcomes[NDA_OUTCOME_ ## outcome])

static const NdaStatsField stats_fields[] = {
  FIELD ("num-blocks", n_blocks),
  FIELD ("num-frames", n_frames),
  FIELD ("num-records", n_records),
  FIELD ("num-sessions", n_sessions),
  FIELD ("num-concealed-frames", n_concealed),
  OUTCOME ("num-malformed", MALFORMED),
  OUTCOME ("num-stale", STALE),
  OUTCOME ("num-replayed", REPLAYED),
  OUTCOME ("num-too-old", TOO_OLD),
  OUTCOME ("num-unknown-key", UNKNOWN_KEY),
  OUTCOME ("num-auth-failed", AUTH_FAILED),
  OUTCOME ("num-invalid-block", INVALID_BLOCK),
  OUTCOME ("num-expired", EXPIRED),
  OUTCOME ("num-out-of-order", LATE),
  OUTCOME ("num-lost", LOST),
  OUTCOME ("num-truncated", TRUNCATED),
  OUTCOME ("num-trailing", TRAILING),
  { NULL }
};
/* *INDENT-ON* */

/* --- keys that are asked for --- */

static GBytes *
nda_decrypt_request_key (gpointer owner, guint64 kid, guint suite)
{
  GBytes *key = NULL;

  g_signal_emit (owner, signals[SIGNAL_REQUEST_KEY], 0, kid, suite, &key);
  return key;
}

static const NdaOpenerHooks hooks = {
  .request_key = nda_decrypt_request_key,
};

/* --- life cycle --- */

static gboolean
nda_decrypt_start (NdaCrypto * crypto, GError ** error)
{
  NdaDecrypt *self = NDA_DECRYPT (crypto);

  GST_OBJECT_LOCK (self);
  self->rules = self->settings;
  GST_OBJECT_UNLOCK (self);
  nda_decrypt_start_input (self);
  return TRUE;
}

static void
nda_decrypt_stop (NdaCrypto * crypto)
{
  NdaDecrypt *self = NDA_DECRYPT (crypto);

  nda_decrypt_stop_input (self);
  nda_decrypt_reset_output (self);
}

/* --- properties --- */

static void
nda_decrypt_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaDecrypt *self = NDA_DECRYPT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_ON_BAD:
      self->settings.on_bad = g_value_get_enum (value);
      break;
    case PROP_REPLAY_WINDOW:
      self->settings.replay_window = g_value_get_uint (value);
      break;
    case PROP_MAX_AGE:
      self->settings.max_age = g_value_get_uint (value);
      break;
    case PROP_MAX_CONCEAL:
      self->settings.max_conceal = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
nda_decrypt_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaDecrypt *self = NDA_DECRYPT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_ON_BAD:
      g_value_set_enum (value, self->settings.on_bad);
      break;
    case PROP_REPLAY_WINDOW:
      g_value_set_uint (value, self->settings.replay_window);
      break;
    case PROP_MAX_AGE:
      g_value_set_uint (value, self->settings.max_age);
      break;
    case PROP_MAX_CONCEAL:
      g_value_set_uint64 (value, self->settings.max_conceal);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- the class --- */

static void
nda_decrypt_init (NdaDecrypt * self)
{
  NdaCrypto *crypto = NDA_CRYPTO (self);

  self->settings = (NdaDecryptSettings) {
  .on_bad = DEFAULT_ON_BAD,.replay_window = NDA_REPLAY_DEFAULT,.max_age =
        DEFAULT_MAX_AGE,.max_conceal = DEFAULT_MAX_CONCEAL,};
  if (crypto->ring)
    self->opener = nda_opener_new (crypto->ring, &hooks, self,
        &crypto->init_error);
  nda_decrypt_init_input (self);
}

static void
nda_decrypt_finalize (GObject * object)
{
  NdaDecrypt *self = NDA_DECRYPT (object);

  g_clear_pointer (&self->opener, nda_opener_free);
  nda_stream_clear (&self->stream);
  G_OBJECT_CLASS (nda_decrypt_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  properties[PROP_ON_BAD] = g_param_spec_enum ("on-bad", "On bad records",
      "What to do about records that are missing or bad: drop (leave them "
      "out), conceal (put silence in their place), error (stop), auto (conceal "
      "in packet framing, error in stream framing)", NDA_TYPE_ON_BAD,
      DEFAULT_ON_BAD, flags);
  properties[PROP_REPLAY_WINDOW] = g_param_spec_uint ("replay-window",
      "Replay window",
      "How many records late a record may be. For a later one nobody could "
      "tell whether it is repeated, so it is refused",
      NDA_REPLAY_MIN, NDA_REPLAY_MAX, NDA_REPLAY_DEFAULT, flags);
  properties[PROP_MAX_AGE] = g_param_spec_uint ("max-age", "Maximum age",
      "In packet framing, how old a record may be by both ends' clocks (in "
      "seconds; 0: any). 30 is good for live calls", 0, G_MAXINT,
      DEFAULT_MAX_AGE, flags);
  properties[PROP_MAX_CONCEAL] = g_param_spec_uint64 ("max-conceal",
      "Maximum to conceal",
      "The longest gap that is filled with silence (in nanoseconds). A longer "
      "gap is marked DISCONT", 0, G_MAXUINT64, DEFAULT_MAX_CONCEAL, flags);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
nda_decrypt_class_init (NdaDecryptClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  NdaCryptoClass *crypto_class = NDA_CRYPTO_CLASS (class);

  object_class->set_property = nda_decrypt_set_property;
  object_class->get_property = nda_decrypt_get_property;
  object_class->finalize = nda_decrypt_finalize;
  crypto_class->start = nda_decrypt_start;
  crypto_class->stop = nda_decrypt_stop;
  crypto_class->stats_name = "application/x-ndadecrypt-stats";
  crypto_class->stats_fields = stats_fields;
  crypto_class->counters_offset = G_STRUCT_OFFSET (NdaDecrypt, counters);
  crypto_class->n_counters = sizeof (NdaDecryptCounters);
  install_properties (object_class);

  /**
   * NdaDecrypt::request-key:
   * @kid: key id of a record that no key fits
   * @suite: cipher suite
   *
   * Asks for an explicit base key, on the streaming thread, with no lock held;
   * at most once a second for each key id, and for 100 in a second.
   *
   * Returns: (transfer full) (nullable): a base key of 16 to 64 bytes
   */
  signals[SIGNAL_REQUEST_KEY] = g_signal_new ("request-key",
      G_TYPE_FROM_CLASS (class), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
      G_TYPE_BYTES, 2, G_TYPE_UINT64, G_TYPE_UINT);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Live audio decryption (SFrame)",
      "Decryptor/Audio", "Decrypts records of RFC 9605 (SFrame) that "
      "ndaencrypt made", "the nda authors");
  gst_type_mark_as_plugin_api (NDA_TYPE_ON_BAD, 0);
}

GST_ELEMENT_REGISTER_DEFINE (ndadecrypt, "ndadecrypt", GST_RANK_PRIMARY,
    NDA_TYPE_DECRYPT);
