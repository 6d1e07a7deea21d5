/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The plugin that a host has: in this process, where its calls need the GIL, or
 * in one of its own, where they need nothing. Calls stand between enter and
 * leave, or are jobs. */

#pragma once

#include "ndapyplugin.h"
#include "ndapyremote.h"
#include "ndapython.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_ISOLATION_THREAD,
  NDA_PY_ISOLATION_PROCESS,
} NdaPyIsolation;

typedef struct
{
  NdaPyIsolation isolation;     /* where it is, or will be opened */
  NdaPyPlugin *plugin;          /* owned; content: [GIL] */
  NdaPyRemote *remote;          /* owned; has its own lock */

  /* of a plugin in this process */
  gchar *path;                  /* [const] while open; owned */
  NdaPyRole role;               /* [const] while open */
  NdaPyPlugin *next;            /* [GIL] owned; to take its place */
  NdaPyParameters *parameters;  /* [GIL] owned; the last of each key */
} NdaPyGuest;

/* where calls can be made */
gboolean nda_py_guest_run (NdaPyGuest * guest, NdaPythonJob job, gpointer data,
    GError ** error);
gboolean nda_py_guest_enter (NdaPyGuest * guest);
void nda_py_guest_leave (NdaPyGuest * guest);
void nda_py_guest_quicken_thread (NdaPyGuest * guest);
gboolean nda_py_guest_is_gone (NdaPyGuest * guest);
void nda_py_guest_interrupt (NdaPyGuest * guest, gulong python_thread);
void nda_py_guest_forget_interrupt (NdaPyGuest * guest, gulong python_thread);

void nda_py_guest_kill (NdaPyGuest * guest);

/* life cycle; not calls themselves */
gboolean nda_py_guest_open (NdaPyGuest * guest,
    const NdaPyRemoteConfig * config, GError ** error);
void nda_py_guest_close (NdaPyGuest * guest);
void nda_py_guest_abandon (NdaPyGuest * guest);
gboolean nda_py_guest_reload (NdaPyGuest * guest, GError ** error);

/* calls */
gboolean nda_py_guest_start (NdaPyGuest * guest, NdaPyFormat * format,
    GError ** error);
void nda_py_guest_stop (NdaPyGuest * guest);
gchar *nda_py_guest_set_parameter (NdaPyGuest * guest, const gchar * key,
    const gchar * value);
gchar *nda_py_guest_get_parameter (NdaPyGuest * guest, const gchar * key);
void nda_py_guest_get_facts (NdaPyGuest * guest, NdaPyFacts * facts);
NdaPyCallResult nda_py_guest_call (NdaPyGuest * guest, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated);
gchar *nda_py_guest_take_error (NdaPyGuest * guest);
void nda_py_guest_collect (NdaPyGuest * guest);
gboolean nda_py_guest_has_next (NdaPyGuest * guest);
gboolean nda_py_guest_exchange (NdaPyGuest * guest,
    const NdaPyFormat * running, GError ** error);

G_END_DECLS
