/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reports the records that ndadecrypt does not use: counters, messages, and the
 * error that ends the stream. */

#include "config.h"

#include "ndadecrypt.h"

#include <glib/gi18n-lib.h>

/* One sentence that says what happened, and one with advice */
static const gchar *
describe (NdaOutcome outcome)
{
  switch (outcome) {
    case NDA_OUTCOME_MALFORMED:
      return
          _("What arrived is no record of encrypted audio. It is damaged, or "
          "something else was sent here.");
    case NDA_OUTCOME_STALE:
      return _("A record of an older session arrived, or one from after its "
          "session's end. If the sender was restarted, check its clock.");
    case NDA_OUTCOME_REPLAYED:
      return _("A record arrived a second time: it was repeated on its way, or "
          "by somebody who recorded it. It is not used; get a stored stream "
          "again from where it came from.");
    case NDA_OUTCOME_TOO_OLD:
      return
          _("A record arrived so late that it cannot be told from a repeated "
          "one. Set “replay-window” higher if the network delays so much.");
    case NDA_OUTCOME_UNKNOWN_KEY:
      return _("A record cannot be decrypted: wrong key or damaged. Check that "
          "both ends have the same key, “context” and “suite”.");
    case NDA_OUTCOME_AUTH_FAILED:
      return _("A record was altered or forged. Nothing of it is used; get the "
          "audio again from where it came from.");
    case NDA_OUTCOME_INVALID_BLOCK:
      return _("A record is authentic but makes no sense. Check the program "
          "that sends.");
    case NDA_OUTCOME_EXPIRED:
      return
          _("A record is older than “max-age” allows, or from the future. "
          "Set the clocks of both ends, or beware of an old recording.");
    case NDA_OUTCOME_LATE:
      return _("A record arrived after a later one was played. Put a jitter "
          "buffer before this element if that happens often.");
    case NDA_OUTCOME_TRUNCATED:
      return
          _("The end of the stream is missing; what came before it is whole. "
          "The sender was interrupted, or the file was cut: get it again.");
    case NDA_OUTCOME_TRAILING:
      return
          _("There is something after the end of the stream, which is whole. "
          "It was appended, and is not used; cut it off, or set “on-bad” to "
          "conceal.");
    default:
      g_assert_not_reached ();
  }
}

/* --- policy --- */

static NdaOnBad
get_policy (NdaDecrypt * self)
{
  if (self->rules.on_bad != NDA_ON_BAD_AUTO)
    return self->rules.on_bad;
  return self->is_stream ? NDA_ON_BAD_ERROR : NDA_ON_BAD_CONCEAL;
}

gboolean
nda_decrypt_stops_at_bad (NdaDecrypt * self)
{
  return get_policy (self) == NDA_ON_BAD_ERROR;
}

/* Whether silence is put in the place of missing blocks, also in the sender's
 * own gaps. */
gboolean
nda_decrypt_conceals (NdaDecrypt * self)
{
  return get_policy (self) != NDA_ON_BAD_DROP;
}

/* --- messages --- */

static gboolean
has_no_key (NdaDecrypt * self)
{
  return nda_keyring_get_n_keys (NDA_CRYPTO (self)->ring) == 0
      && !g_signal_has_handler_pending (self,
      g_signal_lookup ("request-key", NDA_TYPE_DECRYPT), 0, TRUE);
}

static const gchar *
describe_lost (NdaDecrypt * self, const NdaOpened * opened)
{
  if (self->has_stopped)
    return _("Records are missing. Get the audio again from where it came "
        "from, or set “on-bad” to conceal to play what is there.");
  if (opened->was_joined)
    return _("The stream was joined in its middle, so what came before is "
        "missing. It is played from here on.");
  return _("Records are missing: they were lost on their way, or somebody took "
      "them out. What follows is played.");
}

static gchar *
make_text (NdaDecrypt * self, NdaOutcome outcome, const NdaOpened * opened)
{
  if (outcome == NDA_OUTCOME_LOST)
    return g_strdup (describe_lost (self, opened));
  if (outcome == NDA_OUTCOME_UNKNOWN_KEY && has_no_key (self))
    return g_strdup (_("There is no key to decrypt with. Name one with "
            "“key-file”."));
  return g_strdup (describe (outcome));
}

static gchar *
make_debug (NdaDecrypt * self, NdaOutcome outcome, guint64 n,
    const NdaOpened * opened)
{
  return g_strdup_printf ("%s: %" G_GUINT64_FORMAT ", KID %016"
      G_GINT64_MODIFIER "x, n %u, suite %u", nda_outcome_get_name (outcome), n,
      opened->kid, opened->n, self->suite);
}

static GstStructure *
make_details (NdaOutcome outcome, guint64 n, const NdaOpened * opened)
{
  return gst_structure_new ("ndadecrypt", "outcome", G_TYPE_STRING,
      nda_outcome_get_name (outcome), "kid", G_TYPE_UINT64, opened->kid, "n",
      G_TYPE_UINT, opened->n, "count", G_TYPE_UINT64, n, NULL);
}

static gint
get_code (NdaOutcome outcome)
{
  return outcome == NDA_OUTCOME_UNKNOWN_KEY ? GST_STREAM_ERROR_DECRYPT_NOKEY :
      GST_STREAM_ERROR_DECRYPT;
}

static void
post (NdaDecrypt * self, GstMessageType type, NdaOutcome outcome, guint64 n,
    const NdaOpened * opened)
{
  gst_element_message_full_with_details (GST_ELEMENT (self), type,
      GST_STREAM_ERROR, get_code (outcome), make_text (self, outcome, opened),
      make_debug (self, outcome, n, opened), __FILE__, G_STRFUNC, __LINE__,
      make_details (outcome, n, opened));
}

void
nda_decrypt_count (NdaDecrypt * self, NdaOutcome outcome, guint64 n)
{
  g_mutex_lock (&NDA_CRYPTO (self)->counters_lock);
  self->counters.n_outcomes[outcome] += n;
  g_mutex_unlock (&NDA_CRYPTO (self)->counters_lock);
}

/* Counts @n records of @outcome; @opened is the last. Posts a warning at most
 * once a second. */
void
nda_decrypt_warn (NdaDecrypt * self, NdaOutcome outcome, guint64 n,
    const NdaOpened * opened)
{
  NdaReportLimit *limit = &self->limits[outcome];
  guint64 n_since;

  nda_decrypt_count (self, outcome, n);
  limit->n_since += n - 1;
  n_since = nda_report_limit_count (limit, gst_util_get_timestamp ());
  if (n_since)
    post (self, GST_MESSAGE_WARNING, outcome, n_since, opened);
}

/* Does the same, or posts the error that stops the stream. Returns whether the
 * stream goes on. */
gboolean
nda_decrypt_report (NdaDecrypt * self, NdaOutcome outcome, guint64 n,
    const NdaOpened * opened)
{
  if (!nda_decrypt_stops_at_bad (self)) {
    self->n_bad += n;
    nda_decrypt_warn (self, outcome, n, opened);
    return TRUE;
  }
  nda_decrypt_count (self, outcome, n);
  self->has_stopped = TRUE;
  post (self, GST_MESSAGE_ERROR, outcome, n, opened);
  return FALSE;
}

/* Posts that the sender has ended its stream. In packet framing the pipeline
 * goes on. */
void
nda_decrypt_post_end (NdaDecrypt * self, const NdaOpened * opened)
{
  GstStructure *s = gst_structure_new ("ndadecrypt", "outcome", G_TYPE_STRING,
      "end", "kid", G_TYPE_UINT64, opened->kid, "n", G_TYPE_UINT, opened->n,
      "position", G_TYPE_UINT64, opened->block.position, NULL);

  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), s));
}

/* Warns at the end of a stream that was played in spite of faults. */
void
nda_decrypt_warn_of_salvage (NdaDecrypt * self)
{
  g_autofree gchar *n_bad = g_strdup_printf ("%" G_GUINT64_FORMAT, self->n_bad);

  if (!self->n_bad)
    return;
  GST_ELEMENT_WARNING (self, STREAM, DECRYPT,
      (_("The stream was not whole: %s records are missing or were not used. "
              "What was played is authentic, but not all there was."), n_bad),
      ("salvaged"));
}

/* Stops with a given text, for a fault that no single record causes. */
void
nda_decrypt_stop_with (NdaDecrypt * self, GstStreamError code,
    const gchar * text, const gchar * debug)
{
  self->has_stopped = TRUE;
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      GST_STREAM_ERROR, code, g_strdup (text), g_strdup (debug), __FILE__,
      G_STRFUNC, __LINE__);
}
