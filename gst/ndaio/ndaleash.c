/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaleash.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Finds the socket as PipeWire's library does */
static gchar *
find_socket (void)
{
  const gchar *name = g_getenv ("PIPEWIRE_REMOTE");
  const gchar *folder = g_getenv ("PIPEWIRE_RUNTIME_DIR");

  if (!name || !*name)
    name = "pipewire-0";
  if (!folder || !*folder)
    folder = g_get_user_runtime_dir ();
  return g_path_is_absolute (name) ? g_strdup (name) :
      g_build_filename (folder, name, NULL);
}

gint
nda_leash_open (void)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX };
  g_autofree gchar *path = find_socket ();
  gint leash;

  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path)
      >= sizeof address.sun_path)
    return -1;
  leash = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (leash >= 0 && connect (leash, (struct sockaddr *) &address,
          sizeof address) < 0) {
    close (leash);
    return -1;
  }
  return leash;
}

gboolean
nda_leash_is_torn (gint leash)
{
  struct pollfd end = {.fd = leash,.events = 0 };

  return poll (&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR));
}
