/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a process prints, line by line to the log. One thread reads it; any may
 * ask for the last lines. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;
  gint fds[2];                  /* [its thread; lock to close one] what it
                                 * prints, and its errors; -1: ended */
  GString *lines[2];            /* [lock] owned; that are not whole yet */
  GQueue last;                  /* [lock] of owned text: its last lines */
} NdaPyOutput;

void nda_py_output_init (NdaPyOutput * output);
gboolean nda_py_output_open (NdaPyOutput * output, gint * out, gint * err);
void nda_py_output_clear (NdaPyOutput * output);

void nda_py_output_log (NdaPyOutput * output, gint end_fd, gint wake_fd,
    gint64 end);
void nda_py_output_log_rest (NdaPyOutput * output);
gchar *nda_py_output_read_last (NdaPyOutput * output);

G_END_DECLS
