/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system's list of mounts, as far as seedfs asks it. */
#ifndef SEEDSHIP_FS_MOUNTS_H
#define SEEDSHIP_FS_MOUNTS_H

#include "common/base/err.h"

#define MOUNT_SUBTYPE "seedfs"
#define MOUNT_TYPE    "fuse." MOUNT_SUBTYPE

/*
 * The store that is mounted at dir (as mount_point_resolve() gives it); caller frees. -EINVAL (user) when
 * seedfs is not what is mounted there, topmost.
 */
int mounts_find_store(const char *dir, char **ret, struct err *e);

#endif
