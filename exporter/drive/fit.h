/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether files fit a drive, and how large a drive would have to be. Pure arithmetic. */
#ifndef SEEDSHIP_DRIVE_FIT_H
#define SEEDSHIP_DRIVE_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "exporter/ntfs/space.h"

/* What is to be put on a drive. */
struct fit_load {
	uint64_t content_bytes;	    /* of files, each in whole clusters */
	uint64_t manifest_bytes;    /* at most */
	struct ntfs_tree_size tree; /* the manifest included */
};

/* 4 KiB up to 16 TiB, then as large as NTFS's 2^32 clusters need. */
uint32_t fit_cluster_bytes(uint64_t volume_bytes);

/* Whether a volume takes it. */
bool fit_fits(const struct fit_load *load, const struct ntfs_geometry *volume);

/* Size of the smallest drive that takes it; load->content_bytes is in clusters of cluster_bytes. */
uint64_t fit_needed_bytes(const struct fit_load *load, uint32_t cluster_bytes);

#endif
