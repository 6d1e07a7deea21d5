/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tone.h"

#include <math.h>

#define AMPLITUDE 0.5

/* Half of full scale, beginning at zero. */
void
tone_write (gfloat * samples, gsize stride, gsize n_samples, gdouble frequency,
    gdouble rate)
{
  for (gsize i = 0; i < n_samples; i++)
    samples[i * stride] = AMPLITUDE
        * sin (2.0 * G_PI * fmod (frequency / rate * i, 1.0));
}

/* The best a sin + b cos + c, by least squares. */
static void
fit (const gfloat * samples, gsize n_samples, gdouble step, gdouble abc[3])
{
  gdouble m[3][4] = { {0.0,}, };

  for (gsize i = 0; i < n_samples; i++) {
    gdouble v[3] = { sin (step * i), cos (step * i), 1.0 };

    for (guint r = 0; r < 3; r++) {
      for (guint c = 0; c < 3; c++)
        m[r][c] += v[r] * v[c];
      m[r][3] += v[r] * samples[i];
    }
  }
  /* the matrix is positive definite and well conditioned */
  for (guint p = 0; p < 3; p++)
    for (guint r = 0; r < 3; r++)
      for (gint c = 3; r != p && c >= (gint) p; c--)
        m[r][c] -= m[r][p] / m[p][p] * m[p][c];
  for (guint r = 0; r < 3; r++)
    abc[r] = m[r][3] / m[r][r];
}

Tone
tone_fit (const gfloat * samples, gsize n_samples, gdouble frequency,
    gdouble rate)
{
  gdouble step = 2.0 * G_PI * frequency / rate, abc[3], signal = 0, rest = 0;

  fit (samples, n_samples, step, abc);
  for (gsize i = 0; i < n_samples; i++) {
    gdouble sine = abc[0] * sin (step * i) + abc[1] * cos (step * i);

    signal += sine * sine;
    rest += (samples[i] - sine) * (samples[i] - sine);
  }
  return (Tone) {
    .amplitude = hypot (abc[0], abc[1]),.phase = atan2 (abc[1], abc[0]),.snr =
        10.0 * log10 (signal / rest)
  };
}

/* The 7-term Blackman-Harris window: its side lobes lie 180 dB down. */
static gdouble
window_at (gsize i, gsize n_samples)
{
  static const gdouble terms[] = {
    0.27105140069342, -0.43329793923448, 0.21812299954311, -0.06592544638803,
    0.01081174209837, -0.00077658482522, 0.00001388721735
  };
  gdouble sum = 0.0;

  for (guint k = 0; k < G_N_ELEMENTS (terms); k++)
    sum += terms[k] * cos (2.0 * G_PI * k * i / n_samples);
  return sum;
}

/* By Parseval's theorem: all the energy, less that of the bins around the
 * sine. @n_samples can be divided by four. */
gdouble
tone_thd_n (const gfloat * samples, gsize n_samples, gdouble frequency,
    gdouble notch, gdouble rate)
{
  g_autofree gdouble *y = g_new (gdouble, n_samples);
  g_autofree gdouble *cosine = g_new (gdouble, n_samples);
  gint n_around = ceil (notch / rate * n_samples) + 8;
  gint middle = lrint (frequency / rate * n_samples);
  gdouble all = 0.0, sine = 0.0;

  for (gsize i = 0; i < n_samples; i++) {
    y[i] = samples[i] * window_at (i, n_samples);
    all += y[i] * y[i];
    cosine[i] = cos (2.0 * G_PI * i / n_samples);
  }
  for (gint bin = middle - n_around; bin <= middle + n_around; bin++) {
    gdouble re = 0.0, im = 0.0;

    for (gsize i = 0; i < n_samples; i++) {
      gsize angle = (guint64) bin * i % n_samples;

      re += y[i] * cosine[angle];
      im += y[i] * cosine[(angle + n_samples / 4) % n_samples];
    }
    sine += 2.0 * (re * re + im * im) / n_samples;
  }
  return 10.0 * log10 (sine / MAX (all - sine, 1e-30));
}
