/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of a plan goes on which drive. A drive takes, in the order of the walk, every file that still fits;
 * what does not fit waits for the next one. So the same plan and the same drives give the same shares.
 *
 * A file with several names is on a drive once, under the names that are there; another drive that gets
 * one of its names gets the content again.
 */
#ifndef SEEDSHIP_DRIVE_SHARE_H
#define SEEDSHIP_DRIVE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "exporter/drive/fit.h"
#include "exporter/plan/plan.h"

/* Which files of a plan no drive has yet. One thread. */
struct shares;

/* Of the files of plan (lent). */
int shares_new(const struct plan *plan, struct shares **ret, struct err *e);
void shares_free(struct shares *s); /* NULL is fine */
static inline void shares_freep(struct shares **s)
{
	shares_free(*s);
}

/* Files that no share has, and the sum of their sizes. */
uint64_t shares_left_files(const struct shares *s);
uint64_t shares_left_bytes(const struct shares *s);

/* What a share puts on its drive. */
struct share_totals {
	uint64_t files;	     /* names, so blobs */
	uint64_t blob_bytes; /* content of all blobs */
	struct fit_load load;
};

/* The files that go on one drive; the plan must outlive it. */
struct share;

/*
 * Takes for a drive of drive_bytes all that fits; it may be nothing (share_totals()->files is 0). -EINVAL
 * when a drive cannot be that small.
 */
int share_take(struct shares *shares, uint64_t drive_bytes, struct share **ret, struct err *e);

/* Size of the smallest drive that takes all files that are left. -EINVAL when there is none that large. */
int shares_needed_bytes(struct shares *shares, uint64_t *ret, struct err *e);

/* The files wait for a drive again. s stays to be freed. */
void share_give_back(struct shares *shares, const struct share *s);

void share_free(struct share *s); /* NULL is fine */
static inline void share_freep(struct share **s)
{
	share_free(*s);
}

const struct share_totals *share_totals(const struct share *s); /* lent */
bool share_has_dir(const struct share *s, uint32_t dir);	/* whether it is on the drive */

bool share_has_file(const struct share *s, uint32_t i);

/* The first file of the share that is number i of the plan or a later one; plan_count() at the end. */
uint32_t share_next(const struct share *s, uint32_t i);

/* Like plan_get() for a file of the share; link_of is one of the share's files. */
void share_get(const struct share *s, uint32_t i, struct placement *ret);

#endif
