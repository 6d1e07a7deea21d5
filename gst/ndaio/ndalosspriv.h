/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* NdaLoss, for its own files alone: ndaloss.c starts the loss thread and tells
 * it what happens, ndalossthread.c is that thread. */

#pragma once

#include "ndaloss.h"

G_BEGIN_DECLS

/* In blocks: 85 ms, 171 ms, ..., 2.7 s */
#define NDA_LOSS_FIRST_PAUSE 8

gpointer nda_loss_run (gpointer loss);
void nda_loss_set_state_locked (NdaLoss * loss, NdaLossState state);

G_END_DECLS
