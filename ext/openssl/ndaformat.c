/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaformat.h"

static const GstAudioFormat formats[] = {
  [NDA_SAMPLES_S16LE] = GST_AUDIO_FORMAT_S16LE,
  [NDA_SAMPLES_S24LE] = GST_AUDIO_FORMAT_S24LE,
  [NDA_SAMPLES_S32LE] = GST_AUDIO_FORMAT_S32LE,
  [NDA_SAMPLES_F32LE] = GST_AUDIO_FORMAT_F32LE,
  [NDA_SAMPLES_F64LE] = GST_AUDIO_FORMAT_F64LE,
};

/* FALSE: a block header cannot hold that format. */
gboolean
nda_format_from_info (const GstAudioInfo * info, NdaRecordFormat * format)
{
  if (info->channels > NDA_RECORD_MAX_CHANNELS
      || info->rate < NDA_RECORD_MIN_RATE || info->rate > NDA_RECORD_MAX_RATE)
    return FALSE;
  for (guint i = 1; i < G_N_ELEMENTS (formats); i++) {
    if (formats[i] != GST_AUDIO_INFO_FORMAT (info))
      continue;
    *format = (NdaRecordFormat) {
    .samples = i,.n_channels = info->channels,.rate = info->rate};
    return TRUE;
  }
  return FALSE;
}

/* Above two channels the positions are not known. */
GstCaps *
nda_format_to_caps (const NdaRecordFormat * format)
{
  GstAudioInfo info;

  gst_audio_info_set_format (&info, formats[format->samples], format->rate,
      format->n_channels, NULL);
  return gst_audio_info_to_caps (&info);
}
