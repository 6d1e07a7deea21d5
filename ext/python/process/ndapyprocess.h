/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A process: it is spawned, watched, killed and reaped here. The thread that
 * spawns it must outlive it: the kernel kills the process when that thread
 * ends.
 *
 * One thread spawns and reaps. Meanwhile any thread may kill the process, and
 * ask whether and how it died. All processes that the process has started end
 * with it. */

#pragma once

#include <gst/gst.h>

#include <sys/types.h>

G_BEGIN_DECLS

/* The descriptors of a worker, by number; it has none above. A mould has the
 * first four. */
enum
{
  NDA_PY_FD_PROGRAM,
  NDA_PY_FD_OUT,
  NDA_PY_FD_ERR,
  NDA_PY_FD_CONTROL,
  NDA_PY_FD_MEMORY,
  NDA_PY_FD_BELL,
  NDA_PY_FD_REPLY_BELL,
  NDA_PY_N_FDS
};

#define NDA_PY_N_FDS_OF_A_MOULD (NDA_PY_FD_CONTROL + 1)

/* The command to run; none of it is owned */
typedef struct
{
  const gchar *python;
  GStrv arguments;              /* or NULL */
  const gint *fds;              /* its descriptors 0, 1, ..., and no other */
  guint n_fds;
} NdaPyProgram;

typedef struct
{
  pid_t pid;                    /* [const] 0: none was spawned */
  gint end_fd;                  /* [const] readable when it has ended */
  gchar *mark;                  /* [const] owned; in its environment */
  GstClockTime deadline;        /* [const] of a call; 0: none */

  GMutex lock;
  gchar *reason;                /* [lock] owned; why it was killed */
  gboolean is_dead;             /* [lock] or is about to die */
} NdaPyProcess;

void nda_py_process_init (NdaPyProcess * process, GstClockTime deadline);
gint nda_py_process_spawn (NdaPyProcess * process,
    const NdaPyProgram * program);
gint nda_py_process_adopt (NdaPyProcess * process, pid_t pid);
void nda_py_process_reap (NdaPyProcess * process);
void nda_py_process_clear (NdaPyProcess * process);

gboolean nda_py_process_wait (NdaPyProcess * process, GstClockTime timeout);
void nda_py_process_kill (NdaPyProcess * process, const gchar * reason);
void nda_py_process_kill_late (NdaPyProcess * process, const gchar * call,
    GstClockTime timeout, const gchar * property);
gboolean nda_py_process_died_by_itself (NdaPyProcess * process);
gboolean nda_py_process_is_dead (NdaPyProcess * process);
gchar *nda_py_process_describe_death (NdaPyProcess * process);

G_END_DECLS
