/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an element for an audio device offers: periods, a clock, a position,
 * the errors by which it says that the device is gone. There is one table for
 * each kind of element, which goes by its class.
 *
 * Everything else in this folder asks the table and knows no class, so that
 * another kind of element needs another table and nothing more. A NULL means
 * that elements of this kind offer no such thing. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

typedef struct
{
  /* The name of the type that elements of this kind derive from */
  const gchar *type_name;

  /* Asks for periods of one block, and a sink for a buffer of @n_periods. What
   * the user has set stays. Called before READY. */
  void (*use_periods) (GstElement * device, guint n_periods);
  guint n_periods;
  /* How many periods are right instead where PipeWire speaks PulseAudio's
   * protocol; 0: as many */
  guint n_periods_of_pipewire;

  /* Names the device, as its server does: what the provider of devices has set
   * may be a number that the server gives anew with each start. */
  void (*set_name) (GstElement * device, const gchar * name);

  /* Asks the element to keep every frame when its clock is not the pipeline's,
   * unless the user has chosen otherwise. Called before READY. */
  void (*ask_to_keep_frames) (GstElement * device);
  /* Whether the element does so. Any thread. */
  gboolean (*keeps_frames) (GstElement * device);

  /* The device's own clock (transfer full), or NULL before it is open. Any
   * thread. */
  GstClock *(*get_clock) (GstElement * device);
  /* Whether the device is followed by that clock; otherwise by the times at
   * which its frames arrive. */
  gboolean is_followed_by_clock;

  /* The format that the device plays; FALSE before it is open. Called on the
   * streaming thread, as are those below. */
  gboolean (*get_format) (GstElement * device, GstAudioInfo * info);
  /* For how long the device has sound, by its own clock; negative: for how long
   * it has had none. FALSE where that is not known. */
  gboolean (*get_held) (GstElement * device, const GstAudioInfo * info,
      GstClockTimeDiff * held);
  /* The device's frame behind the last one it was given; FALSE before that */
  gboolean (*get_end) (GstElement * device, guint64 * frame);
  /* How far ahead of its clock the device takes sound, in two halves; later
   * sound for what it has taken is not heard. NULL: not at all */
  GstClockTime (*get_ahead) (GstElement * device, const GstAudioInfo * info);
  /* How long after its clock the device is heard */
  GstClockTime (*get_latency) (GstElement * device, const GstAudioInfo * info);

  /* Whether the device never pauses while it plays, so that one which does is
   * lost */
  gboolean is_steady;
  /* Whether it is an element of PipeWire's own, which posts no error when its
   * server ends */
  gboolean is_of_pipewire;
  /* Whether @error, posted while the device ran, says that it is gone. Any
   * thread. */
  gboolean (*is_loss) (GstElement * device, const GError * error);
} NdaDeviceKind;

/* Asks @device for its periods, as its kind does. */
void nda_device_kind_use_periods (const NdaDeviceKind * kind,
    GstElement * device);

/* The kind of @element, never NULL: the last kind fits any element, and offers
 * is_loss alone. */
const NdaDeviceKind *nda_device_kind_get (GstElement * element);

G_END_DECLS
