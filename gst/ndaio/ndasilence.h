/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Replaces a source whose device is lost by silence: buffers in the source's
 * format that follow its last one, with the flag GAP.
 *
 * The stream lock of the pad guards its fields. Both threads that push there
 * take it: the source's streaming thread and the loss thread. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

typedef struct
{
  GstElement *bin;              /* [const] not owned; has the running time */
  GstPad *pad;                  /* [const] owned; where the source is linked */
  GstSegment segment;           /* [stream lock] */
  GstAudioInfo info;            /* [stream lock] */
  GstClockTime next;            /* [stream lock] where the last buffer ends */
  gboolean is_own;              /* [stream lock] our silence passes now */
} NdaSilence;

void nda_silence_init (NdaSilence * silence, GstElement * bin, GstPad * pad);
void nda_silence_clear (NdaSilence * silence);

/* Called in probes of the pad, with all that passes. */
void nda_silence_note_event (NdaSilence * silence, GstEvent * event);
void nda_silence_note_buffer (NdaSilence * silence, GstBuffer * buffer);

/* Whether @buffer of the source has a time stamp for which silence was pushed
 * already. Called in a probe of the pad. */
gboolean nda_silence_overlaps (NdaSilence * silence, GstBuffer * buffer);

/* Pushes silence up to the time of @clock. */
void nda_silence_push (NdaSilence * silence, GstClock * clock);
void nda_silence_push_eos (NdaSilence * silence);

G_END_DECLS
