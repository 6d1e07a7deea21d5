/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Logs the output of a process, line by line. Belongs to one thread. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gint fds[2];                  /* output, and errors; -1: ended */
  GString *lines[2];            /* owned; incomplete so far */
  gchar *last_error;            /* owned; the last line of its errors */
} NdaPyOutput;

void nda_py_output_init (NdaPyOutput * output);
gboolean nda_py_output_open (NdaPyOutput * output, gint * out, gint * err);
void nda_py_output_clear (NdaPyOutput * output);

void nda_py_output_log (NdaPyOutput * output, gint end_fd, gint wake_fd,
    gint64 end);
void nda_py_output_log_rest (NdaPyOutput * output);
gchar *nda_py_output_get_last_error (NdaPyOutput * output);

G_END_DECLS
