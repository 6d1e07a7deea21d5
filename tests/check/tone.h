/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A sine wave, and how clean one is. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gdouble amplitude;            /* of the sine that fits best */
  gdouble phase;                /* of it at sample 0, in radians */
  gdouble snr;                  /* dB: that sine to all the rest */
} Tone;

void tone_write (gfloat * samples, gsize stride, gsize n_samples,
    gdouble frequency, gdouble rate);
Tone tone_fit (const gfloat * samples, gsize n_samples, gdouble frequency,
    gdouble rate);

/* What else than a sine of @frequency, which may wander within @notch Hz of
 * it, there is in @samples: dB below the sine */
gdouble tone_thd_n (const gfloat * samples, gsize n_samples, gdouble frequency,
    gdouble notch, gdouble rate);

G_END_DECLS
