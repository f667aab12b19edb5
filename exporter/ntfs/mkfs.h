/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats an image file as NTFS by running mkntfs, which has no library form. */
#ifndef SEEDSHIP_NTFS_MKFS_H
#define SEEDSHIP_NTFS_MKFS_H

#include <stdint.h>

#include "common/base/err.h"

struct ntfs_mkfs_params {
	const char *path; /* a file of the volume's exact size */
	uint32_t sector_bytes, cluster_bytes;
	uint64_t hidden_sectors; /* sectors before the partition; at most 32 bits */
	const char *label;	 /* NULL or "" = none */
};

/* Blocks until mkntfs is done. What it says on stderr becomes part of the error. -EINTR: interrupted. */
int ntfs_mkfs(const struct ntfs_mkfs_params *params, struct err *e);

#endif
