/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What stands before a sink whose device may vanish, so that upstream does not
 * notice. As long as the device is away, live sound is let go, which nobody can
 * hear; what is not live waits. */

#pragma once

#include "ndaloss.h"
#include "ndameter.h"

G_BEGIN_DECLS

#define NDA_TYPE_GUARD (nda_guard_get_type ())
G_DECLARE_FINAL_TYPE (NdaGuard, nda_guard, NDA, GUARD, GstElement)

/* Counts losses in @meter; @bin is the one that it goes into. */
GstElement *nda_guard_new (const gchar * name, GstElement * bin,
    NdaMeter * meter);

/* For the bin's changes of state and messages */
NdaLoss *nda_guard_get_loss (GstElement * guard);

G_END_DECLS
