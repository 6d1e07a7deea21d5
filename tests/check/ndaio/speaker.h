/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/audio/gstaudiobasesink.h>

G_BEGIN_DECLS

#define TYPE_TEST_SPEAKER (test_speaker_get_type ())
G_DECLARE_FINAL_TYPE (TestSpeaker, test_speaker, TEST, SPEAKER,
    GstAudioBaseSink)

GstElement *test_speaker_new (GstClockTime start_delay);
void test_speaker_run_ahead (TestSpeaker * speaker, GstClockTimeDiff time);
guint test_speaker_get_n_jumps (TestSpeaker * speaker);
void test_speaker_hold (TestSpeaker * speaker);
guint64 test_speaker_get_n_silent (TestSpeaker * speaker);
guint64 test_speaker_get_n_frames (TestSpeaker * speaker);

G_END_DECLS
