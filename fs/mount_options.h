/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of a mount. Each has one row in one table and can be given in two ways: as a long option
 * ("--max-memory 512M"), or as mount(8) and fstab(5) say it ("-o max_memory=512M,noatime"). What mount(8)
 * knows beyond that is passed on to the kernel or, if it means nothing here, accepted.
 */
#ifndef SEEDSHIP_FS_MOUNT_OPTIONS_H
#define SEEDSHIP_FS_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/cli/options.h"
#include "fs/stage.h"

/* What was given; the rows' offsets are into it. */
struct mount_values {
	bool foreground;
	bool fake;
	bool read_only;
	bool allow_other;
	const char *level;
	uint64_t commit_seconds;
	uint64_t chunk_bytes;
	uint64_t memory_bytes;
	const char *uid, *gid, *mode;
	struct option_list lists; /* of -o */
};

extern const struct option_row mount_option_rows[];

#define MOUNT_FLAGS_BYTES 256

/* What is meant. */
struct mount_settings {
	bool foreground;
	bool fake;
	bool read_only;
	bool allow_other;
	uint32_t chunk_bytes; /* of a new store; 0 = default */
	struct stage_options stage;
	unsigned root_valid; /* STAGE_SET_UID, _GID, _MODE: what of root is meant */
	struct stat root;    /* owner and permissions of the top directory */
	char kernel_flags[MOUNT_FLAGS_BYTES]; /* comma-separated, for FUSE: "ro,noatime" */
};

/* Reads -o, checks everything. -EINVAL (user) names the option that is unknown or out of range. */
int mount_options_read(const struct mount_values *given, struct mount_settings *ret, struct err *e);

#endif
