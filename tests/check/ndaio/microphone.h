/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A microphone for tests, which gives silence, one period each time it is told
 * to. There is one at a time. */

#pragma once

#include <gst/audio/gstaudiosrc.h>

G_BEGIN_DECLS

#define TYPE_TEST_MICROPHONE (test_microphone_get_type ())
G_DECLARE_FINAL_TYPE (TestMicrophone, test_microphone, TEST, MICROPHONE,
    GstAudioSrc)

GstElement *test_microphone_new (void);
void test_microphone_give (TestMicrophone * microphone, guint n_periods);

G_END_DECLS
