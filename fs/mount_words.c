/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of shell patterns. */
#include "fs/mount_words.h"

#include <fnmatch.h>
#include <stddef.h>

#include "common/base/macros.h"

struct row {
	const char *pattern;
	enum mount_word meaning;
};

static const struct row rows[] = {
	{"rw", MOUNT_WORD_RW},
	{"sloppy", MOUNT_WORD_SLOPPY},
	{"remount", MOUNT_WORD_REFUSED},
	/* These libfuse and fusermount3 pass on. */
	{"suid", MOUNT_WORD_KERNEL},
	{"nosuid", MOUNT_WORD_KERNEL},
	{"dev", MOUNT_WORD_KERNEL},
	{"nodev", MOUNT_WORD_KERNEL},
	{"exec", MOUNT_WORD_KERNEL},
	{"noexec", MOUNT_WORD_KERNEL},
	{"sync", MOUNT_WORD_KERNEL},
	{"async", MOUNT_WORD_KERNEL},
	{"dirsync", MOUNT_WORD_KERNEL},
	{"atime", MOUNT_WORD_KERNEL},
	{"noatime", MOUNT_WORD_KERNEL},
	/* Reading never changes atime here. */
	{"relatime", MOUNT_WORD_IGNORED},
	{"norelatime", MOUNT_WORD_IGNORED},
	{"strictatime", MOUNT_WORD_IGNORED},
	{"nostrictatime", MOUNT_WORD_IGNORED},
	{"lazytime", MOUNT_WORD_IGNORED},
	{"nolazytime", MOUNT_WORD_IGNORED},
	{"diratime", MOUNT_WORD_IGNORED},
	{"nodiratime", MOUNT_WORD_IGNORED},
	/* For mount(8), fstab(5) and systemd. */
	{"defaults", MOUNT_WORD_IGNORED},
	{"auto", MOUNT_WORD_IGNORED},
	{"noauto", MOUNT_WORD_IGNORED},
	{"user", MOUNT_WORD_IGNORED},
	{"user=*", MOUNT_WORD_IGNORED},
	{"nouser", MOUNT_WORD_IGNORED},
	{"users", MOUNT_WORD_IGNORED},
	{"nousers", MOUNT_WORD_IGNORED},
	{"owner", MOUNT_WORD_IGNORED},
	{"noowner", MOUNT_WORD_IGNORED},
	{"group", MOUNT_WORD_IGNORED},
	{"nogroup", MOUNT_WORD_IGNORED},
	{"_netdev", MOUNT_WORD_IGNORED},
	{"nofail", MOUNT_WORD_IGNORED},
	{"comment=*", MOUNT_WORD_IGNORED},
	{"[xX]-*", MOUNT_WORD_IGNORED},
	{"silent", MOUNT_WORD_IGNORED},
	{"loud", MOUNT_WORD_IGNORED},
	/* What other FUSE filesystems need to be told. */
	{"default_permissions", MOUNT_WORD_IGNORED},
	{"nonempty", MOUNT_WORD_IGNORED},
	{"subtype=*", MOUNT_WORD_IGNORED},
	{"fsname=*", MOUNT_WORD_IGNORED},
};

enum mount_word mount_word_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (fnmatch(rows[i].pattern, word, 0) == 0)
			return rows[i].meaning;
	return MOUNT_WORD_OTHER;
}
