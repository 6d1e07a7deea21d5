/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The fields that the threads of an ndaresample share: the application sets
 * properties and reads statistics, any thread asks for the latency, and the
 * thread that resamples (the sink thread) reads the settings and counts.
 *
 * The element's object lock guards all fields. These functions take that lock,
 * and call no other object while they hold it. */

#pragma once

#include "ndaconversion.h"

G_BEGIN_DECLS

/* Only the sink thread writes them, so it may read them without the lock. */
typedef struct
{
  guint64 n_blocks;
  guint64 n_frames;
  guint64 n_frames_in;
  gdouble ratio;
  const gchar *converter;       /* its maker's name, or none */
  NdaAdaptiveFacts adaptive;
} NdaResampleCounters;

typedef struct
{
  GstElement *element;          /* [const] not owned */
  NdaResampleSettings settings; /* [object lock] */
  GstClock *device_clock;       /* [object lock] owned; or NULL */
  NdaResampleCounters counters; /* [object lock] */
  GstClockTime latency;         /* [object lock] of the resampler; 0: none */
} NdaResampleShared;

void nda_resample_shared_init (NdaResampleShared * shared,
    GstElement * element);
void nda_resample_shared_clear (NdaResampleShared * shared);
void nda_resample_shared_reset_counters (NdaResampleShared * shared);

NdaResampleSettings nda_resample_shared_get_settings (NdaResampleShared *
    shared);
/* The clock of the device that the output follows (transfer full), or NULL */
GstClock *nda_resample_shared_get_device_clock (NdaResampleShared * shared);

void nda_resample_shared_count_in (NdaResampleShared * shared, guint n_frames);
/* One block of @n_frames */
void nda_resample_shared_count_out (NdaResampleShared * shared,
    guint64 n_frames);
/* Sets the present state. @converter is static. @facts: NULL if no clock is
 * followed; earlier counts stay. */
void nda_resample_shared_tell (NdaResampleShared * shared, gdouble ratio,
    const gchar * converter, const NdaAdaptiveFacts * facts);

/* Posts a LATENCY message if @latency has changed. */
void nda_resample_shared_set_latency (NdaResampleShared * shared,
    GstClockTime latency);
/* Does the same at the end of the stream, without a message. */
void nda_resample_shared_forget_latency (NdaResampleShared * shared);
GstClockTime nda_resample_shared_get_latency (NdaResampleShared * shared);

G_END_DECLS
