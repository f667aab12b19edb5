/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much of a volume NTFS and BitLocker take for themselves. The planner asks before a volume exists;
 * the image keeps that much free for the library's own allocations.
 */
#ifndef SEEDSHIP_NTFS_SPACE_H
#define SEEDSHIP_NTFS_SPACE_H

#include <stdint.h>

#define NTFS_FVE_META_BYTES   UINT64_C(65536) /* each of three */
#define NTFS_FVE_VBB_BYTES    UINT64_C(8192)
#define NTFS_FVE_ICE_BYTES    UINT64_C(65536)
#define NTFS_FVE_FIRST_BYTES  (UINT64_C(33) << 20) /* the first area lies here or later */
#define NTFS_VOLUME_MIN_BYTES (UINT64_C(64) << 20)

/* What is to be put on a volume. All zero: not known. */
struct ntfs_tree_size {
	uint64_t n_files;
	uint64_t n_dirs;
	uint64_t n_links; /* hard links beyond the first name of a file */
	uint64_t
		name_units; /* sum over all names in UTF-16 units; their UTF-8 bytes are never less */
};

struct ntfs_geometry {
	uint64_t volume_bytes;
	uint32_t sector_bytes;	/* 512 or 4096 */
	uint32_t cluster_bytes; /* a power of two from 4 KiB to 64 KiB */
};

/*
 * Bytes of the volume that are not for file content: a tree of that size fits when this plus the sizes
 * of its files, each rounded up to whole clusters, is at most volume_bytes.
 */
uint64_t ntfs_image_overhead(const struct ntfs_geometry *g, const struct ntfs_tree_size *tree);

/* The part of it that grows with the tree, in clusters: for the MFT, and for directories and the rest. */
struct ntfs_reserve {
	uint64_t mft_clusters;
	uint64_t index_clusters;
};

struct ntfs_reserve ntfs_reserve_for(const struct ntfs_geometry *g,
				     const struct ntfs_tree_size *tree);

#endif
