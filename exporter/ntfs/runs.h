/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a finished image has to be copied to the drive besides file content. */
#ifndef SEEDSHIP_NTFS_RUNS_H
#define SEEDSHIP_NTFS_RUNS_H

#include <stddef.h>

#include "exporter/block/target.h"
#include "exporter/ntfs/extent.h"
#include "exporter/ntfs/image.h"

/* One range to copy. A negative result ends the enumeration and is passed on. */
typedef int (*ntfs_run_fn)(void *arg, uint64_t off_bytes, uint64_t len_bytes, struct err *e);

/*
 * Calls fn for each range of the image that is allocated and neither in content nor one of BitLocker's
 * areas, in ascending order; last comes the tail behind the last whole cluster, to the end of the image
 * (the backup boot sector). The first range starts at 0: its first 8 KiB go where BitLocker moves them.
 *
 * content: the extents of all files, ascending by offset, none overlapping; fve: NULL = none. -EINVAL
 * when they are out of order, -EBADMSG when one of them is not allocated in this image. Memory does not
 * grow with the volume.
 */
int ntfs_image_metadata_runs(struct target *image, const struct ntfs_range *content,
			     size_t n_content, const struct ntfs_fve_places *fve, ntfs_run_fn fn,
			     void *arg, struct err *e) _warn_unused_result_;

#endif
