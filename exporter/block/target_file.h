/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target_file: a target on a disk or on an image file. A writable one holds an exclusive flock()
 * for as long as it is open, which also keeps udev's probing away from a disk. Once a flush has
 * failed, every later one fails too: the system forgets which pages it lost, so nothing written
 * before can be trusted. A disk that was written has the kernel read its partition table anew when it is
 * closed.
 */
#ifndef SEEDSHIP_BLOCK_TARGET_FILE_H
#define SEEDSHIP_BLOCK_TARGET_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "exporter/block/target.h"

/*
 * Makes a sparse image file of size_bytes (a multiple of 512) with mode 0600; its name is durable
 * on return. A file that exists must be empty, and keeps its mode. -EEXIST (user): it is not empty;
 * -EBUSY: another program writes to it. On failure a file made here is removed.
 */
int target_file_create(const char *path, uint64_t size_bytes, struct target **ret, struct err *e)
	_warn_unused_result_;

/*
 * Opens an existing image file or a disk. A writable disk is opened with O_EXCL, so one that is
 * mounted or part of something is -EBUSY, as is a target that another program writes to.
 */
int target_file_open(const char *path, bool writable, struct target **ret, struct err *e)
	_warn_unused_result_;

/* Its descriptor, for what only the system can tell of a disk; lent. */
int target_file_fd(struct target *t);

/*
 * Whether it is a disk, and its device number: as long as the target is open, no other disk can get
 * that number, whatever is unplugged and plugged in.
 */
bool target_file_is_disk(struct target *t, dev_t *ret);

#endif
