/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A signal whose frames can be numbered behind a resampler too, and taps: pad
 * probes that read the numbers where the signal passes.
 *
 * The signal is a pair of sines of 10 Hz, a quarter of a period apart, one a
 * channel. The angle between two neighbouring frames is a turn divided by
 * RIG_TAP_PERIOD, and stays so when the rate changes by some hundred ppm. If
 * the angle is another one, frames are missing there, or repeated: the
 * difference says how many, to a hundredth of a frame, up to half a period (50
 * ms).
 *
 * The taps of one run stand one behind the other. So the first tap that sees a
 * step shows between which two places the frames were lost. In the same way the
 * first tap that sees late buffers shows where they were held up. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define RIG_TAP_PERIOD 4800     /* frames at 48 kHz */
#define RIG_TAP_MAX_STEPS 32

/* One place in the signal where it did not go on as it should */
typedef struct
{
  gint64 time;                  /* us, monotonic; when it passed the tap */
  guint64 frame;                /* how many passed the tap before */
  gdouble n_frames;             /* missing; negative: too many */
  guint64 n_silent;             /* frames of silence before it */
} RigStep;

typedef struct _RigTap RigTap;

/* Plays the signal into @sink; a pipeline in READY. */
GstElement *rig_tap_player_new (const gchar * sink);

/* Reads what passes @pad, from now on. */
RigTap *rig_tap_new (const gchar * name, GstPad * pad);
void rig_tap_free (RigTap * tap);

/* On any thread */
const gchar *rig_tap_get_name (RigTap * tap);
guint64 rig_tap_get_n_frames (RigTap * tap);
guint rig_tap_get_n_steps (RigTap * tap);
guint rig_tap_get_steps (RigTap * tap, RigStep * steps);
gint64 rig_tap_take_lateness (RigTap * tap);

G_END_DECLS
