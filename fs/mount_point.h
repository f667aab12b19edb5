/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Getting the place of a mount ready: its absolute path, and nothing dead upon it. */
#ifndef SEEDSHIP_FS_MOUNT_POINT_H
#define SEEDSHIP_FS_MOUNT_POINT_H

#include "common/base/err.h"

/*
 * *ret = path, absolute and without symlinks; caller frees. Also where the mount at path does not answer: its
 * seedfs is dead, or it keeps the caller out. -ENOENT and whatever else a path may give.
 */
int mount_point_resolve(const char *path, char **ret, struct err *e);

/*
 * *ret = path, absolute, without symlinks; caller frees. Where a seedfs died, its mount answers nothing
 * but ENOTCONN: such a mount is detached. -EBUSY when the dead mount is of another kind; -ENOTDIR.
 */
int mount_point_prepare(const char *path, char **ret, struct err *e);

/* Detaches a dead seedfs at path, if there is one; after a connection that was cut rather than unmounted. */
void mount_point_clear(const char *path);

/*
 * Lets the kernel read ahead by as much as one request can carry; its own default is an eighth of that.
 * Needs root; without, reading stays as it is. Makes no request to the mount.
 */
void mount_point_raise_readahead(const char *path, unsigned kib);

#endif
