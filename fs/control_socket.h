/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What both ends of the control socket share. */
#ifndef SEEDSHIP_FS_CONTROL_SOCKET_H
#define SEEDSHIP_FS_CONTROL_SOCKET_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#define CONTROL_TIMEOUT_MS 5000

/*
 * The address of the socket in a folder. By way of the folder's descriptor: a path to it may be longer than
 * an address can be.
 */
struct sockaddr_un control_address(int store_fd);

/* A stream socket that is given up after CONTROL_TIMEOUT_MS of silence. -errno. */
int control_limit(int fd);

/* Reads up to a line end, replaced by NUL, or to the peer's end. -EMSGSIZE beyond room; -errno. */
ssize_t control_read_line(int fd, char *line, size_t room);

#endif
