/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where bytes lie: a piece of a file on its volume, and a plain range of a volume. */
#ifndef SEEDSHIP_NTFS_EXTENT_H
#define SEEDSHIP_NTFS_EXTENT_H

#include <stdint.h>

/*
 * Whole clusters of one file, in one piece. Extents are listed in file order and leave no gap; the last
 * one may reach past the end of the file, to the end of its cluster: whoever writes it fills that rest
 * with zeros, whoever reads it stops at the file's size.
 */
struct ntfs_extent {
	uint64_t file_off_bytes;
	uint64_t volume_off_bytes;
	uint64_t len_bytes;
};

struct ntfs_range {
	uint64_t off_bytes; /* from the start of the volume */
	uint64_t len_bytes;
};

#endif
