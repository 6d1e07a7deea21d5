/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What every runner can do. A runner is one loaded plugin, wherever its code
 * runs; a table of functions, the kind, says how it is called there. The host
 * knows nothing else of it.
 *
 * CALLS. Some functions call the plugin. The host makes such a call where the
 * kind allows it: in a job given to run (), or on the block thread between
 * enter () and leave (). Every other function is called outside, without a lock
 * and without Python's lock.
 *
 * JOBS. A job that takes longer than its limit is given up. It may come back
 * one day, and must then find what it uses: the @data of a job is on the heap,
 * holds a reference on the runner, and is the job's for good when run () fails.
 *
 * LIFE. open () returns a runner with one reference. The last unref closes it,
 * in a job; whoever drops a reference is outside. */

#pragma once

#include "ndapylastparameters.h"
#include "ndapyrole.h"

G_BEGIN_DECLS

typedef struct _NdaPyRunner NdaPyRunner;

typedef enum
{
  NDA_PY_RESTART_NEVER,
  NDA_PY_RESTART_ALWAYS,
} NdaPyRestart;

typedef enum
{
  NDA_PY_SANDBOX_OFF,
  NDA_PY_SANDBOX_ON,
} NdaPySandbox;

/* Which plugin is opened, and how */
typedef struct
{
  gchar *path;                  /* of the plugin; owned by a copy */
  /* the function or class in it, or NULL: the only one; owned by a copy */
  gchar *entry;

  /* for a plugin in a process of its own, but `timeout` for any */
  gchar *python;                /* the interpreter, or NULL; owned by a copy */
  GstClockTime deadline;        /* of a block call; 0: none */
  GstClockTime timeout;         /* of any other call */
  guint64 memory_limit;         /* bytes; 0: none */
  NdaPyRestart restart;
  gboolean has_standby;         /* a second process waits for its end */
  NdaPySandbox sandbox;
  gchar *sandbox_folder;        /* or NULL; owned by a copy */
  gchar *group;                 /* shares a process, or NULL; owned by a copy */

  /* the host sets these */
  const gint *is_closing;       /* not owned; see NdaPyPatience */
  NdaPyRole role;
  NdaPyLastParameters *last;    /* not owned; for a plugin that is restarted */
  /* any thread, without a lock */
  void (*restarted) (gpointer owner);
  void (*stood_by) (gpointer owner);    /* a second process waits from now on */
  void (*warn) (gpointer owner, const gchar * text);
  void (*refused) (gpointer owner, const gchar * text); /* a parameter */
  gpointer owner;
} NdaPyRunnerConfig;

typedef void (*NdaPyJob) (gpointer data);

/* How long a job is waited for, and of which plugin it is */
typedef struct
{
  const gchar *path;            /* NULL: of none */
  GstClockTime limit;
  /* [atomic] not owned; nonzero: it is waited for no longer. NULL: never */
  const gint *is_closing;
} NdaPyPatience;

typedef struct
{
  /* Loads a plugin and initialises it. @config outlives the runner. */
  NdaPyRunner *(*open) (const NdaPyRunnerConfig * config, GError ** error);

  /* Whether only the block thread may call start (), between two blocks. A
   * runner of another kind may be started beside the blocks of another. */
  gboolean starts_on_block_thread;

  /* Where calls can be made; all NULL: anywhere. run () waits for the job. When
   * it returns FALSE the job was not run, or is given up: it takes longer than
   * it may, or Python was finalised under it. */
  gboolean (*run) (NdaPyJob job, gpointer data, const NdaPyPatience * patience,
      GError ** error);
  gboolean (*enter) (void);
  void (*leave) (void);
  void (*quicken_thread) (void);        /* that makes the block calls */
  gboolean (*check) (GError ** error);        /* FALSE: no call can be made */

  /* calls */
  void (*close) (NdaPyRunner * self);   /* shuts the plugin down; frees self */
  gboolean (*start) (NdaPyRunner * self, NdaPyFormat * format,
      GError ** error);
  void (*stop) (NdaPyRunner * self);
  /* what went wrong (transfer full), or NULL */
  gchar *(*set_parameter) (NdaPyRunner * self, const gchar * key,
      const gchar * value);
  /* (transfer full), "" when it is not known */
  gchar *(*get_parameter) (NdaPyRunner * self, const gchar * key);
  void (*get_facts) (NdaPyRunner * self, NdaPyFacts * facts);
  /* What the plugin declares (transfer full), as text of a key file: the group
   * “plugin”, and a group “parameter NAME” for each parameter, in their order.
   * NULL: it is an API 1 plugin, or cannot be asked. */
  gchar *(*describe) (NdaPyRunner * self);
  /* What comes next does not follow what was (API 2, 4.7). The block thread;
   * NULL: no plugin of this kind wants to know. */
  void (*reset) (NdaPyRunner * self);
  /* One block: @n_frames of @in (NULL: a source) to @out (NULL: a sink); both
   * may be the same memory. If @is_gated a sink is asked for room first. A
   * source that has ENDED wrote n_last frames. On failure nothing was written
   * to @out, and take_error () must follow. */
  NdaPyCallResult (*call) (NdaPyRunner * self, const NdaPyAudio * in,
      const NdaPyAudio * out, guint n_frames, gboolean is_gated);
  gchar *(*take_error) (NdaPyRunner * self);    /* (transfer full) */
  /* NULL: it collects by itself */
  void (*collect_garbage) (NdaPyRunner * self);

  /* for a call that does not return */
  void (*interrupt) (NdaPyRunner * self);       /* raises SystemExit in it */
  void (*forget_interrupt) (NdaPyRunner * self);        /* or NULL */
  /* Ends the call for certain. NULL: nothing can. */
  void (*kill) (NdaPyRunner * self);
} NdaPyRunnerKind;

struct _NdaPyRunner
{
  const NdaPyRunnerKind *kind;  /* [const] */
  NdaPyPatience patience;       /* [const] with its jobs; the path not owned */
  gint ref_count;               /* [atomic] */
  guint n_last;                 /* [block thread] of the call that ENDED */
};

NdaPyRunnerConfig *nda_py_runner_config_copy (const NdaPyRunnerConfig * config);
gboolean nda_py_runner_config_has_group (const NdaPyRunnerConfig * config);
void nda_py_runner_config_free (NdaPyRunnerConfig * config);

void nda_py_runner_init (NdaPyRunner * runner, const NdaPyRunnerKind * kind);
NdaPyRunner *nda_py_runner_ref (NdaPyRunner * runner);
void nda_py_runner_unref (NdaPyRunner * runner);
gboolean nda_py_runner_unref_or_tell (NdaPyRunner * runner, GError ** error);

gboolean nda_py_runner_run (NdaPyRunner * runner, NdaPyJob job, gpointer data,
    GError ** error);
gboolean nda_py_runner_kind_run (const NdaPyRunnerKind * kind, NdaPyJob job,
    gpointer data, const NdaPyPatience * patience, GError ** error);

static inline gboolean
nda_py_runner_kind_enter (const NdaPyRunnerKind * kind)
{
  return !kind->enter || kind->enter ();
}

static inline void
nda_py_runner_kind_leave (const NdaPyRunnerKind * kind)
{
  if (kind->leave)
    kind->leave ();
}

G_END_DECLS
