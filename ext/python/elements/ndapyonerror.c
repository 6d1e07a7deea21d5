/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyonerror.h"

GType
nda_py_on_error_get_type (void)
{
  static const GEnumValue values[] = {
    {NDA_PY_ON_ERROR_STOP, "Stop the stream with an error", "stop"},
    {NDA_PY_ON_ERROR_SILENCE, "Play silence instead of the block", "silence"},
    {NDA_PY_ON_ERROR_PASSTHROUGH, "Pass the block on as it came",
        "passthrough"},
    {0, NULL, NULL},
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("NdaPyOnError", values));
  return type;
}

GParamSpec *
nda_py_on_error_param (NdaPyOnError on_error)
{
  return g_param_spec_enum ("on-error", "On error",
      "What happens when the plugin fails on a block: stop (the stream ends "
      "with an error), silence (silence replaces the block), passthrough (the "
      "untouched input goes on). Only stop is safe for a plugin that encrypts",
      NDA_TYPE_PY_ON_ERROR, on_error, G_PARAM_READWRITE
      | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
}
