/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapace.h"

/* A sound server's clock may jump by 100 ms, and a backlog comes at once. No
 * device plays at twice the speed. */
#define MAX_AHEAD ((GstClockTimeDiff) GST_SECOND)
#define MAX_SPEED 2

void
nda_pace_restart (NdaPace * self)
{
  self->has_begun = self->has_run_away = FALSE;
}

gboolean
nda_pace_note (NdaPace * self, GstClockTimeDiff device, GstClockTimeDiff time)
{
  if (!self->has_begun) {
    self->has_begun = TRUE;
    self->first_device = device;
    self->first_time = time;
  }
  self->has_run_away |= device - self->first_device
      > MAX_SPEED * (time - self->first_time) + MAX_AHEAD;
  return self->has_run_away;
}
