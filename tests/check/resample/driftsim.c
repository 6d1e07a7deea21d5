/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "driftsim.h"

#include "ndablock.h"

#include <math.h>

#define RATE ((gdouble) NDA_BLOCK_RATE)
#define BLOCK ((gdouble) NDA_BLOCK_FRAMES)
/* What the filter looks ahead, and a block that has to be there before it is
 * needed, as after the latency of a pipeline */
#define LOOK_AHEAD 80.0
/* So that no time is negative: GStreamer's clocks begin anywhere */
#define EPOCH 1000.0
#define A_MINUTE 60.0

/* --- the truth --- */

static gdouble
late_ppm (const Sim * sim)
{
  return sim->ppm + sim->ppm_step;
}

static gdouble
bend_at (const Sim * sim)
{
  return sim->ppm_step_at > 0.0 ? sim->ppm_step_at : G_MAXDOUBLE;
}

/* How many frames the device has passed at @time. */
gdouble
sim_device_frame (const Sim * sim, gdouble time)
{
  gdouble bend = bend_at (sim);

  if (time <= bend)
    return time * RATE * (1.0 + sim->ppm * 1e-6);
  return bend * RATE * (1.0 + sim->ppm * 1e-6)
      + (time - bend) * RATE * (1.0 + late_ppm (sim) * 1e-6);
}

/* When the device passes @frame. */
gdouble
sim_device_time (const Sim * sim, gdouble frame)
{
  gdouble bend = bend_at (sim);
  gdouble time = frame / (RATE * (1.0 + sim->ppm * 1e-6));

  if (time <= bend)
    return time;
  return bend + (frame - sim_device_frame (sim, bend))
      / (RATE * (1.0 + late_ppm (sim) * 1e-6));
}

/* --- what the program sees --- */

/* The sum of twelve is as good as a Gaussian, and has ends. */
static gdouble
draw_jitter (Sim * sim)
{
  gdouble sum = -6.0;

  for (guint i = 0; i < 12; i++)
    sum += g_rand_double (sim->dice);
  return sum * sim->jitter;
}

/* When somebody sees what happens at @time. */
static gdouble
see (Sim * sim, gdouble time)
{
  gdouble seen = time + draw_jitter (sim);

  if (seen >= sim->stall_at && seen < sim->stall_at + sim->stall)
    seen = sim->stall_at + sim->stall;
  sim->seen_at = MAX (seen, sim->seen_at + 1e-6);
  return sim->seen_at;
}

/* What the pipeline's clock shows at @time. */
static GstClockTime
on_clock (const Sim * sim, gdouble time)
{
  gdouble shown = EPOCH + time;

  if (sim->wander > 0.0)
    shown += sim->wander * sin (2.0 * G_PI * time / sim->wander_period);
  if (sim->clock_step != 0.0 && time >= sim->clock_step_at)
    shown += sim->clock_step;
  return (GstClockTime) (shown * GST_SECOND);
}

/* --- the stream --- */

/* How long the sound of now takes between the device and the stream. */
static gdouble
current_delay (const Sim * sim)
{
  return sim->time - sim_device_time (sim, sim->done);
}

static void
take_notes (Sim * sim)
{
  gboolean is_locked = sim->drift.state == NDA_DRIFT_LOCKED;
  gdouble error = fabs (sim->error);

  sim->max_error = MAX (sim->max_error, error);
  if (sim->time >= (sim->late_after > 0.0 ? sim->late_after : A_MINUTE))
    sim->max_late_error = MAX (sim->max_late_error, error);
  if (is_locked && sim->n_locks == sim->n_losses) {
    sim->n_locks++;
    if (sim->locked_at < 0.0)
      sim->locked_at = sim->time;
  } else if (!is_locked && sim->n_locks > sim->n_losses) {
    sim->n_losses++;
  }
}

/* As fast as it is, as long as there are not two clocks. */
static gdouble
steer (Sim * sim)
{
  GstClockTime time = (GstClockTime) ((EPOCH + sim->time) * GST_SECOND);

  if (!sim->is_watching)
    return nda_drift_steer (&sim->drift, time, sim->done);
  sim->is_watching = !nda_drift_watch (&sim->drift, time, sim->done);
  return 1.0;
}

/* Goes through one block of the stream. */
static void
do_block (Sim * sim)
{
  if (sim->first_delay == G_MAXDOUBLE)
    sim->first_delay = current_delay (sim);
  sim->error = current_delay (sim) - sim->first_delay;
  sim->target = steer (sim);
  take_notes (sim);
  if (sim->probe)
    sim->probe (sim, sim->user_data);
  sim->done += BLOCK * (sim->speed + sim->target) / 2.0;
  sim->speed = sim->target;
  sim->time += BLOCK / RATE;
}

static void
note_waiting (Sim * sim, gdouble waiting)
{
  sim->min_waiting = MIN (sim->min_waiting, waiting);
  sim->max_waiting = MAX (sim->max_waiting, waiting);
}

/* A block of the device arrives; of the stream, as many as can be made. */
static void
source_turn (Sim * sim)
{
  gdouble captured = BLOCK * ++sim->n_seen;
  gdouble served = sim_serve (captured, sim->tick);
  gdouble seen = see (sim, sim_device_time (sim, served));

  nda_drift_observe (&sim->drift, on_clock (sim, seen), captured);
  while (sim->done + BLOCK * 1.002 + LOOK_AHEAD <= captured)
    do_block (sim);
  note_waiting (sim, captured - sim->done);
}

/* A block of the stream arrives, on its way to the device. */
static void
sink_turn (Sim * sim)
{
  gdouble late = fabs (draw_jitter (sim));
  gdouble now = sim->time, asked = now - late;

  if (!(sim->stall > 0.0 && now >= sim->stall_at
          && now < sim->stall_at + sim->stall))
    nda_drift_observe (&sim->drift, on_clock (sim, now),
        sim_device_frame (sim, asked));
  do_block (sim);
  note_waiting (sim, sim->done - sim_device_frame (sim, now));
}

void
sim_run (Sim * sim)
{
  sim->dice = g_rand_new_with_seed (sim->seed);
  nda_drift_init (&sim->drift, RATE, sim->side == SIM_SOURCE);
  sim->speed = 1.0;
  sim->first_delay = G_MAXDOUBLE;
  sim->locked_at = -1.0;
  sim->min_waiting = G_MAXDOUBLE;
  while (sim->time < sim->seconds)
    if (sim->side == SIM_SOURCE)
      source_turn (sim);
    else
      sink_turn (sim);
  g_clear_pointer (&sim->dice, g_rand_free);
}
