/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An hour of audio, as fast as it goes, through an element that loses 1 % of
 * the records, repeats 5 % and delays 2 %: only the blocks that did not come in
 * time are silent, and nothing shifts. */

#include "config.h"

#include "pair.h"

#define N_BLOCKS (3600 * 48000 / 512)
#define N_SAMPLES 512
#define MAX_DELAYED 3

/* --- a bad network --- */

typedef struct
{
  GstElement parent;

  GstPad *srcpad;
  GRand *rand;
  GstBuffer *delayed;           /* owned */
  guint n_until;                /* records to let pass before that one */
  guint32 delayed_n;
  guint32 n;                    /* of the next record */
  gint64 top;                   /* the highest that has passed */
  GByteArray *in_time;          /* for each block, whether it came in time */
  guint n_lost, n_repeated, n_late;
} BadNetwork;

typedef struct
{
  GstElementClass parent;
} BadNetworkClass;

GType bad_network_get_type (void);
G_DEFINE_TYPE (BadNetwork, bad_network, GST_TYPE_ELEMENT);

static GstFlowReturn
let_pass (BadNetwork * self, GstBuffer * record, guint32 n)
{
  if (n > self->top) {
    self->in_time->data[n] = 1;
    self->top = n;
  }
  return gst_pad_push (self->srcpad, record);
}

static GstFlowReturn
let_delayed_pass (BadNetwork * self)
{
  if (!self->delayed || self->n_until-- > 0)
    return GST_FLOW_OK;
  self->n_late++;
  return let_pass (self, g_steal_pointer (&self->delayed), self->delayed_n);
}

static GstFlowReturn
lose_or_not (GstPad * pad, GstObject * parent, GstBuffer * record)
{
  BadNetwork *self = (BadNetwork *) parent;
  guint32 n = self->n++;
  gint chance = g_rand_int_range (self->rand, 0, 100);
  GstFlowReturn flow;

  g_byte_array_set_size (self->in_time, n + 1);
  self->in_time->data[n] = 0;
  if (chance < 1) {
    self->n_lost++;
    gst_buffer_unref (record);
    return let_delayed_pass (self);
  }
  if (chance < 6) {
    self->n_repeated++;
    let_pass (self, gst_buffer_copy_deep (record), n);
  } else if (chance < 8 && !self->delayed) {
    self->delayed = record;
    self->delayed_n = n;
    self->n_until = g_rand_int_range (self->rand, 1, MAX_DELAYED + 1);
    return GST_FLOW_OK;
  }
  flow = let_pass (self, record, n);
  return flow == GST_FLOW_OK ? let_delayed_pass (self) : flow;
}

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-nda-sframe"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-nda-sframe"));

static void
bad_network_init (BadNetwork * self)
{
  GstPad *sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_chain_function (sinkpad, lose_or_not);
  GST_PAD_SET_PROXY_CAPS (sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  self->rand = g_rand_new_with_seed (20261125);
  self->top = -1;
  self->in_time = g_byte_array_new ();
}

static void
finalize (GObject * object)
{
  BadNetwork *self = (BadNetwork *) object;

  gst_clear_buffer (&self->delayed);
  g_rand_free (self->rand);
  g_byte_array_unref (self->in_time);
  G_OBJECT_CLASS (bad_network_parent_class)->finalize (object);
}

static void
bad_network_class_init (BadNetworkClass * class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = finalize;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Bad network",
      "Filter", "Loses, repeats and delays records", "the nda authors");
}

/* --- the hour --- */

/* Block @k, of which no sample is 0 */
static void
make_samples (guint k, gint16 * samples)
{
  for (guint i = 0; i < N_SAMPLES; i++)
    samples[i] = (gint16) ((k * 2654435761u + i * 40503u) >> 12 | 1);
}

static GstHarness *
make_call (GstElement ** decrypt, BadNetwork ** network)
{
  GstElement *bin = gst_object_ref_sink (gst_parse_bin_from_description
      ("ndaencrypt name=enc framing=packet ! badnetwork name=net ! "
          "ndadecrypt name=dec", TRUE, NULL));
  GstElement *encrypt = gst_bin_get_by_name (GST_BIN (bin), "enc");
  GstHarness *h = gst_harness_new_empty ();

  *decrypt = gst_bin_get_by_name (GST_BIN (bin), "dec");
  *network = (BadNetwork *) gst_bin_get_by_name (GST_BIN (bin), "net");
  h->element = encrypt;
  fail_unless (give_master (h, records[0].master_key));
  h->element = *decrypt;
  fail_unless (give_master (h, records[0].master_key));
  h->element = NULL;
  gst_harness_add_element_full (h, bin, &any_src, "sink", &any_sink, "src");
  gst_harness_set_src_caps_str (h, S16_MONO);
  gst_object_unref (encrypt);
  gst_object_unref (bin);
  return h;
}

static void
push_block (GstHarness * h, guint k)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 2 * N_SAMPLES, NULL);
  gint16 samples[N_SAMPLES];

  make_samples (k, samples);
  gst_buffer_fill (buffer, 0, samples, sizeof (samples));
  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale ((guint64) k * N_SAMPLES, GST_SECOND, 48000);
  if (gst_harness_push (h, buffer) != GST_FLOW_OK)
    ck_abort_msg ("block %u was not taken", k);
}

/* The next block out is the @k-th: its samples, or silence. */
static void
check_block (GstBuffer * buffer, guint k, gboolean in_time)
{
  const gint16 silence[N_SAMPLES] = { 0, };
  gint16 samples[N_SAMPLES];
  GstClockTime time =
      gst_util_uint64_scale ((guint64) k * N_SAMPLES, GST_SECOND, 48000);

  make_samples (k, samples);
  if (gst_buffer_get_size (buffer) != sizeof (samples)
      || gst_buffer_memcmp (buffer, 0, in_time ? samples : silence,
          sizeof (samples)) != 0)
    ck_abort_msg ("block %u is not what it should be (in time: %d)", k,
        in_time);
  if (GST_BUFFER_PTS (buffer) != time
      || GST_BUFFER_OFFSET (buffer) != (guint64) k * N_SAMPLES)
    ck_abort_msg ("block %u is not in its place", k);
  if (in_time == !!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
    ck_abort_msg ("block %u: GAP is wrong", k);
}

static guint
check_output (GstHarness * h, BadNetwork * network, guint k)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h))) {
    check_block (buffer, k, network->in_time->data[k]);
    gst_buffer_unref (buffer);
    k++;
  }
  return k;
}

GST_START_TEST (test_an_hour_through_a_bad_network)
{
  BadNetwork *network;
  GstElement *decrypt;
  GstHarness *h = make_call (&decrypt, &network);
  guint n_out = 0;
  guint64 n_silent;

  for (guint k = 0; k < N_BLOCKS; k++) {
    push_block (h, k);
    n_out = check_output (h, network, n_out);
  }
  n_silent = get_counter (decrypt, "num-concealed-frames") / N_SAMPLES;

  fail_unless (n_out > N_BLOCKS - 10);
  fail_unless (network->n_lost > N_BLOCKS / 110);
  fail_unless (network->n_repeated > N_BLOCKS / 22);
  fail_unless (network->n_late > N_BLOCKS / 100);
  assert_equals_uint64 (get_counter (decrypt, "num-lost"), n_silent);
  fail_unless (n_silent + 10 > network->n_lost + network->n_late);
  assert_equals_uint64 (get_counter (decrypt, "num-out-of-order"),
      network->n_late);
  assert_equals_uint64 (get_counter (decrypt, "num-replayed"),
      network->n_repeated);
  assert_equals_uint64 (get_counter (decrypt, "num-auth-failed"), 0);
  assert_equals_uint64 (get_counter (decrypt, "num-frames"),
      (guint64) n_out * N_SAMPLES);
  gst_object_unref (decrypt);
  gst_object_unref (network);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
loss_suite (void)
{
  Suite *suite = suite_create ("loss");
  TCase *tc = tcase_create ("loss");

  gst_element_register (NULL, "badnetwork", GST_RANK_NONE,
      bad_network_get_type ());
  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_an_hour_through_a_bad_network);
  return suite;
}

GST_CHECK_MAIN (loss);
