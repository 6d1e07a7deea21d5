/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* python3 by way of Python's library, as an application written in C has it.
 * Debian's own python3 does not use the library, and is the faster for it. */

#include <Python.h>

int
main (int argc, char **argv)
{
  return Py_BytesMain (argc, argv);
}
