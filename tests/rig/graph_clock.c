/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A clock for a group of PipeWire's nodes. It runs faster than the system's
 * clock by a number of millionths, like the crystal of a second sound card. A
 * stream without a port drives the cycles of the group from a timer.
 *
 *     rig-graph-clock GROUP PPM
 *
 * Threads: all code below “The cycles” runs on PipeWire's data loop, in real
 * time; the main loop reports the state of the stream. The timer is set on the
 * data loop only. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pipewire/pipewire.h>
#include <spa/node/io.h>
#include <spa/param/audio/format-utils.h>

#define NAME "rig-graph-clock"
#define RATE 48000
/* above every null sink */
#define DRIVER_PRIORITY "30000"

typedef struct
{
  struct pw_main_loop *loop;    /* owned */
  struct pw_context *context;   /* owned */
  struct pw_core *core;         /* owned */
  struct pw_loop *data_loop;
  struct pw_stream *stream;     /* owned */
  struct spa_hook listener;
  double speed;                 /* [const] of this clock by the system's */

  /* [data loop] */
  struct spa_source *timer;
  struct spa_io_position *position;
  uint64_t next_ns;             /* when the next cycle begins */
  uint64_t n_frames;            /* up to now */
} Clock;

/* --- The cycles --- */

/* How many frames the server wants the next cycle to have */
#ifdef HAVE_TARGET_DURATION
#define DURATION(io) ((io)->target_duration)
#else
#define DURATION(io) ((io)->duration)
#endif

static uint64_t
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return SPA_TIMESPEC_TO_NSEC (&now);
}

static void
set_timer (Clock * clock)
{
  struct timespec at = {
    .tv_sec = clock->next_ns / SPA_NSEC_PER_SEC,
    .tv_nsec = clock->next_ns % SPA_NSEC_PER_SEC
  };

  pw_loop_update_timer (clock->data_loop, clock->timer, &at, NULL, true);
}

static void
on_timer (void *data, uint64_t n_expirations)
{
  Clock *clock = data;
  uint64_t n_frames;
  struct spa_io_clock *io;

  (void) n_expirations;
  if (!clock->position)
    return;
  io = &clock->position->clock;
  n_frames = DURATION (io);
  io->nsec = clock->next_ns;
  io->rate = SPA_FRACTION (1, RATE);
  io->position = clock->n_frames;
  io->duration = n_frames;
  io->delay = 0;
  io->rate_diff = clock->speed;
  clock->next_ns += (uint64_t) (n_frames * 1e9 / (RATE * clock->speed) + 0.5);
  clock->n_frames += n_frames;
  io->next_nsec = clock->next_ns;
  pw_stream_trigger_process (clock->stream);
  set_timer (clock);
}

static int
do_begin (struct spa_loop *loop, bool async, uint32_t seq, const void *data,
    size_t size, void *user_data)
{
  Clock *clock = user_data;

  (void) loop, (void) async, (void) seq, (void) data, (void) size;
  clock->next_ns = now_ns ();
  set_timer (clock);
  return 0;
}

/* --- The stream --- */

static void
on_io_changed (void *data, uint32_t id, void *area, uint32_t size)
{
  Clock *clock = data;

  (void) size;
  if (id == SPA_IO_Position)
    clock->position = area;
}

static void
on_state_changed (void *data, enum pw_stream_state old,
    enum pw_stream_state state, const char *error)
{
  Clock *clock = data;

  if (state == PW_STREAM_STATE_STREAMING) {
    pw_loop_invoke (clock->data_loop, do_begin, 1, NULL, 0, false, clock);
    printf ("running\n");
    fflush (stdout);
  } else if (state == PW_STREAM_STATE_ERROR
      || (state == PW_STREAM_STATE_UNCONNECTED && old != state)) {
    fprintf (stderr, NAME ": %s\n", error ? error : "PipeWire has ended");
    pw_main_loop_quit (clock->loop);
  }
}

static void
on_process (void *data)
{
  (void) data;
}

static const struct pw_stream_events stream_events = {
  PW_VERSION_STREAM_EVENTS,
  .state_changed = on_state_changed,
  .io_changed = on_io_changed,
  .process = on_process,
};

/* A stream of one channel of silence that nobody hears. */
static bool
start_stream (Clock * clock, const char *group)
{
  uint8_t buffer[1024];
  struct spa_pod_builder builder =
      SPA_POD_BUILDER_INIT (buffer, sizeof (buffer));
  struct spa_audio_info_raw format = {
    .format = SPA_AUDIO_FORMAT_F32,
    .rate = RATE,
    .channels = 1
  };
  const struct spa_pod *params[1] = {
    spa_format_audio_raw_build (&builder, SPA_PARAM_EnumFormat, &format)
  };

  clock->stream = pw_stream_new (clock->core, NAME,
      pw_properties_new (PW_KEY_NODE_NAME, NAME, PW_KEY_NODE_GROUP, group,
          PW_KEY_PRIORITY_DRIVER, DRIVER_PRIORITY,
          PW_KEY_NODE_ALWAYS_PROCESS, "true", NULL));
  pw_stream_add_listener (clock->stream, &clock->listener, &stream_events,
      clock);
  return pw_stream_connect (clock->stream, PW_DIRECTION_OUTPUT, PW_ID_ANY,
      PW_STREAM_FLAG_DRIVER | PW_STREAM_FLAG_MAP_BUFFERS |
      PW_STREAM_FLAG_RT_PROCESS, params, 1) >= 0;
}

static bool
connect_clock (Clock * clock)
{
  clock->loop = pw_main_loop_new (NULL);
  clock->context = pw_context_new (pw_main_loop_get_loop (clock->loop),
      pw_properties_new (PW_KEY_CONFIG_NAME, "client-rt.conf", NULL), 0);
  clock->data_loop =
      pw_data_loop_get_loop (pw_context_get_data_loop (clock->context));
  clock->timer = pw_loop_add_timer (clock->data_loop, on_timer, clock);
  clock->core = pw_context_connect (clock->context, NULL, 0);
  return clock->core != NULL;
}

/* Runs until it is killed, or PipeWire ends. */
int
main (int argc, char **argv)
{
  Clock clock = { NULL, };

  if (argc != 3) {
    fprintf (stderr, "usage: rig-graph-clock GROUP PPM\n");
    return 2;
  }
  clock.speed = 1 + atof (argv[2]) / 1e6;
  pw_init (&argc, &argv);
  if (connect_clock (&clock) && start_stream (&clock, argv[1]))
    pw_main_loop_run (clock.loop);
  else
    fprintf (stderr, "rig-graph-clock: there is no PipeWire\n");
  return 1;
}
