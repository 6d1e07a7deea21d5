/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The last element before the sink inside an ndasink. It keeps upstream going
 * while the sink's device is lost: it drops live sound, which nobody could
 * hear, and holds back sound that is not live. */

#pragma once

#include "ndaloss.h"

G_BEGIN_DECLS

#define NDA_TYPE_GUARD (nda_guard_get_type ())
G_DECLARE_FINAL_TYPE (NdaGuard, nda_guard, NDA, GUARD, GstElement)

/* A new one (floating); @loss tells it whether the device is there. */
GstElement *nda_guard_new (const gchar * name, NdaLoss * loss);

/* Events and queries that an application sends to the device go upstream from
 * here while the device is away. Any thread. */
gboolean nda_guard_send_event (GstElement * guard, GstEvent * event);
gboolean nda_guard_query (GstElement * guard, GstQuery * query);
/* Whether a buffer waits in the sink although its time has come. Any thread. */
gboolean nda_guard_is_overdue (GstElement * guard);

/* Tells the ndaresample upstream that the device and its clock have started
 * again. Called on the streaming thread. */
void nda_guard_announce_restart (GstElement * guard);

G_END_DECLS
