/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Silence in the place of a source whose device is lost: buffers in the
 * source's format that follow its last one, with the flag GAP.
 *
 * Its fields belong to the stream lock of the pad. Both threads that push there
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
  gboolean is_own;              /* [stream lock] silence passes, no source's */
} NdaSilence;

void nda_silence_init (NdaSilence * silence, GstElement * bin, GstPad * pad);
void nda_silence_clear (NdaSilence * silence);

/* In probes of the pad: what passes. */
void nda_silence_note_event (NdaSilence * silence, GstEvent * event);
void nda_silence_note_buffer (NdaSilence * silence, GstBuffer * buffer);

/* Whether @buffer of the source lies, by its time stamp, where there was
 * silence already. In a probe of the pad. */
gboolean nda_silence_overlaps (NdaSilence * silence, GstBuffer * buffer);

/* Pushes silence up to the time of @clock. */
void nda_silence_push (NdaSilence * silence, GstClock * clock);
void nda_silence_push_eos (NdaSilence * silence);

G_END_DECLS
