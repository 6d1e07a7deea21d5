/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A rate converter, as a table of functions: it takes frames at one rate and
 * gives frames at another. Frames come as pointers: one for all channels if
 * they are interleaved, otherwise one for each channel. The first frame out has
 * the time of the first frame in. A converter has no end: to get the last
 * frames, a caller converts silence after them.
 *
 * A maker, another table, makes converters. nda has its own
 * (ndapolyphaseconverter.h). A library adds another in its own folder, for
 * example ext/soxr. gst/resample/plugin lists all that were built.
 *
 * A converter belongs to one streaming thread: no locks. Makers have no state:
 * any thread may call them. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

/* How exactly to convert. A maker with only one quality uses that. */
typedef enum
{
  NDA_QUALITY_QUICK,            /* cubic interpolation, no filter */
  NDA_QUALITY_LOW,              /* 16 bits, rolling off early */
  NDA_QUALITY_MEDIUM,           /* 16 bits */
  NDA_QUALITY_HIGH,             /* 20 bits */
  NDA_QUALITY_VERY_HIGH,        /* 28 bits */
} NdaQuality;

typedef struct _NdaConverter NdaConverter;

typedef struct
{
  /* Takes up to @n_in frames and gives up to @n_out. If both may move, at least
   * one frame does. Does not allocate in steady state. */
  void (*process) (NdaConverter * self, gconstpointer const *in, gsize n_in,
      gpointer const *out, gsize n_out, gsize * n_taken, gsize * n_given);
  /* NULL: the ratio is fixed. Changes the ratio smoothly, from the next frame
   * on, within @n_frames, to @factor times as many frames out as the two rates
   * give. */
  void (*glide) (NdaConverter * self, gdouble factor, guint n_frames);
  /* NULL: the ratio is fixed. Returns how many of the frames taken lie after
   * the next frame out, including it. */
  gdouble (*get_pending) (NdaConverter * self);
  /* Forgets all frames: as new. */
  void (*restart) (NdaConverter * self);
  void (*free) (NdaConverter * self);
} NdaConverterKind;

struct _NdaConverter
{
  const NdaConverterKind *kind; /* [const] */

  /* [const] in frames of the input: how many of the frames taken have not come
   * out again, at most */
  gdouble max_lag;
  /* [const] in frames of the input: how far away, at most, a frame can be heard
   * in another */
  gdouble reach;
};

typedef struct
{
  const gchar *name;            /* one word, for statistics and logs */
  /* Whether samples of @format can be converted directly. Those of F32 always
   * can. */
  gboolean (*takes_format) (GstAudioFormat format);
  /* Makes a converter from the rate of @format, which it takes, to @out_rate
   * (transfer full). NULL, with the reason, if the two rates cannot be
   * bridged. */
  NdaConverter *(*make) (const GstAudioInfo * format, guint out_rate,
      NdaQuality quality, GError ** error);
} NdaConverterMaker;

static inline void
nda_converter_process (NdaConverter * self, gconstpointer const *in,
    gsize n_in, gpointer const *out, gsize n_out, gsize * n_taken,
    gsize * n_given)
{
  self->kind->process (self, in, n_in, out, n_out, n_taken, n_given);
}

static inline void
nda_converter_restart (NdaConverter * self)
{
  self->kind->restart (self);
}

static inline void
nda_converter_free (NdaConverter * self)
{
  self->kind->free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaConverter, nda_converter_free)

G_END_DECLS
