/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The write side of index.db. All statements stand in one table. Two things are gathered per batch and
 * written by index_commit(): inode rows (by ino) and live-byte changes (by pack).
 */
#include "common/store/index.h"

#include <stdlib.h>
#include <uthash.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

enum statement {
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
	SUM_CHUNKS,
	DELETE_CHUNKS,
	PUT_ORPHAN,
	DELETE_ORPHAN,
	PUT_PACK,
	ADD_LIVE,
	PUT_STORE,
	N_STATEMENTS,
};

static const char *const statement_text[N_STATEMENTS] = {
	[PUT_INODE] =
		"INSERT INTO inode (ino, mode, nlink, uid, gid, rdev, size_bytes, atime_ns, "
		"mtime_ns,"
		" ctime_ns, btime_ns, content_version, stored_bytes)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
		" ON CONFLICT (ino) DO UPDATE SET mode = ?2, nlink = ?3, uid = ?4, gid = ?5, rdev "
		"= ?6,"
		" size_bytes = ?7, atime_ns = ?8, mtime_ns = ?9, ctime_ns = ?10, btime_ns = ?11,"
		" content_version = ?12, stored_bytes = stored_bytes + ?13",
	[DELETE_INODE] = "DELETE FROM inode WHERE ino = ?",
	[PUT_DENTRY] = "INSERT INTO dentry (id, parent, name, ino) VALUES (?, ?, ?, ?)",
	[DELETE_DENTRY] = "DELETE FROM dentry WHERE parent = ? AND name = ?",
	[PUT_SYMLINK] = "INSERT INTO symlink (ino, target) VALUES (?, ?)",
	[DELETE_SYMLINK] = "DELETE FROM symlink WHERE ino = ?",
	[PUT_XATTR] = "INSERT OR REPLACE INTO xattr (ino, name, value) VALUES (?, ?, ?)",
	[DELETE_XATTR] = "DELETE FROM xattr WHERE ino = ? AND name = ?",
	[DELETE_XATTRS] = "DELETE FROM xattr WHERE ino = ?",
	[GET_CHUNK] = "SELECT pack, stored_bytes FROM chunk WHERE ino = ? AND idx = ?",
	[PUT_CHUNK] = "INSERT OR REPLACE INTO chunk"
		      " (ino, idx, pack, off_bytes, stored_bytes, raw_bytes, checksum)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SUM_CHUNKS] = "SELECT pack, sum(stored_bytes) FROM chunk"
		       " WHERE ino = ? AND idx >= ? AND idx < ? GROUP BY pack",
	[DELETE_CHUNKS] = "DELETE FROM chunk WHERE ino = ? AND idx >= ? AND idx < ?",
	[PUT_ORPHAN] = "INSERT OR IGNORE INTO orphan (ino) VALUES (?)",
	[DELETE_ORPHAN] = "DELETE FROM orphan WHERE ino = ?",
	[PUT_PACK] = "INSERT INTO pack (id, size_bytes, live_bytes, sealed) VALUES (?1, ?2, 0, ?3)"
		     " ON CONFLICT (id) DO UPDATE SET size_bytes = ?2, sealed = ?3",
	[ADD_LIVE] = "UPDATE pack SET live_bytes = live_bytes + ? WHERE id = ?",
	[PUT_STORE] = "UPDATE store SET commits = commits + 1, sequence = ?, committed_ns = ?",
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

struct index {
	struct sql *db; /* lent */
	struct sql_stmt *statements[N_STATEMENTS];
	struct kept_row *rows;
	struct live_delta *live;
	bool open; /* a transaction is open */
};

int index_new(struct sql *db, struct index **ret, struct err *e)
{
	struct index *ix = calloc(1, sizeof(*ix));

	if (!ix)
		return err_oom(e);
	ix->db = db;
	for (int i = 0; i < N_STATEMENTS; i++) {
		int r = sql_prepare(db, statement_text[i], &ix->statements[i], e);

		if (r < 0) {
			index_free(ix);
			return err_wrap(e, r, "statement %d", i);
		}
	}
	*ret = ix;
	return 0;
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

void index_free(struct index *ix)
{
	if (!ix)
		return;
	for (int i = 0; i < N_STATEMENTS; i++)
		sql_finalize(ix->statements[i]);
	if (ix->open)
		sql_rollback(ix->db);
	forget_kept(ix);
	free(ix);
}

int index_begin(struct index *ix, struct err *e)
{
	int r;

	if (ix->open)
		return 0;
	r = sql_begin(ix->db, true, e);
	ix->open = r == 0;
	return r;
}

static struct kept_row *keep_row(struct index *ix, uint64_t ino)
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

static int add_live(struct index *ix, uint32_t pack, int64_t delta_bytes)
{
	struct live_delta *live;

	HASH_FIND(hh, ix->live, &pack, sizeof(pack), live);
	if (!live) {
		live = calloc(1, sizeof(*live));
		if (!live)
			return -ENOMEM;
		live->pack = pack;
		HASH_ADD(hh, ix->live, pack, sizeof(live->pack), live);
	}
	live->delta_bytes += delta_bytes;
	return 0;
}

/* Runs a statement whose parameters are all integers. */
static int run_i64(struct index *ix, enum statement which, const uint64_t *values, int n,
		   struct err *e)
{
	struct sql_stmt *s = ix->statements[which];

	for (int i = 0; i < n; i++)
		sql_bind_i64(s, i + 1, (int64_t)values[i]);
	return sql_run(s, e);
}

#define RUN_I64(ix, which, e, ...)                          \
	run_i64(ix, which, (const uint64_t[]){__VA_ARGS__}, \
		(int)ARRAY_SIZE(((const uint64_t[]){__VA_ARGS__})), e)

static int drop_chunks(struct index *ix, uint64_t ino, uint64_t first_idx, uint64_t end_idx,
		       int64_t *ret_delta, struct err *e)
{
	struct sql_stmt *s = ix->statements[SUM_CHUNKS];
	int r;

	end_idx = MIN(end_idx, (uint64_t)INT64_MAX);
	sql_bind_i64(s, 1, (int64_t)ino);
	sql_bind_i64(s, 2, (int64_t)first_idx);
	sql_bind_i64(s, 3, (int64_t)end_idx);
	while ((r = sql_step(s, e)) > 0) {
		int64_t stored = sql_col_i64(s, 1);

		if (add_live(ix, (uint32_t)sql_col_i64(s, 0), -stored) < 0) {
			sql_reset(s);
			return err_oom(e);
		}
		*ret_delta -= stored;
	}
	if (r < 0 || *ret_delta == 0)
		return r;
	return RUN_I64(ix, DELETE_CHUNKS, e, ino, first_idx, end_idx);
}

static int put_chunk(struct index *ix, const struct change *c, int64_t *ret_delta, struct err *e)
{
	const struct chunk_place *p = &c->chunk.place;
	struct sql_stmt *s = ix->statements[GET_CHUNK];
	int r;

	sql_bind_i64(s, 1, (int64_t)c->ino);
	sql_bind_i64(s, 2, (int64_t)c->chunk.idx);
	r = sql_step(s, e);
	if (r < 0)
		return r;
	if (r > 0) {
		int64_t stored = sql_col_i64(s, 1);
		uint32_t pack = (uint32_t)sql_col_i64(s, 0);

		sql_reset(s);
		if (add_live(ix, pack, -stored) < 0)
			return err_oom(e);
		*ret_delta -= stored;
	}
	if (p->stored_bytes == 0)
		return r == 0 ? 0
			      : RUN_I64(ix, DELETE_CHUNKS, e, c->ino, c->chunk.idx,
					c->chunk.idx + 1);
	if (add_live(ix, p->pack, p->stored_bytes) < 0)
		return err_oom(e);
	*ret_delta += p->stored_bytes;
	return RUN_I64(ix, PUT_CHUNK, e, c->ino, c->chunk.idx, p->pack, p->off_bytes,
		       p->stored_bytes, p->raw_bytes, p->checksum);
}

static int put_dentry(struct index *ix, const struct change *c, struct err *e)
{
	struct sql_stmt *s = ix->statements[PUT_DENTRY];

	sql_bind_i64(s, 1, (int64_t)c->dentry.id);
	sql_bind_i64(s, 2, (int64_t)c->dentry.parent);
	sql_bind_name(s, 3, c->name, strlen(c->name));
	sql_bind_i64(s, 4, (int64_t)c->ino);
	return sql_run(s, e);
}

static int delete_dentry(struct index *ix, const struct change *c, struct err *e)
{
	struct sql_stmt *s = ix->statements[DELETE_DENTRY];

	sql_bind_i64(s, 1, (int64_t)c->dentry.parent);
	sql_bind_name(s, 2, c->name, strlen(c->name));
	return sql_run(s, e);
}

static int put_symlink(struct index *ix, const struct change *c, struct err *e)
{
	struct sql_stmt *s = ix->statements[PUT_SYMLINK];

	sql_bind_i64(s, 1, (int64_t)c->ino);
	sql_bind_name(s, 2, c->value, c->value_bytes);
	return sql_run(s, e);
}

static int put_xattr(struct index *ix, const struct change *c, struct err *e)
{
	struct sql_stmt *s = ix->statements[c->kind == CHANGE_XATTR ? PUT_XATTR : DELETE_XATTR];

	sql_bind_i64(s, 1, (int64_t)c->ino);
	sql_bind_name(s, 2, c->name, strlen(c->name));
	if (c->kind == CHANGE_XATTR)
		sql_bind_blob(s, 3, c->value, c->value_bytes);
	return sql_run(s, e);
}

static int delete_inode(struct index *ix, const struct change *c, int64_t *ret_delta, struct err *e)
{
	struct kept_row *row;
	int r = drop_chunks(ix, c->ino, 0, INT64_MAX, ret_delta, e);

	if (r == 0)
		r = RUN_I64(ix, DELETE_XATTRS, e, c->ino);
	if (r == 0)
		r = RUN_I64(ix, DELETE_SYMLINK, e, c->ino);
	if (r == 0)
		r = RUN_I64(ix, DELETE_INODE, e, c->ino);
	HASH_FIND(hh, ix->rows, &c->ino, sizeof(c->ino), row);
	if (row) {
		HASH_DEL(ix->rows, row);
		free(row);
	}
	return r;
}

/* Changes to rows other than the inode's own. */
static int apply_parts(struct index *ix, struct change *c, int64_t *ret_delta, struct err *e)
{
	switch (c->kind) {
	case CHANGE_DENTRY:
		return put_dentry(ix, c, e);
	case CHANGE_DENTRY_GONE:
		return delete_dentry(ix, c, e);
	case CHANGE_SYMLINK:
		return put_symlink(ix, c, e);
	case CHANGE_XATTR:
	case CHANGE_XATTR_GONE:
		return put_xattr(ix, c, e);
	case CHANGE_CHUNK:
		return put_chunk(ix, c, ret_delta, e);
	case CHANGE_CHUNKS_GONE:
		return drop_chunks(ix, c->ino, c->range.first_idx, c->range.end_idx, ret_delta, e);
	case CHANGE_ORPHAN:
		return RUN_I64(ix, PUT_ORPHAN, e, c->ino);
	case CHANGE_ORPHAN_GONE:
		return RUN_I64(ix, DELETE_ORPHAN, e, c->ino);
	case CHANGE_INODE:
	case CHANGE_INODE_GONE:
		break;
	}
	return 0;
}

int index_apply(struct index *ix, struct change *c, int64_t *ret_stored_delta, struct err *e)
{
	struct kept_row *row;
	int r;

	*ret_stored_delta = 0;
	if (c->kind == CHANGE_INODE_GONE)
		return delete_inode(ix, c, ret_stored_delta, e);
	r = apply_parts(ix, c, ret_stored_delta, e);
	if (r < 0 || (c->kind != CHANGE_INODE && *ret_stored_delta == 0))
		return r;
	row = keep_row(ix, c->ino);
	if (!row)
		return err_oom(e);
	row->stored_delta += *ret_stored_delta;
	if (c->kind == CHANGE_INODE) {
		row->row = c->row;
		row->has_row = true;
	}
	return 0;
}

int index_put_pack(struct index *ix, uint32_t pack, uint64_t size_bytes, bool sealed, struct err *e)
{
	return RUN_I64(ix, PUT_PACK, e, pack, size_bytes, sealed);
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
	forget_kept(ix);
	return 0;
}

int index_commit(struct index *ix, uint64_t sequence, struct err *e)
{
	int r = index_begin(ix, e);

	if (r == 0)
		r = write_kept(ix, e);
	if (r == 0)
		r = RUN_I64(ix, PUT_STORE, e, sequence, clock_realtime_ns());
	if (r == 0)
		r = sql_commit(ix->db, e);
	if (r < 0)
		sql_rollback(ix->db);
	ix->open = false;
	return r;
}

int index_last_pack(struct index *ix, uint32_t *ret_pack, uint64_t *ret_end_bytes,
		    uint32_t *ret_last, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	int r = sql_prepare(
		ix->db, "SELECT id, size_bytes, sealed FROM pack ORDER BY id DESC LIMIT 1", &s, e);

	*ret_pack = *ret_last = 0;
	*ret_end_bytes = 0;
	if (r == 0)
		r = sql_step(s, e);
	if (r <= 0)
		return r;
	*ret_last = (uint32_t)sql_col_i64(s, 0);
	if (!sql_col_i64(s, 2)) {
		*ret_pack = *ret_last;
		*ret_end_bytes = (uint64_t)sql_col_i64(s, 1);
	}
	return 0;
}
