/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An application may set a default allocator of its own. Blocks are system
 * memory all the same, so that none can be refused and each can be written. */

#include "config.h"

#include "resample.h"

typedef GstAllocator Miser;
typedef GstAllocatorClass MiserClass;

static GType miser_get_type (void);
G_DEFINE_TYPE (Miser, miser, GST_TYPE_ALLOCATOR);

static gint n_refused;          /* [atomic] */

static GstMemory *
miser_alloc (GstAllocator * allocator, gsize size, GstAllocationParams * params)
{
  g_atomic_int_inc (&n_refused);
  return NULL;
}

static void
miser_class_init (MiserClass * class)
{
  class->alloc = miser_alloc;
}

static void
miser_init (Miser * self)
{
}

static GstBuffer *
make_wrapped (guint64 start, guint n_frames, guint rate)
{
  gsize n_bytes = n_frames * sizeof (gfloat);
  GstBuffer *buffer = gst_buffer_new_wrapped (g_malloc0 (n_bytes), n_bytes);

  GST_BUFFER_PTS (buffer) = nda_block_frames_to_time (start, rate);
  return buffer;
}

/* Regrouped alone, and resampled. */
GST_START_TEST (test_blocks_are_system_memory)
{
  const gint rate = __i__;
  g_autofree gchar *caps = g_strdup_printf (MONO ("%d"), rate);
  GstHarness *h;
  guint64 n_out = 0;

  gst_allocator_set_default (g_object_new (miser_get_type (), NULL));
  fail_unless (gst_buffer_new_allocate (NULL, 1, NULL) == NULL);
  h = make_harness (caps);
  for (guint i = 0; i < 40; i++)
    fail_unless_equals_int (gst_harness_push (h, make_wrapped (100 * i, 100,
                rate)), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  while (gst_harness_buffers_in_queue (h)) {
    g_autoptr (GstBuffer) block = gst_harness_pull (h);

    n_out += gst_buffer_get_size (block) / sizeof (gfloat);
  }

  assert_equals_uint64 (n_out, gst_util_uint64_scale_round (4000, 48000, rate));
  fail_unless_equals_int (n_refused, 1);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
memory_suite (void)
{
  static const gint rates[] = { 48000, 44100 };
  Suite *suite = suite_create ("memory");
  TCase *tcase = tcase_create ("all");

  suite_add_tcase (suite, tcase);
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    tcase_add_loop_test (tcase, test_blocks_are_system_memory, rates[i],
        rates[i] + 1);
  return suite;
}

GST_CHECK_MAIN (memory);
