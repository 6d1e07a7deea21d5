/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A mould: a process with an interpreter, NumPy and our Python in it, which
 * runs no plugin and has one thread. A worker is forked from it, begins where
 * the mould stands, and shares its memory until one of both writes to it. The
 * kernel makes the worker our own child, not the mould's.
 *
 * There is one mould for all workers that would begin alike; it ends with the
 * last reference. One that dies is replaced by whoever needs one next. Not
 * every interpreter is fit: one that is a script, has started threads or lacks
 * what a mould needs is not, and then each worker is started by itself.
 *
 * Its thread is nda-py-mould (ndapycommon.h). Whoever has a worker of it holds
 * a reference. Any thread may get a mould and cast workers. */

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
