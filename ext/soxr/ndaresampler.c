/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaresampler.h"

#include "ndablock.h"
#include "ndasamples.h"

#include <string.h>

/* How many frames are converted to or from a sample format, or made of
 * silence, at a time */
#define CHUNK_FRAMES NDA_BLOCK_FRAMES

struct _NdaResampler
{
  GstAudioInfo in;              /* [const] */
  GstAudioInfo out;             /* [const] */
  GstBufferPool *pool;          /* owned; blocks */
  GstAudioStreamAlign *align;   /* owned; finds unmarked discontinuities */

  /* in -> work -> [converter] -> work -> out */
  NdaConverter *converter;      /* owned; NULL: equal rates */
  GstAudioInfo work;            /* [const] what the converter takes and gives */
  guint8 *work_in;              /* owned; a chunk; NULL: work is as in */
  guint8 *work_out;             /* owned; a chunk; NULL: work is as out */
  guint8 *silence;              /* owned; a chunk of zeros, in any format */
  NdaResamplerGlide glide;      /* [const] steer is NULL: the ratio is fixed */

  GstBuffer *input;             /* owned; what is being taken, mapped */
  GstMapInfo input_map;
  guint input_plane[NDA_BLOCK_MAX_CHANNELS];    /* where each begins, bytes */
  guint n_input;                /* frames in it */
  guint n_used;                 /* of these have been taken */

  GstBuffer *block;             /* owned; what is being filled, mapped */
  GstMapInfo block_map;
  guint n_filled;               /* frames in it */

  guint64 n_in;                 /* frames taken since the last flush */
  guint64 n_out;                /* frames given since then */

  gint64 n_run_taken;           /* frames that the converter took since the run
                                 * began; negative: what primed it */
  guint n_to_drop;              /* frames out that were primed with */
  gdouble block_start;          /* the block's first frame, in the run's input */
  guint64 n_run_in;             /* frames taken since the run began */
  guint64 n_run_out;            /* frames given since then */
  GstClockTime run_start;       /* its first time stamp, or NONE */
  gboolean has_run;             /* a buffer has come */
  gboolean discont;             /* the next block out follows a cut */
  gdouble gap_start;            /* the last gap of the run, in its input */
  gdouble gap_end;              /* G_MAXDOUBLE as long as it lasts */
};

/* --- formats --- */

static void
set_format (GstAudioInfo * info, GstAudioFormat format)
{
  info->finfo = gst_audio_format_get_info (format);
  info->bpf = info->channels * GST_AUDIO_FORMAT_INFO_WIDTH (info->finfo) / 8;
}

/* Samples that the converter takes and that keep what the output keeps. */
static GstAudioFormat
choose_work_format (GstAudioFormat in, GstAudioFormat out)
{
  if (in == out && nda_soxr_takes_format (in))
    return in;
  if (in == GST_AUDIO_FORMAT_F64 || out == GST_AUDIO_FORMAT_F64)
    return GST_AUDIO_FORMAT_F64;
  if (in == GST_AUDIO_FORMAT_F32 || out == GST_AUDIO_FORMAT_F32)
    return GST_AUDIO_FORMAT_F32;
  return GST_AUDIO_FORMAT_S32;
}

static gboolean
open_soxr (NdaResampler * self, NdaQuality quality, GError ** error)
{
  self->work = self->in;
  if (self->in.rate == self->out.rate)
    return TRUE;
  set_format (&self->work, choose_work_format (self->in.finfo->format,
          self->out.finfo->format));
  self->converter = nda_soxr_new (&self->work, self->out.rate, quality, error);
  return self->converter != NULL;
}

static void
open_polyphase (NdaResampler * self, const NdaResamplerGlide * glide)
{
  if (glide)
    self->glide = *glide;
  self->work = self->in;
  set_format (&self->work, GST_AUDIO_FORMAT_F32);
  self->converter = nda_polyphase_converter_new (&self->work, self->out.rate,
      glide ? NDA_POLYPHASE_GLIDING : NDA_POLYPHASE_FIXED);
}

static void
allocate_chunks (NdaResampler * self)
{
  gsize n_bytes = (gsize) CHUNK_FRAMES * self->work.bpf;

  self->silence = g_malloc0 (n_bytes);
  if (self->work.finfo != self->in.finfo)
    self->work_in = g_malloc (n_bytes);
  if (self->work.finfo != self->out.finfo)
    self->work_out = g_malloc (n_bytes);
}

static void
start_run (NdaResampler * self)
{
  self->n_run_in = 0;
  self->n_run_out = 0;
  self->n_run_taken = 0;
  self->n_to_drop = 0;
  self->run_start = GST_CLOCK_TIME_NONE;
  self->has_run = FALSE;
  /* before the first frame there was silence */
  self->gap_start = -G_MAXDOUBLE;
  self->gap_end = G_MAXDOUBLE;
}

/* All but the converter. */
static NdaResampler *
new_resampler (const GstAudioInfo * in, GstCaps * out_caps)
{
  NdaResampler *self = g_new0 (NdaResampler, 1);

  self->in = *in;
  if (!gst_audio_info_from_caps (&self->out, out_caps))
    g_assert_not_reached ();
  self->align = nda_block_align_new (in->rate);
  self->pool = nda_block_pool_new (out_caps, &self->out, NDA_BLOCK_FRAMES);
  if (!self->pool)
    g_error ("no memory for a pool of blocks");
  start_run (self);
  return self;
}

/* From frames of @in to blocks of @out_caps, which have its channels and
 * layout; NULL, and *@error set, where the rates cannot be bridged. */
NdaResampler *
nda_resampler_new (const GstAudioInfo * in, GstCaps * out_caps,
    NdaQuality quality, GError ** error)
{
  g_autoptr (NdaResampler) self = new_resampler (in, out_caps);

  if (!open_soxr (self, quality, error))
    return NULL;
  allocate_chunks (self);
  return g_steal_pointer (&self);
}

NdaResampler *
nda_resampler_new_polyphase (const GstAudioInfo * in, GstCaps * out_caps,
    const NdaResamplerGlide * glide)
{
  NdaResampler *self = new_resampler (in, out_caps);

  open_polyphase (self, glide);
  allocate_chunks (self);
  return self;
}

/* --- the buffers at both ends --- */

static void
close_input (NdaResampler * self)
{
  if (!self->input)
    return;
  gst_buffer_unmap (self->input, &self->input_map);
  gst_clear_buffer (&self->input);
  self->n_input = self->n_used = 0;
}

static void
find_planes (NdaResampler * self)
{
  GstAudioMeta *meta = gst_buffer_get_audio_meta (self->input);
  const guint n_bytes = self->n_input * self->in.bpf / self->in.channels;
  gboolean has_offsets = meta && meta->offsets
      && self->in.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;

  for (gint i = 0; i < self->in.channels; i++)
    self->input_plane[i] = has_offsets ? meta->offsets[i] : i * n_bytes;
}

/* Where the next frame out lies, in frames of the run's input. */
static gdouble
get_position (NdaResampler * self)
{
  if (!self->glide.steer)
    return self->n_run_out * (gdouble) self->in.rate / self->out.rate;
  return self->n_run_taken
      - self->converter->kind->get_pending (self->converter);
}

static void
steer (NdaResampler * self)
{
  gdouble factor = self->glide.steer (self->glide.user_data, self->block_start,
      self->n_run_out);

  self->converter->kind->glide (self->converter, factor, NDA_BLOCK_FRAMES);
}

static void
begin_block (NdaResampler * self)
{
  self->n_filled = 0;
  self->block_start = get_position (self);
  if (self->glide.steer && !self->n_to_drop)
    steer (self);
}

static void
open_block (NdaResampler * self)
{
  if (gst_buffer_pool_acquire_buffer (self->pool, &self->block, NULL)
      != GST_FLOW_OK)
    self->block = gst_buffer_new_allocate (NULL,
        (gsize) NDA_BLOCK_FRAMES * self->out.bpf, NULL);
  if (!gst_buffer_map (self->block, &self->block_map, GST_MAP_WRITE))
    g_error ("system memory of a pool cannot be mapped");
  begin_block (self);
}

static void
drop_block (NdaResampler * self)
{
  if (self->block)
    gst_buffer_unmap (self->block, &self->block_map);
  gst_clear_buffer (&self->block);
  self->n_filled = 0;
}

/* Whether nothing can be heard in the block but what was GAP. */
static gboolean
is_gap (NdaResampler * self)
{
  const gdouble in_per_out = (gdouble) self->in.rate / self->out.rate;
  const gdouble reach = self->converter ? self->converter->reach : 0;
  const gdouble last = get_position (self) - in_per_out;

  return self->gap_start <= self->block_start - reach
      && last + reach < self->gap_end;
}

static void
add_planes (NdaResampler * self, GstBuffer * block)
{
  const gsize n_bytes = NDA_BLOCK_FRAMES * self->out.bpf / self->out.channels;
  gsize offsets[NDA_BLOCK_MAX_CHANNELS];

  for (gint i = 0; i < self->out.channels; i++)
    offsets[i] = i * n_bytes;
  gst_buffer_add_audio_meta (block, &self->out, self->n_filled, offsets);
}

static void
stamp (NdaResampler * self, GstBuffer * block)
{
  const gdouble ns = (gdouble) GST_SECOND / self->in.rate;

  GST_BUFFER_PTS (block) = self->run_start;
  if (!self->glide.stamps_by_input) {
    self->run_start = GST_CLOCK_TIME_NONE;
  } else if (GST_CLOCK_TIME_IS_VALID (self->run_start)) {
    GST_BUFFER_PTS (block) += (GstClockTime) (self->block_start * ns);
    GST_BUFFER_DURATION (block) = (GstClockTime) ((get_position (self)
            - self->block_start) * ns);
  }
}

/* The block as it is now (transfer full). */
static GstBuffer *
close_block (NdaResampler * self)
{
  GstBuffer *block = g_steal_pointer (&self->block);

  if (is_gap (self)) {
    /* what is left there of a transform's rounding is no sound */
    memset (self->block_map.data, 0, self->block_map.size);
    GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAG_GAP);
  }
  gst_buffer_unmap (block, &self->block_map);
  if (self->out.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    add_planes (self, block);
  else
    gst_buffer_set_size (block, (gssize) self->n_filled * self->out.bpf);

  stamp (self, block);
  if (self->discont)
    GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  self->n_filled = 0;
  return block;
}

/* --- frames --- */

/* Where each plane of @data begins, @offset frames in, if there is room for
 * @n_room frames. */
static void
point_at (gpointer * planes, guint8 * data, const GstAudioInfo * info,
    gsize n_room, gsize offset)
{
  const gsize n_bytes = info->bpf / info->channels;

  if (info->layout == GST_AUDIO_LAYOUT_INTERLEAVED) {
    planes[0] = data + offset * info->bpf;
    return;
  }
  for (gint i = 0; i < info->channels; i++)
    planes[i] = data + (i * n_room + offset) * n_bytes;
}

static void
point_at_input (NdaResampler * self, gpointer * planes)
{
  gboolean is_planar = self->in.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  const gsize n_planes = is_planar ? self->in.channels : 1;
  const gsize offset = self->n_used * (self->in.bpf / n_planes);

  for (gsize i = 0; i < n_planes; i++)
    planes[i] = self->input_map.data + self->input_plane[i] + offset;
}

/* @n_frames of @from as those of @to. */
static void
convert_samples (const GstAudioInfo * from, gpointer * in,
    const GstAudioInfo * to, gpointer * out, gsize n_frames)
{
  if (from->layout == GST_AUDIO_LAYOUT_INTERLEAVED) {
    nda_samples_convert (from->finfo, in[0], to->finfo, out[0],
        n_frames * from->channels);
    return;
  }
  for (gint i = 0; i < from->channels; i++)
    nda_samples_convert (from->finfo, in[i], to->finfo, out[i], n_frames);
}

/* Work frames to others, at another rate. */
static void
convert_rate (NdaResampler * self, gpointer * in, gsize n_in, gpointer * out,
    gsize n_out, gsize * n_taken, gsize * n_given)
{
  if (self->converter) {
    nda_converter_process (self->converter, (gconstpointer const *) in, n_in,
        out, n_out, n_taken, n_given);
    return;
  }
  *n_taken = *n_given = MIN (n_in, n_out);
  convert_samples (&self->work, in, &self->out, out, *n_given);
}

/* Work frames to the block. */
static void
convert (NdaResampler * self, gpointer * in, gsize n_in, gsize n_room,
    gsize * n_taken, gsize * n_given)
{
  gpointer out[NDA_BLOCK_MAX_CHANNELS];
  gpointer work[NDA_BLOCK_MAX_CHANNELS];

  point_at (out, self->block_map.data, &self->out, NDA_BLOCK_FRAMES,
      self->n_filled);
  if (!self->converter || !self->work_out) {
    convert_rate (self, in, n_in, out, n_room, n_taken, n_given);
    return;
  }
  point_at (work, self->work_out, &self->work, CHUNK_FRAMES, 0);
  convert_rate (self, in, n_in, work, n_room, n_taken, n_given);
  convert_samples (&self->work, work, &self->out, out, *n_given);
}

/* Takes up to @n_in frames, of the input or of @silence, for up to @n_room in
 * the block. FALSE when nothing moved. */
static gboolean
fill_block (NdaResampler * self, gboolean silence, gsize n_in, gsize n_room)
{
  gpointer in[NDA_BLOCK_MAX_CHANNELS], work[NDA_BLOCK_MAX_CHANNELS];
  gpointer *from = in;
  gsize n_taken, n_given;

  if (silence || !n_in) {
    n_in = MIN (n_in, CHUNK_FRAMES);
    point_at (in, self->silence, &self->work, CHUNK_FRAMES, 0);
  } else {
    point_at_input (self, in);
    if (self->work_in) {
      n_in = MIN (n_in, CHUNK_FRAMES);
      point_at (work, self->work_in, &self->work, CHUNK_FRAMES, 0);
      convert_samples (&self->in, in, &self->work, work, n_in);
      from = work;
    }
  }
  convert (self, from, n_in, self->n_to_drop ? MIN (self->n_to_drop, n_room) :
      n_room, &n_taken, &n_given);
  self->n_used += n_taken;
  self->n_run_taken += n_taken;
  if (self->n_to_drop) {
    self->n_to_drop -= n_given;
    if (!self->n_to_drop)
      begin_block (self);
    return n_taken || n_given;
  }
  self->n_filled += n_given;
  self->n_run_out += n_given;
  self->n_out += n_given;
  return n_taken || n_given;
}

/* Whether @buffer goes on where the run is now. If not, and frames have come
 * before, the run must be drained. */
gboolean
nda_resampler_follows (NdaResampler * self, GstBuffer * buffer, guint n_frames)
{
  gboolean discont = GST_BUFFER_IS_DISCONT (buffer);

  if (n_frames && GST_BUFFER_PTS_IS_VALID (buffer)
      && (!self->glide.steer || self->glide.stamps_by_input))
    discont = gst_audio_stream_align_process (self->align, discont,
        GST_BUFFER_PTS (buffer), n_frames, NULL, NULL, NULL);
  return !discont || !self->has_run;
}

/* Notes that the next frames to come are GAP, or are not. */
static void
mark_gap (NdaResampler * self, gboolean is_gap_now)
{
  gboolean was_gap = self->gap_end == G_MAXDOUBLE;

  if (is_gap_now && !was_gap) {
    self->gap_start = self->n_run_in;
    self->gap_end = G_MAXDOUBLE;
  } else if (!is_gap_now && was_gap) {
    self->gap_end = self->n_run_in;
  }
}

static gboolean
open_input (NdaResampler * self, GstBuffer * buffer, guint n_frames)
{
  g_assert (!self->input);

  if (!gst_buffer_map (buffer, &self->input_map, GST_MAP_READ)) {
    gst_buffer_unref (buffer);
    return FALSE;
  }
  self->input = buffer;
  self->n_input = n_frames;
  self->n_used = 0;
  find_planes (self);
  return TRUE;
}

/* Takes @buffer (transfer full) of @n_frames, so that the first frame out is
 * the first one of what is pushed next, and continues the sound of @buffer.
 * FALSE: it cannot be read. */
gboolean
nda_resampler_prime (NdaResampler * self, GstBuffer * buffer, guint n_frames)
{
  g_assert (self->glide.steer && self->in.rate == self->out.rate);

  if (!open_input (self, buffer, n_frames))
    return FALSE;
  self->n_to_drop = n_frames;
  self->n_run_taken = -(gint64) n_frames;
  open_block (self);
  while (self->n_used < self->n_input && fill_block (self, FALSE,
          self->n_input - self->n_used, NDA_BLOCK_FRAMES));
  close_input (self);
  return TRUE;
}

/* Takes @buffer (transfer full) of @n_frames. All that pops must have been
 * popped. FALSE: it cannot be read. */
gboolean
nda_resampler_push (NdaResampler * self, GstBuffer * buffer, guint n_frames)
{
  if (!open_input (self, buffer, n_frames))
    return FALSE;
  self->discont |= GST_BUFFER_IS_DISCONT (buffer);
  if (!self->has_run)
    self->run_start = GST_BUFFER_PTS (buffer);
  self->has_run |= n_frames > 0;

  if (n_frames)
    mark_gap (self, GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  self->n_run_in += n_frames;
  self->n_in += n_frames;
  return TRUE;
}

/* The next block (transfer full), or NULL until more is pushed. */
GstBuffer *
nda_resampler_pop (NdaResampler * self)
{
  gboolean moves = self->input != NULL;

  while (moves) {
    if (!self->block)
      open_block (self);
    moves = fill_block (self, self->gap_end == G_MAXDOUBLE,
        self->n_input - self->n_used, NDA_BLOCK_FRAMES - self->n_filled);
    if (self->n_filled == NDA_BLOCK_FRAMES)
      return close_block (self);
  }
  close_input (self);
  if (!self->converter && self->n_filled)
    return close_block (self);
  return NULL;
}

/* How many frames are still to come out of those that came in. */
static guint64
count_left (NdaResampler * self)
{
  gdouble left;

  if (!self->glide.steer)
    return gst_util_uint64_scale_round (self->n_in, self->out.rate,
        self->in.rate) - self->n_out;
  left = (self->n_run_in - get_position (self)) * self->out.rate
      / self->in.rate;
  return left > 0.0 ? (guint64) (left + 0.5) : 0;
}

/* What is left at the end of the run (transfer full): call it until it gives
 * NULL. All that pops must have been popped. The next frame begins another
 * run. */
GstBuffer *
nda_resampler_drain (NdaResampler * self)
{
  guint64 n_left;

  while ((n_left = count_left (self)) > 0) {
    if (!self->block)
      open_block (self);
    fill_block (self, TRUE, CHUNK_FRAMES,
        MIN (NDA_BLOCK_FRAMES - self->n_filled, n_left));
    if (self->n_filled == NDA_BLOCK_FRAMES)
      return close_block (self);
  }
  if (self->n_filled)
    return close_block (self);
  if (self->has_run) {
    if (self->converter)
      nda_converter_restart (self->converter);
    self->discont = TRUE;
  }
  start_run (self);
  return NULL;
}

/* Forgets all frames, and how many there were. */
void
nda_resampler_flush (NdaResampler * self)
{
  close_input (self);
  drop_block (self);
  if (self->converter)
    nda_converter_restart (self->converter);
  gst_audio_stream_align_mark_discont (self->align);
  start_run (self);
  self->discont = FALSE;
  self->n_in = 0;
  self->n_out = 0;
}

/* How long (in s) the sound of now is held. */
gdouble
nda_resampler_get_held (NdaResampler * self)
{
  return (self->n_run_in - get_position (self)) / self->in.rate
      + (gdouble) self->n_filled / self->out.rate;
}

/* How long a frame is held at most, beyond the buffer it came in: until its
 * block is full and the converter has given the last of its frames. */
GstClockTime
nda_resampler_get_latency (NdaResampler * self)
{
  if (!self->converter)
    return 0;
  return nda_block_frames_to_time (NDA_BLOCK_FRAMES, self->out.rate)
      + (GstClockTime) (self->converter->max_lag * GST_SECOND / self->in.rate);
}

void
nda_resampler_free (NdaResampler * self)
{
  close_input (self);
  drop_block (self);
  nda_block_pool_clear (&self->pool);
  g_clear_pointer (&self->align, gst_audio_stream_align_free);
  g_clear_pointer (&self->converter, nda_converter_free);
  g_free (self->work_in);
  g_free (self->work_out);
  g_free (self->silence);
  g_free (self);
}
