/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two audio devices that vanish when they are told to: frailsrc, which is live
 * and gives one block at a time by the pipeline's clock, and frailsink. Of both
 * there is one at a time. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  FRAIL_WELL,
  FRAIL_DYING,                  /* can be opened, and fails with a buffer */
  FRAIL_GONE,                   /* cannot be opened either */
} FrailHealth;

void frail_register (void);
void frail_set_health (FrailHealth health);

/* Of an element that is registered */
void frail_set_rank (const gchar * name, guint rank);
GType frail_get_type (const gchar * name);

/* Since the last frail_register (): how often opening failed, and how many
 * buffers a frailsink took */
guint frail_count_refusals (void);
guint frail_count_rendered (void);
guint frail_count_disconts (void);
/* Buffers with which a device vanished */
guint frail_count_deaths (void);

G_END_DECLS
