/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is gathered over a batch and written at its commit: inode rows by ino, live bytes by pack. */
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/store/index_impl.h"

struct kept_row *index_keep_row(struct index *ix, uint64_t ino)
{
	struct kept_row *row;

	HASH_FIND(hh, ix->rows, &ino, sizeof(ino), row);
	if (row)
		return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	row->ino = ino;
	HASH_ADD(hh, ix->rows, ino, sizeof(row->ino), row);
	return row;
}

void index_forget_row(struct index *ix, uint64_t ino)
{
	struct kept_row *row;

	HASH_FIND(hh, ix->rows, &ino, sizeof(ino), row);
	if (row) {
		HASH_DEL(ix->rows, row);
		free(row);
	}
}

static void forget_kept(struct index *ix)
{
	struct kept_row *row, *next_row;
	struct live_delta *live, *next_live;

	HASH_ITER (hh, ix->rows, row, next_row) {
		HASH_DEL(ix->rows, row);
		free(row);
	}
	HASH_ITER (hh, ix->live, live, next_live) {
		HASH_DEL(ix->live, live);
		free(live);
	}
}

static void forget_dead(struct index *ix)
{
	free(ix->dead.items);
	free(ix->dead_packs.items);
	ix->dead = ix->dead_packs = (struct index_list){0};
}

void index_each_row(struct index *ix,
		    void (*fn)(uint64_t ino, const struct inode_row *row, void *arg), void *arg)
{
	struct kept_row *row, *next;

	HASH_ITER (hh, ix->rows, row, next)
		if (row->has_row)
			fn(row->ino, &row->row, arg);
}

static int write_row(struct index *ix, const struct kept_row *row, struct err *e)
{
	const struct inode_row *i = &row->row;

	if (!row->has_row)
		return err_set(e, EINVAL, "inode %ju has content but no row", (uintmax_t)row->ino);
	return RUN_I64(ix, PUT_INODE, e, row->ino, i->mode, i->nlink, i->uid, i->gid, i->rdev,
		       i->size_bytes, i->atime_ns, i->mtime_ns, i->ctime_ns, i->btime_ns,
		       i->content_version, (uint64_t)row->stored_delta);
}

static int write_kept(struct index *ix, struct err *e)
{
	struct kept_row *row, *next_row;
	struct live_delta *live, *next_live;
	int r;

	HASH_ITER (hh, ix->rows, row, next_row) {
		r = write_row(ix, row, e);
		if (r < 0)
			return r;
	}
	HASH_ITER (hh, ix->live, live, next_live) {
		r = RUN_I64(ix, ADD_LIVE, e, (uint64_t)live->delta_bytes, live->pack);
		if (r < 0)
			return r;
	}
	return 0;
}

int index_commit(struct index *ix, const struct commit_counters *c, bool *ret_maybe_done,
		 struct err *e)
{
	int r = index_begin(ix, e);

	if (r == 0)
		r = index_write_packs(ix, e);
	if (r == 0)
		r = write_kept(ix, e);
	if (r == 0)
		r = RUN_I64(ix, PUT_STORE, e, c->sequence, c->commits, c->committed_ns);
	if (r == 0)
		r = RUN_I64(ix, PUT_NUMBERS, e, c->next_ino - 1, c->next_dentry - 1);
	if (r == 0)
		r = sql_commit(ix->db, ret_maybe_done, e);
	if (r < 0)
		return r;
	ix->open = false;
	ix->packs.n = 0;
	forget_kept(ix);
	return 0;
}

void index_rollback(struct index *ix)
{
	if (ix->open)
		sql_rollback(ix->db);
	ix->open = false;
	forget_kept(ix);
	forget_dead(ix);
}
