/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct index: applies change sets to index.db inside the committer's open transaction. Rows of table
 * inode are kept back and written once per batch: only their last state matters to a commit.
 */
#ifndef SEEDSHIP_STORE_INDEX_H
#define SEEDSHIP_STORE_INDEX_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/ext/sql.h"
#include "common/store/change.h"

struct index;

int index_new(struct sql *db, struct index **ret, struct err *e);
void index_free(struct index *ix); /* NULL is fine; before the connection is closed */

/* Opens the batch's transaction unless it is open. */
int index_begin(struct index *ix, struct err *e);

/* Applies one change. *ret_stored_delta = by how much the inode's stored bytes changed. */
int index_apply(struct index *ix, struct change *c, int64_t *ret_stored_delta, struct err *e);

/* Records the end of the open pack, and packs that are new or sealed. */
int index_put_pack(struct index *ix, uint32_t pack, uint64_t size_bytes, bool sealed,
		   struct err *e);

/* Writes what was kept back and the store's counters, then commits: durable when it returns. */
int index_commit(struct index *ix, uint64_t sequence, struct err *e);

/* The last unsealed pack and its committed end; *ret_pack = 0 when there is none. *ret_last = greatest number. */
int index_last_pack(struct index *ix, uint32_t *ret_pack, uint64_t *ret_end_bytes,
		    uint32_t *ret_last, struct err *e);

#endif
