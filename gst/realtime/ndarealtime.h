/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Real-time priority for the threads that carry live sound.
 *
 * A thread gets SCHED_RR directly if the limits of the process allow it
 * (RLIMIT_RTPRIO, or CAP_SYS_NICE), otherwise from RealtimeKit over D-Bus,
 * which desktops run. If neither is possible, the thread keeps ordinary
 * priority.
 *
 * A thread that computes without a pause for NDA_REALTIME_MAX_RUN would stop
 * the rest of the machine. The kernel notices it (RLIMIT_RTTIME) and sends
 * SIGXCPU. The threads of plugins then lose their priority; the threads of
 * devices too if it happens again; and the process goes on. An application with
 * its own SIGXCPU handler keeps it. Its threads then get priority without that
 * limit, and never from RealtimeKit.
 *
 * THREADS. All functions may be called on any thread. nda_realtime_enter ()
 * waits for the answer of RealtimeKit, so it is called when a thread begins,
 * before it carries sound.
 *
 * LOCKS. The table of threads is made of atomics, since the signal handler
 * reads it. A private lock guards the limit and the handler. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The values of the property “realtime” */
typedef enum
{
  NDA_REALTIME_AUTO,
  NDA_REALTIME_OFF,
} NdaRealtimePolicy;

#define NDA_TYPE_REALTIME_POLICY (nda_realtime_policy_get_type ())
GType nda_realtime_policy_get_type (void);

/* From 1 to 99. A sound server's own threads run at 5 (PulseAudio) or 88
 * (PipeWire); RealtimeKit gives 20 at most. Plugins run below devices. */
#define NDA_REALTIME_DEVICE_PRIORITY 12
#define NDA_REALTIME_PLUGIN_PRIORITY 6

#define NDA_REALTIME_MAX_RUN (200 * GST_MSECOND)

/* Who gave a thread's priority */
typedef enum
{
  NDA_REALTIME_NONE,            /* it has no priority */
  NDA_REALTIME_DIRECT,
  NDA_REALTIME_RTKIT,
} NdaRealtimeSource;

/* The kernel's number of the calling thread */
gint nda_realtime_get_thread (void);

/* @problem (nullable): out, transfer full; the reason if it gets none */
NdaRealtimeSource nda_realtime_enter (gint thread, guint priority,
    gchar ** problem);
/* Called before the thread ends, or when it carries no live sound any more. On
 * any thread. FALSE: it was not in the table, and is not changed. */
gboolean nda_realtime_leave (gint thread);
/* How often threads lost their priority since they computed for too long */
guint nda_realtime_get_n_revoked (void);

const gchar *nda_realtime_source_get_name (NdaRealtimeSource source);

GParamSpec *nda_realtime_param (void);

G_END_DECLS
