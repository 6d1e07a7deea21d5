/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A mould is a process that exists only to be forked. It has an interpreter,
 * NumPy and our Python code loaded, runs no plugin and has one thread. A worker
 * is a fork of the mould: it begins with everything loaded, and shares the
 * mould's memory until one of the two writes to it. To fork a worker is also
 * called to cast it. The kernel makes the worker our own child, not the
 * mould's.
 *
 * All workers with the same beginning share one mould, which ends with the last
 * reference. A mould that dies is replaced when somebody needs one. Some
 * interpreters are not fit: a script, one that has started threads, or one that
 * lacks what a mould needs. Then each worker is started directly.
 *
 * The thread of a mould is nda-py-mould (ndapycommon.h). The owner of a worker
 * holds a reference to its mould. Any thread may get a mould and cast
 * workers. */

#pragma once

#include <gst/gst.h>

#include <sys/types.h>

G_BEGIN_DECLS

typedef struct _NdaPyMould NdaPyMould;

NdaPyMould *nda_py_mould_get (const gchar * python, const gchar * plugin);
NdaPyMould *nda_py_mould_ref (NdaPyMould * mould);
void nda_py_mould_unref (NdaPyMould * mould);

pid_t nda_py_mould_cast (NdaPyMould * mould, const gint * fds,
    const gchar * mark);

G_END_DECLS
