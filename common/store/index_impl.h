/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of struct index share. */
#ifndef SEEDSHIP_STORE_INDEX_IMPL_H
#define SEEDSHIP_STORE_INDEX_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

#include "common/base/macros.h"
#include "common/store/index.h"

enum index_statement {
	PUT_INODE,
	DELETE_INODE,
	PUT_DENTRY,
	DELETE_DENTRY,
	PUT_SYMLINK,
	DELETE_SYMLINK,
	PUT_XATTR,
	DELETE_XATTR,
	DELETE_XATTRS,
	GET_CHUNK,
	PUT_CHUNK,
	MOVE_CHUNK,
	LIST_CHUNKS,
	DELETE_CHUNKS,
	PUT_ORPHAN,
	DELETE_ORPHAN,
	HAS_PACK,
	PUT_PACK,
	DELETE_PACK,
	ADD_LIVE,
	PUT_STORE,
	PUT_NUMBERS,
	N_STATEMENTS,
};

struct kept_row {
	uint64_t ino;
	bool has_row;
	struct inode_row row;
	int64_t stored_delta;
	UT_hash_handle hh;
};

struct live_delta {
	uint32_t pack;
	int64_t delta_bytes;
	UT_hash_handle hh;
};

/* A list that grows; its elements are of one size. */
struct index_list {
	void *items;
	size_t n, capacity;
};

struct index {
	struct sql *db; /* lent */
	struct sql_stmt *statements[N_STATEMENTS];
	struct kept_row *rows;
	struct live_delta *live;
	struct index_list dead;	      /* struct dead_frame: since the last commit */
	struct index_list dead_packs; /* uint32_t */
	struct index_list
		packs; /* struct pack_row: to be written at the commit, rolled back or not */
	bool open;     /* a transaction is open */
};

/* 0 or -ENOMEM. */
int index_list_add(struct index_list *l, const void *item, size_t item_bytes);

/* Runs a statement whose parameters are all integers. */
int index_run_i64(struct index *ix, enum index_statement which, const uint64_t *values, int n,
		  struct err *e);

#define RUN_I64(ix, which, e, ...)                                \
	index_run_i64(ix, which, (const uint64_t[]){__VA_ARGS__}, \
		      (int)ARRAY_SIZE(((const uint64_t[]){__VA_ARGS__})), e)

/* index_chunks.c: rows of tables chunk and pack. *ret_delta = by how much the inode's stored bytes change. */
int index_put_chunk(struct index *ix, const struct change *c, int64_t *ret_delta, struct err *e);
int index_drop_chunks(struct index *ix, uint64_t ino, uint64_t first_idx, uint64_t end_idx,
		      int64_t *ret_delta, struct err *e);
int index_move_chunk(struct index *ix, const struct change *c, struct err *e);
int index_delete_pack(struct index *ix, uint32_t pack, struct err *e);
int index_write_packs(struct index *ix, struct err *e);

/* index_commit.c: the row of an inode that is kept back, made if need be; NULL when out of memory. */
struct kept_row *index_keep_row(struct index *ix, uint64_t ino);
void index_forget_row(struct index *ix, uint64_t ino);

#endif
