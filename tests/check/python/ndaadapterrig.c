/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "tone.h"

#include "ndaadapterrig.h"

#include <string.h>

typedef struct
{
  NdaPyRunner parent;
  Rig *rig;
} Plugin;

/* --- the plugin ----------------------------------------------------------- */

static Rig *
get_rig (NdaPyRunner * runner)
{
  return ((Plugin *) runner)->rig;
}

static Rig *opening;            /* whose plugin is opened next */

static NdaPyRunner *plugin_open (const NdaPyRunnerConfig * config,
    GError ** error);

static void
plugin_close (NdaPyRunner * runner)
{
  g_free (runner);
}

static gboolean
plugin_start (NdaPyRunner * runner, NdaPyFormat * format, GError ** error)
{
  *format = get_rig (runner)->format;
  return TRUE;
}

static void
plugin_stop (NdaPyRunner * runner)
{
}

static gchar *
plugin_set_parameter (NdaPyRunner * runner, const gchar * key,
    const gchar * value)
{
  Rig *rig = get_rig (runner);

  if (!rig->is_exchanging)      /* the edited one has its own */
    rig->latency = g_ascii_strtoull (value, NULL, 10);
  return NULL;
}

static gchar *
plugin_get_parameter (NdaPyRunner * runner, const gchar * key)
{
  return g_strdup ("");
}

static void
plugin_get_facts (NdaPyRunner * runner, NdaPyFacts * facts)
{
  Rig *rig = get_rig (runner);

  *facts = (NdaPyFacts) {
  .delay = rig->latency,.is_analyser = rig->is_analyser};
}

/* Keeps all that it was ever shown, and gives what was shown the latency
 * before. */
static void
delay (Rig * rig, const NdaPyAudio * audio, guint n_frames)
{
  const guint n_channels = rig->format.n_channels;
  gfloat *samples = audio->planes[0];
  const gfloat *line;

  g_array_append_vals (rig->line, samples, n_frames * n_channels);
  line = (const gfloat *) rig->line->data + rig->line->len
      - (n_frames + rig->latency) * n_channels;
  memcpy (samples, line, n_frames * n_channels * sizeof (gfloat));
}

static NdaPyCallResult
plugin_call (NdaPyRunner * runner, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  Rig *rig = get_rig (runner);
  guint number = rig->n_calls++;

  fail_unless_equals_int (n_frames, rig->format.n_frames);
  fail_unless_equals_int (in->n_channels, rig->format.n_channels);
  if (rig->fails_always || (number && rig->failing
          && strchr (rig->failing, number))) {
    g_array_append_vals (rig->line, in->planes[0],
        n_frames * rig->format.n_channels);
    return NDA_PY_CALL_FAILED;
  }
  delay (rig, out, n_frames);
  return NDA_PY_CALL_OK;
}

static gchar *
plugin_take_error (NdaPyRunner * runner)
{
  return g_strdup ("failed");
}

static void
plugin_interrupt (NdaPyRunner * runner)
{
}

static const NdaPyRunnerKind kind = {
  .open = plugin_open,.close = plugin_close,
  .start = plugin_start,.stop = plugin_stop,
  .set_parameter = plugin_set_parameter,
  .get_parameter = plugin_get_parameter,
  .get_facts = plugin_get_facts,
  .call = plugin_call,.take_error = plugin_take_error,
  .interrupt = plugin_interrupt,
};

static NdaPyRunner *
plugin_open (const NdaPyRunnerConfig * config, GError ** error)
{
  Plugin *self = g_new0 (Plugin, 1);

  nda_py_runner_init (&self->parent, &kind);
  self->rig = opening;
  return &self->parent;
}

/* --- the rig -------------------------------------------------------------- */

static void
on_text (gpointer owner, const gchar * text)
{
}

static void
on_event (gpointer owner)
{
}

static void
on_reloaded (gpointer owner, const GError * error)
{
}

static const NdaPyHostEvents events = {
  .warn = on_text,
  .refused = on_text,
  .latency_changed = on_event,
  .restarted = on_event,
  .reloaded = on_reloaded,
};

static void
open_host (Rig * rig)
{
  NdaPyRunnerConfig config = {.path = (gchar *) "plugin" };
  g_autoptr (GPtrArray) parameters = nda_py_parameters_new ();
  NdaPyFormat format = {.n_channels = rig->n_channels };

  rig->host = nda_py_host_new (NDA_PY_ROLE_PROCESSOR, &events, rig);
  opening = rig;
  fail_unless (nda_py_host_open (rig->host, &kind, &config, parameters, NULL));
  nda_py_host_arm (rig->host);
  fail_unless (nda_py_host_start (rig->host, &format, NULL));
}

/* More than any test shows it is silence before that. */
static void
begin_line (Rig * rig)
{
  g_array_set_size (rig->line, 100000 * rig->format.n_channels);
  memset (rig->line->data, 0, rig->line->len * sizeof (gfloat));
}

static Rig *
make (guint n_channels, guint rate, guint plugin_channels, guint n_frames,
    gboolean is_analyser)
{
  Rig *rig = g_new0 (Rig, 1);

  rig->n_channels = n_channels;
  rig->format = (NdaPyFormat) {
  rate, plugin_channels, n_frames};
  rig->is_analyser = is_analyser;
  rig->input = g_array_new (FALSE, TRUE, sizeof (gfloat));
  rig->output = g_array_new (FALSE, TRUE, sizeof (gfloat));
  rig->line = g_array_new (FALSE, TRUE, sizeof (gfloat));
  begin_line (rig);
  open_host (rig);
  rig->adapter = nda_py_adapter_new (n_channels, &rig->format, is_analyser);
  rig_begin (rig, 0);
  return rig;
}

Rig *
rig_new (guint n_channels, guint rate, guint plugin_channels, guint n_frames)
{
  return make (n_channels, rate, plugin_channels, n_frames, FALSE);
}

Rig *
rig_new_analyser (guint n_channels, guint rate, guint plugin_channels,
    guint n_frames)
{
  return make (n_channels, rate, plugin_channels, n_frames, TRUE);
}

void
rig_free (Rig * rig)
{
  fail_unless (nda_py_host_stop (rig->host));
  nda_py_host_close (rig->host);
  nda_py_host_free (rig->host);
  nda_py_adapter_free (rig->adapter);
  g_array_unref (rig->input);
  g_array_unref (rig->output);
  g_array_unref (rig->line);
  g_free (rig);
}

void
rig_set_latency (Rig * rig, guint latency)
{
  g_autofree gchar *value = g_strdup_printf ("%u", latency);

  fail_unless (nda_py_host_set_parameter (rig->host, "latency", value));
}

void
rig_exchange (Rig * rig, guint rate, guint plugin_channels, guint n_frames,
    guint latency)
{
  rig->format = (NdaPyFormat) {
  rate, plugin_channels, n_frames};
  rig->latency = latency;
  begin_line (rig);
  opening = rig;
  rig->is_exchanging = TRUE;
  fail_unless (nda_py_host_reload (rig->host));
  rig->is_exchanging = FALSE;
}

void
rig_begin (Rig * rig, guint n_leading)
{
  g_array_set_size (rig->output, 0);
  rig->n_handed_on = 0;
  nda_py_adapter_begin (rig->adapter, rig->latency, n_leading);
}

/* --- sound ---------------------------------------------------------------- */

void
rig_make_noise (Rig * rig, guint n_frames)
{
  GRand *rand = g_rand_new_with_seed (n_frames);

  g_array_set_size (rig->input, n_frames * rig->n_channels);
  for (guint i = 0; i < rig->input->len; i++)
    g_array_index (rig->input, guint32, i) = g_rand_int (rand);
  g_rand_free (rand);
}

void
rig_make_ramp (Rig * rig, guint n_frames)
{
  g_array_set_size (rig->input, n_frames * rig->n_channels);
  for (guint i = 0; i < rig->input->len; i++)
    g_array_index (rig->input, gfloat, i) = i / rig->n_channels + 1;
}

void
rig_make_tone (Rig * rig, guint n_frames, gdouble frequency)
{
  g_array_set_size (rig->input, n_frames * rig->n_channels);
  for (guint c = 0; c < rig->n_channels; c++)
    tone_write ((gfloat *) rig->input->data + c, rig->n_channels, n_frames,
        frequency, 48000);
}

/* --- there and back ------------------------------------------------------- */

static void
pull (Rig * rig)
{
  guint n_frames;

  while ((n_frames = nda_py_adapter_get_n_ready (rig->adapter))) {
    g_autofree gfloat *samples = g_new (gfloat, n_frames * rig->n_channels);
    gpointer planes[] = { samples };
    const NdaPyAudio out = { planes, rig->n_channels, FALSE };

    nda_py_adapter_pull (rig->adapter, &out, n_frames, NULL);
    g_array_append_vals (rig->output, samples, n_frames * rig->n_channels);
  }
}

/* Whether an edited plugin is in the place of the one before. */
static gboolean
take_over (Rig * rig)
{
  NdaPyAdapter *before = rig->adapter;
  NdaPyFormat format;

  if (!nda_py_host_accept_exchange (rig->host, &format))
    return FALSE;
  rig->adapter = nda_py_adapter_new (rig->n_channels, &format,
      rig->is_analyser);
  nda_py_adapter_take_over (rig->adapter, before, rig->latency);
  nda_py_adapter_free (before);
  return TRUE;
}

static void
run (Rig * rig)
{
  GstClockTime gil_wait;
  guint n_calls = rig->n_calls;

  take_over (rig);
  while (!nda_py_adapter_run (rig->adapter, rig->host, rig->policy, &gil_wait))
    fail_unless (take_over (rig));
  rig->n_crossings += rig->n_calls > n_calls;
  pull (rig);
}

static void
push (Rig * rig, gfloat * samples, guint n_frames)
{
  gpointer planes[] = { samples };
  const NdaPyAudio in = { planes, rig->n_channels, FALSE };

  nda_py_adapter_push (rig->adapter, &in, n_frames);
  run (rig);
}

void
rig_push (Rig * rig, guint n_frames)
{
  guint n_left = rig->input->len / rig->n_channels - rig->n_pushed;

  n_frames = MIN (n_frames, n_left);
  push (rig, (gfloat *) rig->input->data + rig->n_pushed * rig->n_channels,
      n_frames);
  rig->n_pushed += n_frames;
}

void
rig_end (Rig * rig)
{
  nda_py_adapter_end (rig->adapter);
  pull (rig);
  while (!nda_py_adapter_is_drained (rig->adapter))
    run (rig);
}

/* A first block that is short has silence before it. */
void
rig_hand_on (Rig * rig, Rig * to)
{
  guint n_frames = rig->output->len / rig->n_channels - rig->n_handed_on;
  gfloat *samples = (gfloat *) rig->output->data
      + rig->n_handed_on * rig->n_channels;

  if (rig->n_handed_on == 0 && n_frames > 0)
    nda_py_adapter_begin (to->adapter, to->latency,
        (BLOCK - n_frames % BLOCK) % BLOCK);
  if (n_frames > 0)
    push (to, samples, n_frames);
  rig->n_handed_on += n_frames;
}

void
rig_assert_same (Rig * rig, guint begin, guint n_frames)
{
  const gfloat *input =
      (const gfloat *) rig->input->data + begin * rig->n_channels;

  fail_unless_equals_int (rig->output->len / rig->n_channels, n_frames);
  for (guint i = 0; i < rig->output->len; i++)
    if (memcmp (&input[i], &g_array_index (rig->output, gfloat, i),
            sizeof (gfloat)))
      fail ("frame %u of %u is another", i / rig->n_channels, n_frames);
}
