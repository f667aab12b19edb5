/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads /proc/self/mounts. */
#include "fs/mounts.h"

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mounts_find_store(const char *dir, char **ret, struct err *e)
{
	struct mntent entry;
	char text[16384];
	FILE *mounts = setmntent("/proc/self/mounts", "r");

	if (!mounts)
		return err_sys(e, "cannot read the list of mounts");
	*ret = NULL;
	while (getmntent_r(mounts, &entry, text, sizeof(text))) {
		if (strcmp(entry.mnt_dir, dir) != 0)
			continue;
		free(*ret); /* the last one is on top */
		*ret = strcmp(entry.mnt_type, "fuse.seedfs") == 0 ? strdup(entry.mnt_fsname) : NULL;
	}
	(void)endmntent(mounts);
	return *ret ? 0 : err_user(e, "'%s' is not a seedfs mount", dir);
}
