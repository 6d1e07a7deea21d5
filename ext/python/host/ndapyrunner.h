/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A runner is one loaded plugin, wherever its code runs. A table of functions,
 * the kind, says how the plugin is called. The host knows nothing else about
 * it.
 *
 * CALLS. Some functions call the plugin. The host makes such a call in a place
 * that the kind allows: in a job given to run (), or on the block thread
 * between enter () and leave (). Every other function is called outside,
 * without a lock and without Python's lock.
 *
 * JOBS. A job that takes longer than its limit is given up. It may still return
 * later, and must then find its data: the @data of a job is on the heap, has a
 * reference to the runner, and belongs to the job for good if run () fails.
 *
 * LIFE. open () returns a runner with one reference. The last unref closes it,
 * in a job. A thread that drops a reference is outside. */

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
  /* the function or class in the file; NULL: the only one. Owned by a copy */
  gchar *entry;

  /* for a plugin in a separate process, except `timeout`, which is for any */
  gchar *python;                /* the interpreter, or NULL; owned by a copy */
  GstClockTime deadline;        /* of a block call; 0: none */
  GstClockTime timeout;         /* of any other call */
  guint64 memory_limit;         /* bytes; 0: none */
  NdaPyRestart restart;
  gboolean has_standby;         /* a second process stands by */
  NdaPySandbox sandbox;
  gchar *sandbox_folder;        /* or NULL; owned by a copy */
  gchar *group;                 /* or NULL: no group; owned by a copy */

  /* the host sets these */
  const gint *is_closing;       /* not owned; see NdaPyPatience */
  NdaPyRole role;
  NdaPyLastParameters *last;    /* not owned; for a plugin that is restarted */
  /* any thread, without a lock */
  void (*restarted) (gpointer owner);
  void (*stood_by) (gpointer owner);    /* a standby is ready */
  void (*warn) (gpointer owner, const gchar * text);
  void (*refused) (gpointer owner, const gchar * text); /* a parameter */
  gpointer owner;
} NdaPyRunnerConfig;

typedef void (*NdaPyJob) (gpointer data);

/* How long to wait for a job, and the plugin that the job is for */
typedef struct
{
  const gchar *path;            /* NULL: for no plugin */
  GstClockTime limit;
  /* [atomic] not owned. If it is not 0, the wait ends. NULL: the wait goes
   * on */
  const gint *is_closing;
} NdaPyPatience;

typedef struct
{
  /* Loads a plugin and initialises it. @config outlives the runner. */
  NdaPyRunner *(*open) (const NdaPyRunnerConfig * config, GError ** error);

  /* Whether only the block thread may call start (), between two blocks. A
   * runner of another kind may be started while another runner plays. */
  gboolean starts_on_block_thread;

  /* The place where calls are allowed; all NULL: anywhere. run () waits for the
   * job. FALSE: the job was not run, or is given up, because it takes too long
   * or Python was finalised meanwhile. */
  gboolean (*run) (NdaPyJob job, gpointer data, const NdaPyPatience * patience,
      GError ** error);
  gboolean (*enter) (void);
  void (*leave) (void);
  void (*quicken_thread) (void);        /* the block thread */
  gboolean (*check) (GError ** error);        /* FALSE: no call is possible */

  /* calls */
  void (*close) (NdaPyRunner * self);   /* shuts the plugin down; frees self */
  gboolean (*start) (NdaPyRunner * self, NdaPyFormat * format,
      GError ** error);
  void (*stop) (NdaPyRunner * self);
  /* returns an error text (transfer full), or NULL */
  gchar *(*set_parameter) (NdaPyRunner * self, const gchar * key,
      const gchar * value);
  /* (transfer full), "" when it is not known */
  gchar *(*get_parameter) (NdaPyRunner * self, const gchar * key);
  void (*get_facts) (NdaPyRunner * self, NdaPyFacts * facts);
  /* Returns the plugin's declarations (transfer full), as text of a key file:
   * the group “plugin”, and a group “parameter NAME” for each parameter, in
   * their order. NULL: it is an API 1 plugin, or cannot be asked. */
  gchar *(*describe) (NdaPyRunner * self);
  /* Tells the plugin that the next block does not follow the last one (API 2,
   * 4.7). On the block thread. NULL: plugins of this kind need no reset. */
  void (*reset) (NdaPyRunner * self);
  /* Runs one block: @n_frames of @in (NULL for a source) to @out (NULL for a
   * sink); both may be the same memory. If @is_gated, a sink is asked for room
   * first. A source that has ENDED wrote n_last frames. On failure @out was not
   * written, and take_error () must follow. */
  NdaPyCallResult (*call) (NdaPyRunner * self, const NdaPyAudio * in,
      const NdaPyAudio * out, guint n_frames, gboolean is_gated);
  gchar *(*take_error) (NdaPyRunner * self);    /* (transfer full) */
  /* NULL: garbage is collected automatically */
  void (*collect_garbage) (NdaPyRunner * self);

  /* for a call that does not return */
  void (*interrupt) (NdaPyRunner * self);       /* raises SystemExit in it */
  void (*forget_interrupt) (NdaPyRunner * self);        /* or NULL */
  /* Ends the call in any case. NULL: nothing can. */
  void (*kill) (NdaPyRunner * self);
} NdaPyRunnerKind;

struct _NdaPyRunner
{
  const NdaPyRunnerKind *kind;  /* [const] */
  NdaPyPatience patience;       /* [const] for its jobs; path not owned */
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
