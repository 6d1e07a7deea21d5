/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The role of a plugin, the format with which it starts and the results of its
 * calls, wherever it runs. */

#pragma once

#include "ndapyplanes.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_ROLE_PROCESSOR,
  NDA_PY_ROLE_SOURCE,
  NDA_PY_ROLE_SINK,
} NdaPyRole;

/* The most frames of a call that a plugin may ask for (API 2) */
#define NDA_PY_MAX_FRAMES 96000
/* What the resampler can bridge, in Hz */
#define NDA_PY_MIN_RATE 1001u
#define NDA_PY_MAX_RATE 768000u

/* The format with which a plugin starts. A start gets the stream's format,
 * which for a processor is 48 kHz and 512 frames a call, and returns the
 * plugin's own. The format of an API 1 processor is always the stream's. */
typedef struct
{
  guint rate;
  guint n_channels;
  /* of a call: at most 512 of a source or sink, NDA_PY_MAX_FRAMES of a
   * processor */
  guint n_frames;
} NdaPyFormat;

/* The facts that a plugin reports. They may change after a parameter. */
typedef struct
{
  GstClockTime latency;         /* of a processor */
  guint n_channels;             /* of a source or sink */
  guint delay;                  /* the latency in frames, at its own rate */
  gboolean is_analyser;         /* a processor whose output is ignored */
} NdaPyFacts;

typedef enum
{
  NDA_PY_CALL_OK,
  NDA_PY_CALL_REFUSED,          /* returned False */
  NDA_PY_CALL_FAILED,           /* an exception, or an array does not fit */
  NDA_PY_CALL_NO_SPACE,         /* was not made: a sink says it is full */
  NDA_PY_CALL_ENDED,            /* a source has no more; see n_last */
  NDA_PY_CALL_NOTHING,          /* returned None, as if it were False */
  NDA_PY_CALL_DEAD,             /* the plugin's process died, or begins */
} NdaPyCallResult;

gboolean nda_py_format_is_equal (const NdaPyFormat * a, const NdaPyFormat * b);
const gchar *nda_py_role_name (NdaPyRole role);
const gchar *nda_py_role_call_name (NdaPyRole role);

G_END_DECLS
