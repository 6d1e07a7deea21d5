/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* drifting-hour: what the drift loop makes of an hour between two clocks, by
 * the simulator of the tests, as lines of numbers: the clock's error (ppm), the
 * time (s), how far the delay is off at least and at most (ms), and the speed
 * that the resampler is told (ppm), the average. Times are spaced evenly on a
 * logarithmic axis. */

#include "../check/resample/driftsim.h"

#include <math.h>
#include <stdlib.h>

#define HOUR 3600.0
#define JITTER 0.3e-3
#define FIRST_TIME 0.5
#define N_COLUMNS 240

typedef struct
{
  gdouble end;                  /* of this column */
  gdouble least, most;          /* s */
  gdouble sum_speed;
  guint n;
} Column;

static void
print_column (const Sim * sim, const Column * column)
{
  g_print ("%g %.3f %.6f %.6f %.3f\n", sim->ppm, column->end,
      column->least * 1e3, column->most * 1e3,
      (column->sum_speed / column->n - 1.0) * 1e6);
}

static void
note (Sim * sim, gpointer user_data)
{
  Column *column = user_data;

  if (!column->n || sim->error < column->least)
    column->least = sim->error;
  if (!column->n || sim->error > column->most)
    column->most = sim->error;
  column->sum_speed += sim->target;
  column->n++;
  if (sim->time < column->end)
    return;
  print_column (sim, column);
  *column = (Column) {
  .end = MAX (sim->time, column->end * pow (HOUR / FIRST_TIME,
            1.0 / N_COLUMNS))};
}

gint
main (void)
{
  static const gdouble rates[] = { 200.0, -150.0 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    Column column = {.end = FIRST_TIME };
    Sim sim = {.seconds = HOUR,.ppm = rates[i],.jitter = JITTER,.seed = i,
      .probe = note,.user_data = &column
    };

    sim_run (&sim);
  }
  return EXIT_SUCCESS;
}
