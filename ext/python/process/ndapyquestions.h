/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Questions to a process are texts over a socket, after their length and the
 * number of the question. The answer has the same number, and begins with “ok”
 * or “problem”. Any thread may ask; there is one question at a time. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;                  /* while a question waits for its answer */
  guint32 number;               /* [lock] of the last question */
  gint control;                 /* [const] the socket */
  /* [const] not owned; an atomic. If it is not 0, nobody waits for an answer */
  const gint *is_closing;
} NdaPyQuestions;

void nda_py_questions_init (NdaPyQuestions * questions,
    const gint * is_closing);
gboolean nda_py_questions_open (NdaPyQuestions * questions, gint * theirs);
void nda_py_questions_close (NdaPyQuestions * questions);
void nda_py_questions_abort (NdaPyQuestions * questions);
void nda_py_questions_clear (NdaPyQuestions * questions);

GStrv nda_py_questions_ask (NdaPyQuestions * questions, gint end_fd,
    GstClockTime timeout, gboolean * is_late, va_list texts);

G_END_DECLS
