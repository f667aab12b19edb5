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

/* A row of table pack without its live_bytes, which the index keeps itself. */
struct pack_row {
	uint32_t pack; /* number; 0 = none */
	uint64_t size_bytes, log_bytes;
	bool sealed;
};

/* 1 when the row of a chunk says that it stands there, 0 when not. */
int index_chunk_stands(struct index *ix, uint64_t ino, uint64_t idx,
		       const struct chunk_place *place, struct err *e);

/* 1 when there is a row of this pack, 0 when not. */
int index_has_pack(struct index *ix, uint32_t pack, struct err *e);

/* Records the end of the open pack, and packs that are new or sealed; a rollback does not take it back. */
int index_put_pack(struct index *ix, const struct pack_row *row, struct err *e);

/* The pack with the greatest number; ret->pack = 0 when there is none. */
int index_last_pack(struct index *ix, struct pack_row *ret, struct err *e);

/* Calls fn for every inode row that was kept back. */
void index_each_row(struct index *ix,
		    void (*fn)(uint64_t ino, const struct inode_row *row, void *arg), void *arg);

/* What a commit says of the store as a whole. */
struct commit_counters {
	uint64_t sequence, commits, committed_ns;
	uint64_t next_ino,
		next_dentry; /* numbers below were given out, whether a row still has them or not */
};

/*
 * Writes what was kept back and the store's counters (commits: with this one), then commits: durable when it
 * returns. *ret_maybe_done: it failed, but a crash now would show it done (sql_commit()).
 */
int index_commit(struct index *ix, const struct commit_counters *counters, bool *ret_maybe_done,
		 struct err *e);

/* Forgets the open batch: as if nothing since the last commit had been applied. */
void index_rollback(struct index *ix);

/* A frame to which no row refers any more. */
struct dead_frame {
	uint32_t pack;
	uint32_t stored_bytes;
	uint64_t off_bytes;
};

/*
 * Hands over the frames that the last commit killed, and the packs (*ret_packs, numbers) whose rows it removed:
 * their space may be given back. Caller frees both.
 */
void index_take_dead(struct index *ix, struct dead_frame **ret, size_t *ret_n, uint32_t **ret_packs,
		     size_t *ret_n_packs);

#endif
