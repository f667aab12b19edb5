/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct ntfs_image: a sparse local file that holds the metadata of the NTFS volume to be. Every name
 * is created and every cluster allocated in it, but no file content is written: the exporter streams
 * that to the drive at the extents reported here, and then copies the image's own clusters
 * (exporter/ntfs/runs.h). One thread at a time. The same calls in the same order give the same extents.
 *
 * Order: ntfs_image_create(), ntfs_image_place_fve(), directories and files, ntfs_image_finish(). A name
 * that is refused (-EINVAL, -EEXIST, -EMLINK, -EPERM) and a file that does not fit (-ENOSPC) change
 * nothing. After any other failure the image is broken and says so: make a new one. One of those is
 * -EOVERFLOW: the volume has no room for more names.
 */
#ifndef SEEDSHIP_NTFS_IMAGE_H
#define SEEDSHIP_NTFS_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "exporter/ntfs/extent.h"
#include "exporter/ntfs/space.h"

struct ntfs_image;

/* The reference of the root directory. */
#define NTFS_ROOT_REF UINT64_C(5)

struct ntfs_image_params {
	const char *path;	    /* must not exist or be empty; made with mode 0600 */
	uint64_t volume_bytes;	    /* exact size of the partition, a multiple of sector_bytes */
	uint32_t sector_bytes;	    /* logical sector of the drive: 512 or 4096 */
	uint32_t cluster_bytes;	    /* 4 KiB to 64 KiB; at most 2^32 - 1 clusters make a volume */
	uint64_t hidden_sectors;    /* first sector of the partition */
	const char *label;	    /* UTF-8, at most 32 UTF-16 units; NULL = none */
	uint64_t now_ns;	    /* time stamp of the volume's own folders, since 1970 */
	struct ntfs_tree_size tree; /* what will be added; all zero reserves 1/32 of the volume */
};

/* Formats the image and mounts it. Blocks while mkntfs runs. On failure the file is removed again. */
int ntfs_image_create(const struct ntfs_image_params *params, struct ntfs_image **ret,
		      struct err *e) _warn_unused_result_;

/* Unmounts cleanly and makes the file durable; nothing can be added afterwards. */
int ntfs_image_finish(struct ntfs_image *img, struct err *e) _warn_unused_result_;

/* Frees; an image that was not finished is removed. NULL is fine. */
void ntfs_image_free(struct ntfs_image *img);
DEFINE_FREEP(struct ntfs_image, ntfs_image_free)

/* Where BitLocker's areas lie: bytes from the start of the volume. Sizes: exporter/ntfs/space.h. */
struct ntfs_fve_places {
	uint64_t meta_off_bytes[3];
	uint64_t vbb_off_bytes; /* the relocated first 8 KiB of the volume */
	uint64_t ice_off_bytes;
};

/*
 * Allocates BitLocker's areas and the files in "System Volume Information" that keep them from being
 * used otherwise. Call it before anything is added. -ENOSPC: the volume is too small.
 */
int ntfs_image_place_fve(struct ntfs_image *img, struct ntfs_fve_places *ret, struct err *e)
	_warn_unused_result_;

/*
 * Names are UTF-8. -EINVAL (user): Windows would not take the name; -EEXIST: the directory holds one
 * that differs in case at most. Times are ns since 1970; all four of NTFS are set to mtime_ns.
 */
int ntfs_image_add_dir(struct ntfs_image *img, uint64_t parent_ref, const char *name,
		       int64_t mtime_ns, uint64_t *ret_ref, struct err *e) _warn_unused_result_;

/*
 * Adds a file of size_bytes whose whole content counts as written: readers will return what lies at the
 * extents. *ret_extents is lent until the next call for this image; *ret_n is 0 for an empty file, and 1
 * unless free space is in pieces. -ENOSPC when the content does not fit, with nothing changed.
 */
int ntfs_image_add_file(struct ntfs_image *img, uint64_t parent_ref, const char *name,
			uint64_t size_bytes, int64_t mtime_ns, uint64_t *ret_ref,
			const struct ntfs_extent **ret_extents, size_t *ret_n, struct err *e)
	_warn_unused_result_;

/* One more name for a file. -EMLINK: it has the 1024 that NTFS allows. */
int ntfs_image_add_link(struct ntfs_image *img, uint64_t parent_ref, const char *name,
			uint64_t target_ref, struct err *e) _warn_unused_result_;

#endif
