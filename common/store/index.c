/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The write side of index.db. All statements stand in one table. Two things are gathered per batch and
 * written by index_commit(): inode rows (by ino) and live-byte changes (by pack).
 */
#include "common/store/index.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/index_impl.h"

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
	[GET_CHUNK] = "SELECT pack, off_bytes, stored_bytes FROM chunk WHERE ino = ? AND idx = ?",
	[PUT_CHUNK] = "INSERT OR REPLACE INTO chunk"
		      " (ino, idx, pack, off_bytes, stored_bytes, raw_bytes, checksum)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[MOVE_CHUNK] = "UPDATE chunk SET pack = ?3, off_bytes = ?4"
		       " WHERE ino = ?1 AND idx = ?2 AND pack = ?5 AND off_bytes = ?6",
	[LIST_CHUNKS] = "SELECT pack, off_bytes, stored_bytes FROM chunk"
			" WHERE ino = ? AND idx >= ? AND idx < ?",
	[DELETE_CHUNKS] = "DELETE FROM chunk WHERE ino = ? AND idx >= ? AND idx < ?",
	[PUT_ORPHAN] = "INSERT OR IGNORE INTO orphan (ino) VALUES (?)",
	[DELETE_ORPHAN] = "DELETE FROM orphan WHERE ino = ?",
	[HAS_PACK] = "SELECT 1 FROM pack WHERE id = ?",
	[PUT_PACK] = "INSERT INTO pack (id, size_bytes, live_bytes, log_bytes, sealed)"
		     " VALUES (?1, ?2, 0, ?3, ?4)"
		     " ON CONFLICT (id) DO UPDATE SET size_bytes = ?2, log_bytes = ?3, sealed = ?4",
	/* The pack with the greatest number stays: numbers are not used twice. */
	[DELETE_PACK] = "DELETE FROM pack WHERE id = ?1 AND id < (SELECT max(id) FROM pack)"
			" AND NOT EXISTS (SELECT 1 FROM chunk WHERE pack = ?1)",
	[ADD_LIVE] = "UPDATE pack SET live_bytes = live_bytes + ? WHERE id = ?",
	/* Also those of inodes and names that came and went within one batch: numbers are not used twice. */
	[PUT_NUMBERS] = "UPDATE sqlite_sequence SET seq ="
			" max(seq, CASE name WHEN 'inode' THEN ?1 ELSE ?2 END)"
			" WHERE name IN ('inode', 'dentry')",
	[PUT_STORE] = "UPDATE store SET sequence = ?, commits = ?, committed_ns = ?",
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

void index_free(struct index *ix)
{
	if (!ix)
		return;
	for (int i = 0; i < N_STATEMENTS; i++)
		sql_finalize(ix->statements[i]);
	index_rollback(ix);
	free(ix->packs.items);
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

int index_list_add(struct index_list *l, const void *item, size_t item_bytes)
{
	if (l->n == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 64;
		void *grown = reallocarray(l->items, capacity, item_bytes);

		if (!grown)
			return -ENOMEM;
		l->items = grown;
		l->capacity = capacity;
	}
	memcpy((char *)l->items + l->n++ * item_bytes, item, item_bytes);
	return 0;
}

int index_run_i64(struct index *ix, enum index_statement which, const uint64_t *values, int n,
		  struct err *e)
{
	struct sql_stmt *s = ix->statements[which];

	for (int i = 0; i < n; i++)
		sql_bind_i64(s, i + 1, (int64_t)values[i]);
	return sql_run(s, e);
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
	int r = index_drop_chunks(ix, c->ino, 0, INT64_MAX, ret_delta, e);

	if (r == 0)
		r = RUN_I64(ix, DELETE_XATTRS, e, c->ino);
	if (r == 0)
		r = RUN_I64(ix, DELETE_SYMLINK, e, c->ino);
	if (r == 0)
		r = RUN_I64(ix, DELETE_INODE, e, c->ino);
	index_forget_row(ix, c->ino);
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
		return index_put_chunk(ix, c, ret_delta, e);
	case CHANGE_CHUNKS_GONE:
		return index_drop_chunks(ix, c->ino, c->range.first_idx, c->range.end_idx,
					 ret_delta, e);
	case CHANGE_ORPHAN:
		return RUN_I64(ix, PUT_ORPHAN, e, c->ino);
	case CHANGE_ORPHAN_GONE:
		return RUN_I64(ix, DELETE_ORPHAN, e, c->ino);
	case CHANGE_MOVE:
		return index_move_chunk(ix, c, e);
	case CHANGE_PACK_GONE:
		return index_delete_pack(ix, c->pack, e);
	case CHANGE_INODE:
	case CHANGE_INODE_GONE:
	case CHANGE_LOG_COPY:
	case CHANGE_PACK_SEALED: /* its row is written at the commit */
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
	row = index_keep_row(ix, c->ino);
	if (!row)
		return err_oom(e);
	row->stored_delta += *ret_stored_delta;
	if (c->kind == CHANGE_INODE) {
		row->row = c->row;
		row->has_row = true;
	}
	return 0;
}
