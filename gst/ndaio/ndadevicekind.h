/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Describes what an element for an audio device offers: periods, a clock, a
 * position, and the errors that mean the device is gone. There is one table for
 * each kind of element, chosen by the element's type.
 *
 * All other code in this folder uses the table and no type, so a new kind of
 * element needs only a new table. NULL means that elements of this kind do not
 * offer that function. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

typedef struct
{
  /* The name of the type that elements of this kind derive from */
  const gchar *type_name;

  /* Asks for periods of one block, and for a sink's buffer of @n_periods.
   * Values that the user has set stay. Called before READY. */
  void (*use_periods) (GstElement * device, guint n_periods);
  guint n_periods;
  /* The number of periods if PipeWire speaks PulseAudio's protocol; 0: the same
   * number */
  guint n_periods_of_pipewire;

  /* Sets the device by the server's name. The provider of devices may have set
   * a number that changes with each start of the server. */
  void (*set_name) (GstElement * device, const gchar * name);

  /* Asks the element to keep every frame when its clock is not the pipeline's,
   * unless the user has chosen otherwise. Called before READY. */
  void (*ask_to_keep_frames) (GstElement * device);
  /* Whether the element does so. Any thread. */
  gboolean (*keeps_frames) (GstElement * device);

  /* The device's own clock (transfer full), or NULL before it is open. Any
   * thread. */
  GstClock *(*get_clock) (GstElement * device);
  /* Whether the device is followed by that clock; if not, by the arrival of its
   * frames. */
  gboolean is_followed_by_clock;

  /* The format that the device plays; FALSE before it is open. This and the
   * functions below are called on the streaming thread. */
  gboolean (*get_format) (GstElement * device, GstAudioInfo * info);
  /* How long the device has sound for, by its own clock; negative: for how long
   * it has had none. FALSE: unknown. */
  gboolean (*get_held) (GstElement * device, const GstAudioInfo * info,
      GstClockTimeDiff * held);
  /* The device's frame after the last one that it was given; FALSE before
   * that */
  gboolean (*get_end) (GstElement * device, guint64 * frame);
  /* How far ahead of its clock the device takes sound, in two halves. Sound
   * that comes later is not heard. NULL: not ahead */
  GstClockTime (*get_ahead) (GstElement * device, const GstAudioInfo * info);
  /* How long after its clock the device is heard */
  GstClockTime (*get_latency) (GstElement * device, const GstAudioInfo * info);

  /* Whether the device never pauses while it plays. If such a device pauses, it
   * is lost */
  gboolean is_steady;
  /* Whether it is PipeWire's own element, which posts no error when its server
   * ends */
  gboolean is_of_pipewire;
  /* Whether @error, posted while the device ran, means that the device is gone.
   * Any thread. */
  gboolean (*is_loss) (GstElement * device, const GError * error);
} NdaDeviceKind;

/* Asks @device for its periods, as its kind does. */
void nda_device_kind_use_periods (const NdaDeviceKind * kind,
    GstElement * device);

/* Whether the server of @device is PipeWire in PulseAudio's place. Known when
 * @device has been asked for its periods. */
gboolean nda_device_kind_is_pulse_of_pipewire (GstElement * device);

/* The kind of @element, never NULL: the last kind fits any element, and offers
 * only is_loss. */
const NdaDeviceKind *nda_device_kind_get (GstElement * element);

G_END_DECLS
