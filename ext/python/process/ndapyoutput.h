/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Logs the output of a process, line by line. One thread reads it; any thread
 * may ask for the last lines. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;
  /* [its thread; lock to close one] output, and errors; -1: ended */
  gint fds[2];
  GString *lines[2];            /* [lock] owned; incomplete so far */
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
