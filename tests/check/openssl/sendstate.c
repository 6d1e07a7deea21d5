/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The file that keeps what was used of a base key: who has it, what is in it,
 * and what becomes of it when it cannot be written. */

#include "config.h"

#include "hex.h"

#include "ndasendstate.h"

#include <glib/gstdio.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW G_GINT64_CONSTANT (1700000000)

static void
assert_state_refused (const gchar * path, const gchar * text)
{
  g_autoptr (GError) error = NULL;

  fail_unless (nda_send_state_open (path, &error) == NULL);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_unless (strstr (error->message, path) != NULL, "%s", error->message);
}

GST_START_TEST (test_a_state_file_has_one_sender)
{
  g_auto (Folder) folder = folder_new ();
  g_autoptr (NdaSendState) state = nda_send_state_open (folder.state, NULL);
  gint status;
  pid_t child;

  assert_state_refused (folder.state, "in use by another sender");
  child = fork ();
  if (child == 0)
    _exit (nda_send_state_take (state, NOW, NULL) != 0);
  fail_unless (waitpid (child, &status, 0) == child);
  fail_unless (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  fail_unless_equals_int (nda_send_state_take (state, NOW, NULL), NOW);

  g_clear_pointer (&state, nda_send_state_close);
  state = nda_send_state_open (folder.state, NULL);
  fail_unless_equals_int (nda_send_state_take (state, NOW, NULL), NOW + 1);
}

GST_END_TEST;

GST_START_TEST (test_state_files_that_are_none)
{
  const gchar *texts[] = { "", "nda send state 1, last T 17000000",
    "nda send state 1, last T 1700000000\nmore",
    "nda send state 2, last T 1700000000\n",
    "nda send state 1, last T          7\n",
    "nda send state 1, last T 9999999999\n",
  };
  g_auto (Folder) folder = folder_new ();
  g_autofree gchar *link = g_strconcat (folder.path, "/link", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    fail_unless (g_file_set_contents (folder.state, texts[i], -1, NULL));
    fail_unless (g_chmod (folder.state, 0600) == 0);
    assert_state_refused (folder.state, "no state file");
  }
  fail_unless (g_file_set_contents (folder.state,
          "nda send state 1, last T 1700000000\n", -1, NULL));
  fail_unless (g_chmod (folder.state, 0660) == 0);
  assert_state_refused (folder.state, "nobody else can write to");
  fail_unless (g_chmod (folder.state, 0600) == 0);
  fail_unless (symlink (folder.state, link) == 0);
  assert_state_refused (link, "no link");
  g_unlink (link);
  assert_state_refused (folder.path, "cannot be used");
  assert_state_refused ("/nowhere/state", "cannot be used");
}

GST_END_TEST;

/* No file may be longer than @n_bytes, as on a disk that is full. */
static void
assert_no_room_refused (const gchar * path, rlim_t n_bytes)
{
  struct rlimit before, limit;
  g_autoptr (GError) error = NULL;
  NdaSendState *state;

  fail_unless (getrlimit (RLIMIT_FSIZE, &before) == 0);
  limit = before;
  limit.rlim_cur = n_bytes;
  fail_unless (setrlimit (RLIMIT_FSIZE, &limit) == 0);
  state = nda_send_state_open (path, &error);
  fail_unless (setrlimit (RLIMIT_FSIZE, &before) == 0);
  fail_unless (state == NULL);
  fail_unless (strstr (error->message, "cannot be used") != NULL);
  fail_unless (strstr (error->message, g_strerror (0)) == NULL, "%s",
      error->message);
}

/* A full disk leaves no file behind that later passes for a damaged one. */
GST_START_TEST (test_a_state_file_without_room_is_not_begun)
{
  g_auto (Folder) folder = folder_new ();
  g_autoptr (NdaSendState) state = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder.path, 0, NULL);
  gpointer handler = signal (SIGXFSZ, SIG_IGN);

  assert_no_room_refused (folder.state, 0);
  assert_no_room_refused (folder.state, 10);
  signal (SIGXFSZ, handler);
  fail_unless (g_dir_read_name (dir) == NULL);
  state = nda_send_state_open (folder.state, NULL);
  fail_unless (state != NULL);
}

GST_END_TEST;

typedef struct
{
  const gchar *path;
  gint n_waiting;               /* [atomic] */
  gint n_refused;               /* [atomic] */
} Race;

static gpointer
open_together (gpointer data)
{
  Race *race = data;
  g_autoptr (GError) error = NULL;
  NdaSendState *state;

  g_atomic_int_add (&race->n_waiting, -1);
  while (g_atomic_int_get (&race->n_waiting))
    g_thread_yield ();
  state = nda_send_state_open (race->path, &error);
  if (state)
    return state;
  fail_unless (strstr (error->message, "in use by another sender") != NULL,
      "%s", error->message);
  g_atomic_int_inc (&race->n_refused);
  return NULL;
}

/* One of two senders that start together gets a file that neither has found,
 * and the other is told so. */
GST_START_TEST (test_one_of_two_senders_begins_a_state_file)
{
  for (guint i = 0; i < 300; i++) {
    g_auto (Folder) folder = folder_new ();
    Race race = { folder.state, 2, 0 };
    GThread *other = g_thread_new ("other", open_together, &race);
    NdaSendState *mine = open_together (&race);
    NdaSendState *its = g_thread_join (other);

    fail_unless_equals_int (race.n_refused, 1);
    nda_send_state_close (mine);
    nda_send_state_close (its);
  }
}

GST_END_TEST;

/* Whoever takes the file away lets another sender begin one: of two senders
 * that know nothing of each other, none may draw the next T. */
GST_START_TEST (test_a_state_file_that_is_taken_away)
{
  for (guint is_replaced = 0; is_replaced < 2; is_replaced++) {
    g_auto (Folder) folder = folder_new ();
    g_autoptr (NdaSendState) state = nda_send_state_open (folder.state, NULL);
    g_autoptr (NdaSendState) other = NULL;
    g_autoptr (GError) error = NULL;

    fail_unless_equals_int (nda_send_state_take (state, NOW, NULL), NOW);
    g_unlink (folder.state);
    if (is_replaced)
      other = nda_send_state_open (folder.state, NULL);
    fail_unless (nda_send_state_take (state, NOW, &error) == 0);
    fail_unless (strstr (error->message, "taken away") != NULL);
    fail_unless (strstr (error->message, folder.state) != NULL);
  }
}

GST_END_TEST;

GST_START_TEST (test_the_last_t_of_all)
{
  g_auto (Folder) folder = folder_new ();
  g_autoptr (NdaSendState) state = nda_send_state_open (folder.state, NULL);
  g_autoptr (GError) error = NULL;

  fail_unless (nda_send_state_take (state, G_MAXUINT32, NULL) == G_MAXUINT32);
  fail_unless (nda_send_state_take (state, NOW, &error) == 0);
  fail_unless (error != NULL);
}

GST_END_TEST;

static Suite *
sendstate_suite (void)
{
  Suite *s = suite_create ("sendstate");
  TCase *tc = tcase_create ("sendstate");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_a_state_file_has_one_sender);
  tcase_add_test (tc, test_state_files_that_are_none);
  tcase_add_test (tc, test_a_state_file_without_room_is_not_begun);
  tcase_add_test (tc, test_one_of_two_senders_begins_a_state_file);
  tcase_add_test (tc, test_a_state_file_that_is_taken_away);
  tcase_add_test (tc, test_the_last_t_of_all);
  return s;
}

GST_CHECK_MAIN (sendstate);
