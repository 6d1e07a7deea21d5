/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaregroup.h"

#include "ndaalign.h"
#include "ndablock.h"
#include "ndaframeclock.h"
#include "ndakeep.h"

#include <gst/base/gstadapter.h>

struct _NdaRegroup
{
  guint n_block_frames;
  gboolean keeps_grid;          /* [const] keeps upstream's boundaries */

  GstAudioInfo info;            /* [const] between two set_caps () */
  guint n_planes;               /* 1 when interleaved */
  guint plane_bpf;              /* bytes of a frame in one plane */
  GstBufferPool *pool;          /* owned; for joined blocks */
  NdaAlign align;               /* finds unmarked discontinuities */
  GstClockTime unseen;          /* time of the last buffer unknown to align */
  GstAdapter **planes;          /* owned; frames of an incomplete block */
  NdaKeep keep;                 /* metas and flags of those frames */
  guint64 n_queued;             /* frames that waited, since the format */

  NdaFrameClock clock;
  GstClockTime segment_start;   /* where time begins without a time stamp */
  gboolean discont;             /* the next buffer out follows a cut */
  gboolean rest_is_gap;         /* all that waits is GAP */
  gboolean last_is_gap;         /* the buffer pushed last is GAP */
  guint last_n_frames;          /* its length, 0 after a cut */

  GstBuffer *cut;               /* owned; the short block before a cut */
  GstBuffer *whole;             /* owned; an aligned block, passing */
  guint n_whole;                /* its frames: fewer if leading */

  guint64 n_discontinuities;
  gint step;                    /* [atomic] gcd of the lengths and a block's */
  gint rate;                    /* [atomic] of the format */
};

/* Regroups into blocks of @n_block_frames. */
NdaRegroup *
nda_regroup_new (guint n_block_frames)
{
  NdaRegroup *self = g_new0 (NdaRegroup, 1);

  self->n_block_frames = n_block_frames;
  self->keeps_grid = TRUE;
  self->step = n_block_frames;
  self->rate = NDA_BLOCK_RATE;
  gst_audio_info_init (&self->info);
  nda_frame_clock_init (&self->clock, NDA_BLOCK_RATE);
  nda_keep_init (&self->keep);
  return self;
}

/* Makes whole blocks of leading ones too. Called before there is a stream. */
void
nda_regroup_ignore_grid (NdaRegroup * self)
{
  self->keeps_grid = FALSE;
}

static void
clear_format (NdaRegroup * self)
{
  nda_block_pool_clear (&self->pool);
  nda_align_clear (&self->align);
  for (guint i = 0; i < self->n_planes; i++)
    g_object_unref (self->planes[i]);
  g_clear_pointer (&self->planes, g_free);
  self->n_planes = 0;
  nda_keep_forget (&self->keep);
  self->n_queued = 0;
  gst_clear_buffer (&self->cut);
  gst_clear_buffer (&self->whole);
}

void
nda_regroup_free (NdaRegroup * self)
{
  clear_format (self);
  nda_keep_clear (&self->keep);
  g_free (self);
}

/* Sets the format. Waiting frames of another format must be drained before;
 * they are dropped here. The clock starts again with the next buffer. */
gboolean
nda_regroup_set_caps (NdaRegroup * self, GstCaps * caps)
{
  GstAudioInfo info;
  gboolean planar;

  if (!gst_audio_info_from_caps (&info, caps))
    return FALSE;

  clear_format (self);
  self->info = info;
  planar = info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  self->n_planes = planar ? info.channels : 1;
  self->plane_bpf = planar ? info.bpf / info.channels : info.bpf;
  self->planes = g_new (GstAdapter *, self->n_planes);
  for (guint i = 0; i < self->n_planes; i++)
    self->planes[i] = gst_adapter_new ();
  nda_align_init (&self->align, info.rate);
  self->unseen = GST_CLOCK_TIME_NONE;
  self->pool = nda_block_pool_new (caps, &info, self->n_block_frames);

  nda_frame_clock_init (&self->clock, info.rate);
  g_atomic_int_set (&self->rate, info.rate);
  g_atomic_int_set (&self->step, self->n_block_frames);
  self->last_n_frames = 0;
  return self->pool != NULL;
}

const GstAudioInfo *
nda_regroup_get_info (NdaRegroup * self)
{
  return &self->info;
}

/* The pool of whole blocks (transfer none), NULL before there is a format. */
GstBufferPool *
nda_regroup_get_pool (NdaRegroup * self)
{
  return self->pool;
}

static void
mark_discont (NdaRegroup * self, GstBuffer * buffer)
{
  if (self->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  else
    GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
}

/* The waiting bytes, in each plane */
static gsize
n_waiting_bytes (NdaRegroup * self)
{
  return self->n_planes ? gst_adapter_available (self->planes[0]) : 0;
}

static gsize
n_waiting_frames (NdaRegroup * self)
{
  gsize n_bytes = n_waiting_bytes (self);

  return n_bytes ? n_bytes / self->plane_bpf : 0;
}

static void
copy_planes (NdaRegroup * self, GstBuffer * buffer, guint n_frames)
{
  gsize n_bytes = (gsize) n_frames * self->plane_bpf;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    g_error ("system memory of a pool cannot be mapped");
  for (guint i = 0; i < self->n_planes; i++) {
    gst_adapter_copy (self->planes[i], map.data + i * n_bytes, 0, n_bytes);
    gst_adapter_flush (self->planes[i], n_bytes);
  }
  gst_buffer_unmap (buffer, &map);
}

/* Makes a buffer of the next @n_frames that wait. */
static GstBuffer *
take_frames (NdaRegroup * self, guint n_frames)
{
  GstBuffer *buffer = NULL;
  const guint64 start = self->n_queued - n_waiting_frames (self);

  if (gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL) != GST_FLOW_OK)
    buffer = nda_block_buffer_new ((gsize) self->n_block_frames
        * self->info.bpf);
  gst_buffer_set_size (buffer, (gssize) n_frames * self->info.bpf);
  copy_planes (self, buffer, n_frames);
  if (self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    gst_buffer_add_audio_meta (buffer, &self->info, n_frames, NULL);
  nda_keep_give (&self->keep, buffer, start, start + n_frames, self->info.rate);

  if (self->rest_is_gap)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  /* only a part of the last waiting buffer can be left */
  self->rest_is_gap = self->last_is_gap;
  mark_discont (self, buffer);
  nda_frame_clock_stamp (&self->clock, buffer, n_frames);
  return buffer;
}

/* Ends the run of frames: the rest goes out as a short block, before all
 * else. */
static void
cut (NdaRegroup * self)
{
  guint n_frames = n_waiting_frames (self);

  if (n_frames)
    self->cut = take_frames (self, n_frames);
  self->discont = TRUE;
  self->last_n_frames = 0;
}

/* Whether @buffer is one more whole block just after the last one: then no
 * other check is needed. */
static gboolean
is_next_block (NdaRegroup * self, GstBuffer * buffer, guint n_frames)
{
  return n_frames == self->n_block_frames && self->last_n_frames == n_frames
      && GST_BUFFER_PTS_IS_VALID (buffer)
      && GST_BUFFER_PTS (buffer) == self->clock.end
      && !GST_BUFFER_IS_DISCONT (buffer) && !n_waiting_bytes (self);
}

/* Lets @buffer pass unchanged. Planes without a description lie one after the
 * other, as in buffers of other lengths. */
static void
take_whole (NdaRegroup * self, GstBuffer * buffer, guint n_frames)
{
  self->whole = gst_buffer_make_writable (buffer);
  self->n_whole = n_frames;
  if (self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED
      && !gst_buffer_get_audio_meta (self->whole))
    gst_buffer_add_audio_meta (self->whole, &self->info, n_frames, NULL);
}

static void
take_next_block (NdaRegroup * self, GstBuffer * buffer)
{
  self->unseen = GST_BUFFER_PTS (buffer);
  self->last_is_gap = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);
  self->rest_is_gap = self->last_is_gap;
  take_whole (self, buffer, self->n_block_frames);
}

/* Whether @buffer passes unchanged, although it is short: whole blocks
 * follow. */
static gboolean
is_leading (NdaRegroup * self, GstBuffer * buffer, guint n_frames)
{
  return GST_BUFFER_FLAG_IS_SET (buffer, NDA_BLOCK_FLAG_LEADING)
      && self->keeps_grid && n_frames < self->n_block_frames
      && !n_waiting_bytes (self);
}

/* Passes the buffer before to align, if that was not done. */
static void
show_unseen (NdaRegroup * self)
{
  if (!GST_CLOCK_TIME_IS_VALID (self->unseen))
    return;
  nda_align_is_discont (&self->align, TRUE, self->unseen, self->n_block_frames);
  self->unseen = GST_CLOCK_TIME_NONE;
}

/* Whether @buffer does not follow what came before. */
static gboolean
is_discontinuity (NdaRegroup * self, GstBuffer * buffer, guint n_frames)
{
  gboolean flagged = GST_BUFFER_IS_DISCONT (buffer);

  if (!GST_BUFFER_PTS_IS_VALID (buffer))
    return flagged;
  show_unseen (self);
  return nda_align_is_discont (&self->align, flagged, GST_BUFFER_PTS (buffer),
      n_frames);
}

/* The next buffer follows no other. */
static void
forget_alignment (NdaRegroup * self)
{
  self->unseen = GST_CLOCK_TIME_NONE;
  nda_align_forget (&self->align);
}

/* Sets the clock where @buffer begins. Without a time stamp, it goes on. */
static void
rebase (NdaRegroup * self, GstBuffer * buffer)
{
  if (GST_BUFFER_PTS_IS_VALID (buffer))
    nda_frame_clock_rebase (&self->clock, GST_BUFFER_PTS (buffer));
  else if (!GST_CLOCK_TIME_IS_VALID (self->clock.base))
    nda_frame_clock_rebase (&self->clock, self->segment_start);
}

/* Learns from the length before @n_frames how frames arrive. A length counts
 * only once another buffer has followed it: the last one may be short. */
static void
learn_step (NdaRegroup * self, guint n_frames)
{
  guint a = g_atomic_int_get (&self->step), b = self->last_n_frames;

  while (b) {
    guint rest = a % b;
    a = b;
    b = rest;
  }
  g_atomic_int_set (&self->step, a);
  self->last_n_frames = n_frames;
}

static void
queue_frames (NdaRegroup * self, GstBuffer * buffer, guint n_frames)
{
  GstAudioMeta *meta = gst_buffer_get_audio_meta (buffer);
  gsize n_bytes = (gsize) n_frames * self->plane_bpf;

  nda_keep_add (&self->keep, buffer, self->n_queued, self->n_queued + n_frames);
  self->n_queued += n_frames;
  if (self->n_planes == 1) {
    gst_adapter_push (self->planes[0], buffer);
    return;
  }
  for (guint i = 0; i < self->n_planes; i++) {
    gsize offset = meta && meta->offsets ? meta->offsets[i] : i * n_bytes;

    gst_adapter_push (self->planes[i],
        gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, offset,
            n_bytes));
  }
  gst_buffer_unref (buffer);
}

/* Takes @buffer (transfer full). All blocks must have been popped. */
gboolean
nda_regroup_push (NdaRegroup * self, GstBuffer * buffer, GError ** error)
{
  guint n_frames;

  g_assert (!self->cut && !self->whole);

  if (!nda_block_count_frames (buffer, &self->info, &n_frames, error)) {
    gst_buffer_unref (buffer);
    return FALSE;
  }
  if (!n_frames) {
    self->discont |= GST_BUFFER_IS_DISCONT (buffer);
    gst_buffer_unref (buffer);
    return TRUE;
  }

  if (is_next_block (self, buffer, n_frames)) {
    take_next_block (self, buffer);
    return TRUE;
  }
  if (is_discontinuity (self, buffer, n_frames)
      && GST_CLOCK_TIME_IS_VALID (self->clock.base)) {
    cut (self);
    self->n_discontinuities++;
    rebase (self, buffer);
  } else if (!GST_CLOCK_TIME_IS_VALID (self->clock.base)) {
    self->discont |= GST_BUFFER_IS_DISCONT (buffer);
    rebase (self, buffer);
  }
  if (is_leading (self, buffer, n_frames)) {
    self->last_n_frames = 0;
    take_whole (self, buffer, n_frames);
    return TRUE;
  }
  learn_step (self, n_frames);

  self->last_is_gap = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);
  if (!n_waiting_frames (self)) {
    self->rest_is_gap = self->last_is_gap;
    if (n_frames == self->n_block_frames) {
      take_whole (self, buffer, n_frames);
      return TRUE;
    }
  } else {
    self->rest_is_gap &= self->last_is_gap;
  }
  queue_frames (self, buffer, n_frames);
  return TRUE;
}

/* The next block (transfer full), or NULL until more is pushed. Shorter than
 * a block only before a discontinuity. */
GstBuffer *
nda_regroup_pop (NdaRegroup * self)
{
  if (self->cut)
    return g_steal_pointer (&self->cut);

  if (self->whole) {
    mark_discont (self, self->whole);
    nda_frame_clock_stamp (&self->clock, self->whole, self->n_whole);
    return g_steal_pointer (&self->whole);
  }

  if (n_waiting_bytes (self) < (gsize) self->n_block_frames * self->plane_bpf)
    return NULL;
  return take_frames (self, self->n_block_frames);
}

/* Returns the rest at the end of a segment or stream (transfer full), shorter
 * than a block, or NULL. */
GstBuffer *
nda_regroup_drain (NdaRegroup * self)
{
  guint n_frames = n_waiting_frames (self);

  self->last_n_frames = 0;
  return n_frames ? take_frames (self, n_frames) : NULL;
}

/* Begins a segment: frames and times are counted from the start. The rest of
 * the old one must have been drained. */
void
nda_regroup_start_segment (NdaRegroup * self, const GstSegment * segment)
{
  nda_frame_clock_init (&self->clock,
      self->n_planes ? self->info.rate : NDA_BLOCK_RATE);
  self->segment_start = segment->format == GST_FORMAT_TIME
      && GST_CLOCK_TIME_IS_VALID (segment->start) ? segment->start : 0;
  forget_alignment (self);
}

/* Drops all waiting frames, and the time. */
void
nda_regroup_flush (NdaRegroup * self)
{
  gst_clear_buffer (&self->cut);
  gst_clear_buffer (&self->whole);
  for (guint i = 0; i < self->n_planes; i++)
    gst_adapter_clear (self->planes[i]);
  nda_keep_forget (&self->keep);
  nda_regroup_mark_gap (self);
}

/* Forgets the stream: as new. */
void
nda_regroup_reset (NdaRegroup * self)
{
  clear_format (self);
  gst_audio_info_init (&self->info);
  nda_frame_clock_init (&self->clock, NDA_BLOCK_RATE);
  self->segment_start = 0;
  self->discont = FALSE;
  self->last_n_frames = 0;
  self->n_discontinuities = 0;
  g_atomic_int_set (&self->step, self->n_block_frames);
}

/* The next buffer does not follow the last one, and that is known: after a GAP
 * event or a flush. The clock starts again with the next buffer. */
void
nda_regroup_mark_gap (NdaRegroup * self)
{
  nda_frame_clock_rebase (&self->clock, GST_CLOCK_TIME_NONE);
  forget_alignment (self);
  self->discont = TRUE;
  self->last_n_frames = 0;
}

/* How many frames wait for their block to fill. */
guint
nda_regroup_get_n_waiting (NdaRegroup * self)
{
  return n_waiting_frames (self);
}

/* How often a buffer did not follow the one before. */
guint64
nda_regroup_get_n_discontinuities (NdaRegroup * self)
{
  return self->n_discontinuities;
}

/* The longest time that a frame waits for its block to fill, beyond its own
 * buffer: nothing if whole blocks arrive, otherwise a block less the smallest
 * step. From any thread. */
GstClockTime
nda_regroup_get_latency (NdaRegroup * self)
{
  guint step = g_atomic_int_get (&self->step);

  if (G_LIKELY (step == self->n_block_frames))
    return 0;
  return nda_block_frames_to_time (self->n_block_frames - step,
      g_atomic_int_get (&self->rate));
}
