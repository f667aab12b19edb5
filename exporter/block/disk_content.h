/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is on a disk, for those who are about to lose it. */
#ifndef SEEDSHIP_BLOCK_DISK_CONTENT_H
#define SEEDSHIP_BLOCK_DISK_CONTENT_H

#include <stdbool.h>

#include "exporter/block/target.h"

struct disk_content {
	bool empty; /* no signature anywhere, and zeros in the first and the last MiB */
	char text
		[512]; /* one line: "gpt: ntfs 'BACKUP' (1.8 TiB), BitLocker (931.0 GiB)", "empty" */
};

/*
 * Reads partition table, file systems and labels; disk: of target_file_open(). Labels are cleaned:
 * the text may go to a terminal. Blocks.
 */
int disk_content_read(struct target *disk, struct disk_content *ret, struct err *e)
	_warn_unused_result_;

#endif
