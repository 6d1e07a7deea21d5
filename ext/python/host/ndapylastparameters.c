/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapylastparameters.h"

struct _NdaPyLastParameters
{
  GMutex lock;
  NdaPyParameters *taken;       /* [lock] owned */
  NdaPyParameters *tried;       /* [lock] owned; result not known yet */
  guint n_changes;              /* [lock] of the contents of a copy */
};

NdaPyLastParameters *
nda_py_last_parameters_new (void)
{
  NdaPyLastParameters *self = g_new0 (NdaPyLastParameters, 1);

  g_mutex_init (&self->lock);
  self->taken = nda_py_parameters_new ();
  self->tried = nda_py_parameters_new ();
  return self;
}

void
nda_py_last_parameters_free (NdaPyLastParameters * self)
{
  g_ptr_array_unref (self->taken);
  g_ptr_array_unref (self->tried);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Forgets all parameters, for another plugin. */
void
nda_py_last_parameters_clear (NdaPyLastParameters * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_ptr_array_set_size (self->taken, 0);
  g_ptr_array_set_size (self->tried, 0);
  self->n_changes++;
}

static void
put_all (NdaPyParameters * parameters, const NdaPyParameters * more)
{
  for (guint i = 0; i < more->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (more, i);

    nda_py_parameters_put (parameters, p->key, p->value);
  }
}

/* Notes @parameters, which the plugin is about to get. */
void
nda_py_last_parameters_try (NdaPyLastParameters * self,
    const NdaPyParameters * parameters)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (parameters, i);

    g_ptr_array_add (self->tried, nda_py_parameter_new (p->key, p->value));
  }
  self->n_changes++;
}

/* Keeps the tried parameters that @is_taken marks, one flag each, and forgets
 * the others: all of them, if @is_taken is NULL. */
void
nda_py_last_parameters_settle (NdaPyLastParameters * self,
    const gboolean * is_taken)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < self->tried->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (self->tried, i);

    if (is_taken && is_taken[i])
      nda_py_parameters_put (self->taken, p->key, p->value);
    else
      self->n_changes++;
  }
  g_ptr_array_set_size (self->tried, 0);
}

/* Forgets the value of @key: no further plugin gets it. */
void
nda_py_last_parameters_drop (NdaPyLastParameters * self, const gchar * key)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = self->taken->len; i-- > 0;) {
    NdaPyParameter *p = g_ptr_array_index (self->taken, i);

    if (g_str_equal (p->key, key))
      g_ptr_array_remove_index (self->taken, i);
  }
  self->n_changes++;
}

/* How often the contents of a copy have changed. */
guint
nda_py_last_parameters_get_n_changes (NdaPyLastParameters * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->n_changes;
}

/* Returns the parameters (transfer full). @n_changes is the number of changes
 * that they include. */
NdaPyParameters *
nda_py_last_parameters_copy (NdaPyLastParameters * self, guint * n_changes)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  NdaPyParameters *copy = nda_py_parameters_new ();

  put_all (copy, self->taken);
  put_all (copy, self->tried);
  *n_changes = self->n_changes;
  return copy;
}
