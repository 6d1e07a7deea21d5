/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaresampler.h"

#include "ndaalign.h"
#include "ndaframes.h"
#include "ndakeep.h"
#include "ndapolyphaseconverter.h"

/* How many frames are converted to or from a sample format, or made as silence,
 * at a time */
#define CHUNK_FRAMES NDA_BLOCK_FRAMES

struct _NdaResampler
{
  NdaFramesIn in;               /* what is being taken */
  NdaFramesOut out;             /* what is being filled */
  NdaAlign align;               /* finds unmarked discontinuities */

  /* in -> work -> [converter] -> work -> out */
  const NdaConverterMaker *maker;       /* [const] of the converter, or NULL */
  NdaConverter *converter;      /* owned; NULL: equal rates */
  GstAudioInfo work;            /* [const] format of the converter */
  guint8 *work_in;              /* owned; a chunk; NULL: work is as in */
  guint8 *work_out;             /* owned; a chunk; NULL: work is as out */
  guint8 *silence;              /* owned; a chunk of zeros, in any format */
  NdaResamplerGlide glide;      /* [const] steer is NULL: the ratio is fixed */

  NdaKeep keep;                 /* metas and flags of the run's buffers */
  guint64 n_in;                 /* frames taken since the last flush */
  guint64 n_out;                /* frames given since then */

  gint64 n_run_taken;           /* frames that the converter took since the
                                 * run began; negative: priming */
  guint n_to_drop;              /* frames out of the priming */
  gdouble block_start;          /* the block's first frame, in input frames */
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

/* Chooses a format that @maker takes and that loses nothing of the output's, if
 * there is one. */
static GstAudioFormat
choose_work_format (const NdaConverterMaker * maker, GstAudioFormat in,
    GstAudioFormat out)
{
  GstAudioFormat format = GST_AUDIO_FORMAT_S32;

  if (in == out && maker->takes_format (in))
    return in;
  if (in == GST_AUDIO_FORMAT_F64 || out == GST_AUDIO_FORMAT_F64)
    format = GST_AUDIO_FORMAT_F64;
  else if (in == GST_AUDIO_FORMAT_F32 || out == GST_AUDIO_FORMAT_F32)
    format = GST_AUDIO_FORMAT_F32;
  return maker->takes_format (format) ? format : GST_AUDIO_FORMAT_F32;
}

static gboolean
open_converter (NdaResampler * self, const NdaConverterMaker * maker,
    NdaQuality quality, GError ** error)
{
  if (self->in.info.rate == self->out.info.rate)
    return TRUE;
  set_format (&self->work, choose_work_format (maker,
          self->in.info.finfo->format, self->out.info.finfo->format));
  self->maker = maker;
  self->converter = maker->make (&self->work, self->out.info.rate, quality,
      error);
  return self->converter != NULL;
}

static void
open_gliding_converter (NdaResampler * self)
{
  set_format (&self->work, GST_AUDIO_FORMAT_F32);
  self->maker = &nda_polyphase_maker;
  self->converter = nda_polyphase_converter_new (&self->work,
      self->out.info.rate, NDA_POLYPHASE_GLIDING);
}

static void
allocate_chunks (NdaResampler * self)
{
  gsize n_bytes = (gsize) CHUNK_FRAMES * self->work.bpf;

  self->silence = g_malloc0 (n_bytes);
  if (self->work.finfo != self->in.info.finfo)
    self->work_in = g_malloc (n_bytes);
  if (self->work.finfo != self->out.info.finfo)
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
  nda_keep_forget (&self->keep);
  /* before the first frame there was silence */
  self->gap_start = -G_MAXDOUBLE;
  self->gap_end = G_MAXDOUBLE;
}

/* Makes all but the converter. */
static NdaResampler *
new_resampler (const GstAudioInfo * in, GstCaps * out_caps)
{
  NdaResampler *self = g_new0 (NdaResampler, 1);

  self->in.info = self->work = *in;
  nda_frames_out_init (&self->out, out_caps);
  nda_align_init (&self->align, in->rate);
  nda_keep_init (&self->keep);
  start_run (self);
  return self;
}

NdaResampler *
nda_resampler_new (const GstAudioInfo * in, GstCaps * out_caps,
    const NdaConverterMaker * maker, NdaQuality quality, GError ** error)
{
  g_autoptr (NdaResampler) self = new_resampler (in, out_caps);

  if (!open_converter (self, maker, quality, error))
    return NULL;
  allocate_chunks (self);
  return g_steal_pointer (&self);
}

NdaResampler *
nda_resampler_new_gliding (const GstAudioInfo * in, GstCaps * out_caps,
    const NdaResamplerGlide * glide)
{
  NdaResampler *self = new_resampler (in, out_caps);

  self->glide = *glide;
  open_gliding_converter (self);
  allocate_chunks (self);
  return self;
}

/* --- blocks --- */

/* The position of the next frame out, in frames of the run's input. */
static gdouble
get_position (NdaResampler * self)
{
  if (!self->glide.steer)
    return self->n_run_out * (gdouble) self->in.info.rate / self->out.info.rate;
  return self->n_run_taken
      - self->converter->kind->get_pending (self->converter);
}

/* Called at the beginning of a block */
static void
steer (NdaResampler * self)
{
  gdouble held = (self->n_run_in - self->block_start) / self->in.info.rate;
  gdouble factor = self->glide.steer (self->glide.user_data, self->block_start,
      self->n_run_out, held);

  self->converter->kind->glide (self->converter, factor, NDA_BLOCK_FRAMES);
}

static void
begin_block (NdaResampler * self)
{
  self->out.n_filled = 0;
  self->block_start = get_position (self);
  if (self->glide.steer && !self->n_to_drop)
    steer (self);
}

static void
open_block (NdaResampler * self)
{
  nda_frames_out_open (&self->out);
  begin_block (self);
}

/* Whether only GAP can be heard in the block. */
static gboolean
is_gap (NdaResampler * self)
{
  const gdouble in_per_out = (gdouble) self->in.info.rate / self->out.info.rate;
  const gdouble reach = self->converter ? self->converter->reach : 0;
  const gdouble last = get_position (self) - in_per_out;

  return self->gap_start <= self->block_start - reach
      && last + reach < self->gap_end;
}

static void
stamp (NdaResampler * self, GstBuffer * block)
{
  const gdouble ns = (gdouble) GST_SECOND / self->in.info.rate;

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
  gboolean is_gap_now = is_gap (self);
  GstBuffer *block;

  /* the rounding noise of a transform is no sound */
  block = nda_frames_out_close (&self->out, is_gap_now);
  if (is_gap_now)
    GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAG_GAP);
  stamp (self, block);
  nda_keep_give (&self->keep, block, self->block_start, get_position (self),
      self->in.info.rate);
  if (self->discont)
    GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  return block;
}

/* --- frames --- */

/* Converts work frames to another rate. */
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
  nda_frames_convert (&self->work, in, &self->out.info, out, *n_given);
}

/* Converts work frames into the block. */
static void
convert (NdaResampler * self, gpointer * in, gsize n_in, gsize n_room,
    gsize * n_taken, gsize * n_given)
{
  gpointer out[NDA_BLOCK_MAX_CHANNELS];
  gpointer work[NDA_BLOCK_MAX_CHANNELS];

  nda_frames_out_point (&self->out, out);
  if (!self->converter || !self->work_out) {
    convert_rate (self, in, n_in, out, n_room, n_taken, n_given);
    return;
  }
  nda_frames_point (&self->work, self->work_out, CHUNK_FRAMES, 0, work);
  convert_rate (self, in, n_in, work, n_room, n_taken, n_given);
  nda_frames_convert (&self->work, work, &self->out.info, out, *n_given);
}

/* Takes up to @n_in frames, of the input or of @silence, for up to @n_room in
 * the block. FALSE: no frame moved. */
static gboolean
fill_block (NdaResampler * self, gboolean silence, gsize n_in, gsize n_room)
{
  gpointer in[NDA_BLOCK_MAX_CHANNELS], work[NDA_BLOCK_MAX_CHANNELS];
  gpointer *from = in;
  gsize n_taken, n_given;

  if (silence || !n_in) {
    n_in = MIN (n_in, CHUNK_FRAMES);
    nda_frames_point (&self->work, self->silence, CHUNK_FRAMES, 0, in);
  } else {
    nda_frames_in_point (&self->in, in);
    if (self->work_in) {
      n_in = MIN (n_in, CHUNK_FRAMES);
      nda_frames_point (&self->work, self->work_in, CHUNK_FRAMES, 0, work);
      nda_frames_convert (&self->in.info, in, &self->work, work, n_in);
      from = work;
    }
  }
  convert (self, from, n_in, self->n_to_drop ? MIN (self->n_to_drop, n_room) :
      n_room, &n_taken, &n_given);
  self->in.n_used += n_taken;
  self->n_run_taken += n_taken;
  if (self->n_to_drop) {
    self->n_to_drop -= n_given;
    if (!self->n_to_drop)
      begin_block (self);
    return n_taken || n_given;
  }
  self->out.n_filled += n_given;
  self->n_run_out += n_given;
  self->n_out += n_given;
  return n_taken || n_given;
}

/* Whether @buffer follows the run directly. If not, and frames have come
 * before, the run must be drained. */
gboolean
nda_resampler_follows (NdaResampler * self, GstBuffer * buffer, guint n_frames)
{
  gboolean discont = GST_BUFFER_IS_DISCONT (buffer);

  if (n_frames && GST_BUFFER_PTS_IS_VALID (buffer)
      && (!self->glide.steer || self->glide.stamps_by_input))
    discont = nda_align_is_discont (&self->align, discont,
        GST_BUFFER_PTS (buffer), n_frames);
  return !discont || !self->has_run;
}

/* Notes whether the next frames are GAP. */
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

/* Takes @buffer (transfer full) of @n_frames as the past: the first frame out
 * is the first frame of the next push, and continues the sound of @buffer.
 * FALSE: it cannot be read. */
gboolean
nda_resampler_prime (NdaResampler * self, GstBuffer * buffer, guint n_frames)
{
  g_assert (self->glide.steer && self->in.info.rate == self->out.info.rate);

  if (!nda_frames_in_open (&self->in, buffer, n_frames))
    return FALSE;
  self->n_to_drop = n_frames;
  self->n_run_taken = -(gint64) n_frames;
  open_block (self);
  while (self->in.n_used < self->in.n_frames && fill_block (self, FALSE,
          self->in.n_frames - self->in.n_used, NDA_BLOCK_FRAMES));
  nda_frames_in_close (&self->in);
  return TRUE;
}

/* Takes @buffer (transfer full) of @n_frames. All blocks must have been popped.
 * FALSE: it cannot be read. */
gboolean
nda_resampler_push (NdaResampler * self, GstBuffer * buffer, guint n_frames)
{
  if (!nda_frames_in_open (&self->in, buffer, n_frames))
    return FALSE;
  self->discont |= GST_BUFFER_IS_DISCONT (buffer);
  if (!self->has_run)
    self->run_start = GST_BUFFER_PTS (buffer);
  self->has_run |= n_frames > 0;

  if (n_frames)
    mark_gap (self, GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  nda_keep_add (&self->keep, buffer, self->n_run_in, self->n_run_in + n_frames);
  self->n_run_in += n_frames;
  self->n_in += n_frames;
  return TRUE;
}

/* The next block (transfer full), or NULL until more is pushed. */
GstBuffer *
nda_resampler_pop (NdaResampler * self)
{
  gboolean moves = self->in.buffer != NULL;

  while (moves) {
    if (!self->out.block)
      open_block (self);
    moves = fill_block (self, self->gap_end == G_MAXDOUBLE,
        self->in.n_frames - self->in.n_used,
        NDA_BLOCK_FRAMES - self->out.n_filled);
    if (self->out.n_filled == NDA_BLOCK_FRAMES)
      return close_block (self);
  }
  nda_frames_in_close (&self->in);
  if (!self->converter && self->out.n_filled)
    return close_block (self);
  return NULL;
}

/* How many frames of the input are still to come out. */
static guint64
count_left (NdaResampler * self)
{
  gdouble left;

  if (!self->glide.steer)
    return gst_util_uint64_scale_round (self->n_in, self->out.info.rate,
        self->in.info.rate) - self->n_out;
  left = (self->n_run_in - get_position (self)) * self->out.info.rate
      / self->in.info.rate;
  return left > 0.0 ? (guint64) (left + 0.5) : 0;
}

/* Returns the rest of the run, block by block (transfer full), until it returns
 * NULL. All blocks must have been popped before. The next frame begins another
 * run. */
GstBuffer *
nda_resampler_drain (NdaResampler * self)
{
  guint64 n_left;

  while ((n_left = count_left (self)) > 0) {
    if (!self->out.block)
      open_block (self);
    fill_block (self, TRUE, CHUNK_FRAMES,
        MIN (NDA_BLOCK_FRAMES - self->out.n_filled, n_left));
    if (self->out.n_filled == NDA_BLOCK_FRAMES)
      return close_block (self);
  }
  if (self->out.n_filled)
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
  nda_frames_in_close (&self->in);
  nda_frames_out_drop (&self->out);
  if (self->converter)
    nda_converter_restart (self->converter);
  nda_align_forget (&self->align);
  start_run (self);
  self->discont = FALSE;
  self->n_in = 0;
  self->n_out = 0;
}

/* How long a frame is held at most, beyond the buffer it came in: until its
 * block is full and the converter has given the last of its frames. */
GstClockTime
nda_resampler_get_latency (NdaResampler * self)
{
  if (!self->converter)
    return 0;
  return nda_block_frames_to_time (NDA_BLOCK_FRAMES, self->out.info.rate)
      + (GstClockTime) (self->converter->max_lag * GST_SECOND
      / self->in.info.rate);
}

const NdaConverterMaker *
nda_resampler_get_maker (NdaResampler * self)
{
  return self->maker;
}

void
nda_resampler_free (NdaResampler * self)
{
  nda_frames_in_close (&self->in);
  nda_frames_out_clear (&self->out);
  nda_align_clear (&self->align);
  nda_keep_clear (&self->keep);
  g_clear_pointer (&self->converter, nda_converter_free);
  g_free (self->work_in);
  g_free (self->work_out);
  g_free (self->silence);
  g_free (self);
}
