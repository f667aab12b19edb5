/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct ntfs_volume: an NTFS volume on any target, opened for reading only, as the datacenter would
 * see it. One thread at a time per volume; the extents it gives may be read by many threads at once
 * straight from the target. Damage is -EBADMSG, whatever shape it takes; failures of the target pass
 * through with their own codes.
 */
#ifndef SEEDSHIP_NTFS_READ_H
#define SEEDSHIP_NTFS_READ_H

#include <stddef.h>

#include "common/base/cleanup.h"
#include "exporter/block/target.h"
#include "exporter/ntfs/extent.h"

struct ntfs_volume;
struct ntfs_file;

/* The target is lent until ntfs_volume_close(). Blocks. */
int ntfs_volume_open(struct target *target, struct ntfs_volume **ret, struct err *e)
	_warn_unused_result_;
void ntfs_volume_close(struct ntfs_volume *vol); /* NULL is fine; its files must be closed */
DEFINE_FREEP(struct ntfs_volume, ntfs_volume_close)

/*
 * Opens a file by a path such as "\dir\file" (UTF-8, exact case). -ENOENT, -EISDIR, -ENOTDIR. A file
 * that is compressed, encrypted by NTFS or sparse is -EOPNOTSUPP: Seedship makes none.
 */
int ntfs_volume_open_file(struct ntfs_volume *vol, const char *path, struct ntfs_file **ret,
			  struct err *e) _warn_unused_result_;
void ntfs_file_close(struct ntfs_file *f); /* NULL is fine */
DEFINE_FREEP(struct ntfs_file, ntfs_file_close)

uint64_t ntfs_file_size(const struct ntfs_file *f);

/* Exactly len_bytes; -ENODATA past the end of the file. */
int ntfs_file_pread(struct ntfs_file *f, void *data, size_t len_bytes, uint64_t off_bytes,
		    struct err *e) _warn_unused_result_;

/*
 * Where the content lies, lent until the file is closed. *ret_n is 0 for a file without clusters of its
 * own (empty, or small enough for NTFS to keep it in the MFT): read that with ntfs_file_pread(). Bytes
 * behind ntfs_file_initialized() read as zeros whatever the clusters hold.
 */
int ntfs_file_extents(struct ntfs_file *f, const struct ntfs_extent **ret, size_t *ret_n,
		      struct err *e) _warn_unused_result_;

/* How many bytes from the start count as written; equals the size for every file Seedship makes. */
uint64_t ntfs_file_initialized(const struct ntfs_file *f);

#endif
