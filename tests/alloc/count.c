/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Preloaded into a program, counts how often memory is asked for, and prints
 * the number when the program ends. Freeing is not counted: what is never
 * allocated is never freed.
 *
 *   G_SLICE=always-malloc PYTHONMALLOC=malloc LD_PRELOAD=... gst-launch-1.0 ...
 *
 * makes GLib and Python ask malloc () for every single object. */

#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc (size_t n_bytes);
extern void *__libc_calloc (size_t n, size_t n_bytes);
extern void *__libc_realloc (void *memory, size_t n_bytes);
extern void *__libc_memalign (size_t alignment, size_t n_bytes);

static unsigned long n_allocations;     /* [atomic] */

static void
count (void)
{
  __atomic_fetch_add (&n_allocations, 1, __ATOMIC_RELAXED);
}

void *
malloc (size_t n_bytes)
{
  count ();
  return __libc_malloc (n_bytes);
}

void *
calloc (size_t n, size_t n_bytes)
{
  count ();
  return __libc_calloc (n, n_bytes);
}

void *
realloc (void *memory, size_t n_bytes)
{
  count ();
  return __libc_realloc (memory, n_bytes);
}

int
posix_memalign (void **memory, size_t alignment, size_t n_bytes)
{
  count ();
  *memory = __libc_memalign (alignment, n_bytes);
  return *memory ? 0 : ENOMEM;
}

void *
aligned_alloc (size_t alignment, size_t n_bytes)
{
  count ();
  return __libc_memalign (alignment, n_bytes);
}

static void __attribute__((destructor))
    print (void)
{
  fprintf (stderr, "allocations: %lu\n", n_allocations);
}
