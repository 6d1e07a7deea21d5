/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndawavtags.h"

#include <string.h>

static const struct
{
  const gchar *letters;
  const gchar *tag;
} places[] = {
  {"IARL", GST_TAG_LOCATION},
  {"IART", GST_TAG_ARTIST},
  {"ICMT", GST_TAG_COMMENT},
  {"ICOP", GST_TAG_COPYRIGHT},
  {"ICRD", GST_TAG_DATE},
  {"ICRD", GST_TAG_DATE_TIME},
  {"IGNR", GST_TAG_GENRE},
  {"IKEY", GST_TAG_KEYWORDS},
  {"INAM", GST_TAG_TITLE},
  {"IPRD", GST_TAG_ALBUM},
  {"ISBJ", GST_TAG_ALBUM_ARTIST},
  {"ISFT", GST_TAG_ENCODER},
  {"ISRC", GST_TAG_ISRC},
};

static gchar *
get_date (const GstTagList * tags)
{
  g_autoptr (GDate) date = NULL;

  if (!gst_tag_list_get_date (tags, GST_TAG_DATE, &date))
    return NULL;
  return g_strdup_printf ("%04u-%02u-%02u", g_date_get_year (date),
      g_date_get_month (date), g_date_get_day (date));
}

/* Returns the date and time, unless a date alone says the same. */
static gchar *
get_date_time (const GstTagList * tags)
{
  g_autoptr (GstDateTime) time = NULL;

  if (gst_tag_list_get_value_index (tags, GST_TAG_DATE, 0)
      || !gst_tag_list_get_date_time (tags, GST_TAG_DATE_TIME, &time))
    return NULL;
  return gst_date_time_to_iso8601_string (time);
}

/* Returns a tag as text (transfer full); several values are joined by commas.
 * NULL: there is none. */
static gchar *
get_text (const GstTagList * tags, const gchar * tag)
{
  gchar *text = NULL;

  if (g_str_equal (tag, GST_TAG_DATE))
    return get_date (tags);
  if (g_str_equal (tag, GST_TAG_DATE_TIME))
    return get_date_time (tags);
  gst_tag_list_get_string (tags, tag, &text);
  return text;
}

static void
put_head (GByteArray * chunk, const gchar * letters, guint32 n_bytes)
{
  n_bytes = GUINT32_TO_LE (n_bytes);
  g_byte_array_append (chunk, (const guint8 *) letters, 4);
  g_byte_array_append (chunk, (const guint8 *) &n_bytes, sizeof n_bytes);
}

/* Writes a text with its NUL, as the format requires. */
static void
put_text (GByteArray * chunk, const gchar * letters, const gchar * text)
{
  static const guint8 zero = 0;
  gsize n_bytes = strlen (text) + 1;

  put_head (chunk, letters, n_bytes);
  g_byte_array_append (chunk, (const guint8 *) text, n_bytes);
  if (n_bytes % 2)
    g_byte_array_append (chunk, &zero, 1);
}

GByteArray *
nda_wav_make_info (const GstTagList * tags)
{
  g_autoptr (GByteArray) texts = g_byte_array_new ();
  GByteArray *chunk;

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree gchar *text = get_text (tags, places[i].tag);

    if (text)
      put_text (texts, places[i].letters, text);
  }
  if (!texts->len)
    return NULL;
  chunk = g_byte_array_sized_new (12 + texts->len);
  put_head (chunk, "LIST", 4 + texts->len);
  g_byte_array_append (chunk, (const guint8 *) "INFO", 4);
  g_byte_array_append (chunk, texts->data, texts->len);
  return chunk;
}
