/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct ntfs_bitmap: which clusters of a mounted volume are in use, read from $Bitmap in pieces so that
 * memory does not grow with the volume.
 */
#ifndef SEEDSHIP_NTFS_BITMAP_H
#define SEEDSHIP_NTFS_BITMAP_H

#include "exporter/ntfs/session.h"

#define NTFS_BITMAP_WINDOW_BYTES ((size_t)64 << 10)

struct ntfs_bitmap {
	struct ntfs_session *session; /* lent */
	uint64_t n_clusters;
	uint64_t window_byte; /* position of the window in $Bitmap, a multiple of 8 */
	size_t window_bytes;  /* 0 = nothing read yet */
	uint8_t window[NTFS_BITMAP_WINDOW_BYTES];
};

void ntfs_bitmap_init(struct ntfs_bitmap *b, struct ntfs_session *session);

/* Call after clusters were allocated or freed by anyone. */
void ntfs_bitmap_forget(struct ntfs_bitmap *b);

/* The first cluster of [from, limit) that is used, or free; limit when there is none. */
int ntfs_bitmap_next(struct ntfs_bitmap *b, bool used, uint64_t from, uint64_t limit, uint64_t *ret,
		     struct err *e);

/* The first run of count free clusters that starts at from or later. -ENOSPC when there is none. */
int ntfs_bitmap_find_free(struct ntfs_bitmap *b, uint64_t from, uint64_t count, uint64_t *ret,
			  struct err *e);

/* Marks clusters as used. */
int ntfs_bitmap_claim(struct ntfs_bitmap *b, uint64_t first, uint64_t count, struct err *e);

#endif
