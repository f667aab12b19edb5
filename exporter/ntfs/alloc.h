/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct ntfs_alloc: clusters for file content, first fit, in one run wherever one is long enough. The
 * library's own allocator leaves 16 MiB gaps and rescans; it serves metadata only, in the front of the
 * volume, which this one uses last.
 */
#ifndef SEEDSHIP_NTFS_ALLOC_H
#define SEEDSHIP_NTFS_ALLOC_H

#include "exporter/ntfs/bitmap.h"

struct ntfs_free_run {
	uint64_t first, count; /* clusters */
};

struct ntfs_alloc {
	struct ntfs_bitmap *bitmap; /* lent */
	struct ntfs_free_run *runs; /* owned, in the order of use; each is used up from its start */
	size_t n_runs, capacity;
	uint64_t n_free; /* sum of their counts; may include what the library took meanwhile */
	uint64_t n_left; /* how much of that content may have */
};

/* No clusters yet, and none that content may have. */
void ntfs_alloc_init(struct ntfs_alloc *a, struct ntfs_bitmap *bitmap);

/* Takes the free clusters of [first, end) in charge, to be used behind those it has. */
int ntfs_alloc_add(struct ntfs_alloc *a, uint64_t first, uint64_t end, struct err *e);

/* Lets content have all but so many clusters of those in charge. -ENOSPC when there are fewer. */
int ntfs_alloc_reserve(struct ntfs_alloc *a, uint64_t clusters, struct err *e);

void ntfs_alloc_done(struct ntfs_alloc *a);

/*
 * Allocates count clusters (not 0). *ret: a run list for the library, freed with free(). -ENOSPC with
 * nothing allocated when content may not have that many.
 */
int ntfs_alloc_take(struct ntfs_alloc *a, uint64_t count, runlist **ret, struct err *e);

/* A run list of the same kind with room for n_runs, none filled in; and filling in the next one. */
runlist *ntfs_run_list_new(size_t n_runs);
void ntfs_run_list_add(runlist *list, uint64_t first, uint64_t count);

#endif
