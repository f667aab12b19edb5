/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The newest of everything. Tables of the attached database "staging" have a column sequence; a row is
 * replaced only by one that is not older. What is gone leaves a row that says so.
 */
#include "common/store/replay_stage.h"

#include <stdlib.h>

#include "common/base/cleanup.h"

static const char staging_schema[] =
	"CREATE TABLE staging.store (id INTEGER PRIMARY KEY, sequence, created_ns, chunk_bytes,"
	" pack_bytes, commits, committed_ns, next_ino, next_dentry);"
	"CREATE TABLE staging.pack (id INTEGER PRIMARY KEY, size_bytes, log_bytes);"
	"CREATE TABLE staging.inode (ino INTEGER PRIMARY KEY, sequence, gone, mode, nlink, uid,"
	" gid, rdev, size_bytes, content_version, atime_ns, mtime_ns, ctime_ns, btime_ns);"
	"CREATE TABLE staging.dentry (parent, name, sequence, id, ino,"
	" PRIMARY KEY (parent, name)) WITHOUT ROWID;" /* ino NULL: the name is gone */
	"CREATE TABLE staging.symlink (ino INTEGER PRIMARY KEY, sequence, target);"
	"CREATE TABLE staging.xattr (ino, name, sequence, value," /* NULL: gone */
	" PRIMARY KEY (ino, name)) WITHOUT ROWID;"
	"CREATE TABLE staging.chunk (ino, idx, sequence, pack, off_bytes, stored_bytes, raw_bytes,"
	" checksum, PRIMARY KEY (ino, idx)) WITHOUT ROWID;"
	"CREATE TABLE staging.chunks_gone (ino, first_idx, end_idx, sequence,"
	" PRIMARY KEY (ino, first_idx, end_idx)) WITHOUT ROWID;";

enum statement {
	PUT_STORE,
	PUT_PACK,
	PUT_INODE,
	PUT_INODE_GONE,
	DROP_SYMLINK,
	DROP_XATTRS,
	PUT_DENTRY,
	PUT_SYMLINK,
	PUT_XATTR,
	PUT_CHUNK,
	IS_CHUNK_GONE,
	DROP_CHUNK_RANGE,
	DROP_WITHIN_RANGE,
	PUT_RANGE_GONE,
	MAKE_STORE,
	N_STATEMENTS,
};

static const char *const statement_text[N_STATEMENTS] = {
	[PUT_STORE] = "INSERT INTO staging.store VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		      " ON CONFLICT DO UPDATE SET sequence = ?1, created_ns = ?2, chunk_bytes = ?3,"
		      " pack_bytes = ?4, commits = ?5, committed_ns = ?6, next_ino = ?7,"
		      " next_dentry = ?8 WHERE ?1 >= sequence",
	[PUT_PACK] = "INSERT OR REPLACE INTO staging.pack VALUES (?, ?, ?)",
	[PUT_INODE] =
		"INSERT INTO staging.inode VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		" ?12, ?13) ON CONFLICT DO UPDATE SET sequence = ?2, mode = ?3, nlink = ?4,"
		" uid = ?5, gid = ?6, rdev = ?7, size_bytes = ?8, content_version = ?9,"
		" atime_ns = ?10, mtime_ns = ?11, ctime_ns = ?12, btime_ns = ?13, gone = 0"
		" WHERE ?2 >= sequence",
	[PUT_INODE_GONE] = "INSERT INTO staging.inode (ino, sequence, gone) VALUES (?1, ?2, 1)"
			   " ON CONFLICT DO UPDATE SET sequence = ?2, gone = 1"
			   " WHERE ?2 >= sequence",
	[DROP_SYMLINK] = "DELETE FROM staging.symlink WHERE ino = ? AND sequence <= ?",
	[DROP_XATTRS] = "DELETE FROM staging.xattr WHERE ino = ? AND sequence <= ?",
	[PUT_DENTRY] = "INSERT INTO staging.dentry VALUES (?1, ?2, ?3, ?4, ?5)"
		       " ON CONFLICT DO UPDATE SET sequence = ?3, id = ?4, ino = ?5"
		       " WHERE ?3 >= sequence",
	[PUT_SYMLINK] =
		"INSERT INTO staging.symlink VALUES (?1, ?2, ?3)"
		" ON CONFLICT DO UPDATE SET sequence = ?2, target = ?3 WHERE ?2 >= sequence",
	[PUT_XATTR] = "INSERT INTO staging.xattr VALUES (?1, ?2, ?3, ?4)"
		      " ON CONFLICT DO UPDATE SET sequence = ?3, value = ?4 WHERE ?3 >= sequence",
	[PUT_CHUNK] = "INSERT INTO staging.chunk VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		      " ON CONFLICT DO UPDATE SET sequence = ?3, pack = ?4, off_bytes = ?5,"
		      " stored_bytes = ?6, raw_bytes = ?7, checksum = ?8 WHERE ?3 >= sequence",
	[IS_CHUNK_GONE] = "SELECT 1 FROM staging.chunks_gone WHERE ino = ?1 AND first_idx <= ?2"
			  " AND end_idx > ?2 AND sequence > ?3 LIMIT 1",
	[DROP_CHUNK_RANGE] = "DELETE FROM staging.chunk"
			     " WHERE ino = ?1 AND idx >= ?2 AND idx < ?3 AND sequence < ?4",
	[DROP_WITHIN_RANGE] = "DELETE FROM staging.chunks_gone WHERE ino = ?1 AND first_idx >= ?2"
			      " AND end_idx <= ?3 AND sequence <= ?4",
	[PUT_RANGE_GONE] = "INSERT OR IGNORE INTO staging.chunks_gone VALUES (?, ?, ?, ?)",
	[MAKE_STORE] = "INSERT INTO main.store (id, uuid, created_ns, chunk_bytes, pack_bytes,"
		       " commits, sequence, committed_ns) SELECT 1, ?, created_ns, chunk_bytes,"
		       " pack_bytes, commits, ?, committed_ns FROM staging.store",
};

/* The index that the gathered rows make. Rows that refer to what is not there are left out. */
static const char resolve_text[] =
	"INSERT INTO main.inode (ino, mode, nlink, uid, gid, rdev, size_bytes, atime_ns, mtime_ns,"
	" ctime_ns, btime_ns, content_version)"
	" SELECT ino, mode, nlink, uid, gid, rdev, size_bytes, atime_ns, mtime_ns, ctime_ns,"
	" btime_ns, content_version FROM staging.inode WHERE NOT gone AND nlink > 0;"

	/* Names in a root that was lost are worth keeping. */
	"INSERT OR IGNORE INTO main.inode (ino, mode, nlink, uid, gid, atime_ns, mtime_ns, "
	"ctime_ns,"
	" btime_ns) SELECT 1, 16832, 2, 0, 0, created_ns, created_ns, created_ns, created_ns"
	" FROM main.store;"

	"INSERT OR IGNORE INTO main.dentry (id, parent, name, ino)"
	" SELECT d.id, d.parent, d.name, d.ino FROM staging.dentry d"
	" JOIN main.inode p ON p.ino = d.parent JOIN main.inode i ON i.ino = d.ino"
	" WHERE p.mode & 61440 = 16384;"

	"INSERT INTO main.symlink SELECT s.ino, s.target FROM staging.symlink s"
	" JOIN main.inode i ON i.ino = s.ino WHERE i.mode & 61440 = 40960;"

	"INSERT INTO main.xattr SELECT x.ino, x.name, x.value FROM staging.xattr x"
	" JOIN main.inode i ON i.ino = x.ino WHERE x.value IS NOT NULL;"

	"INSERT INTO main.pack (id, size_bytes, live_bytes, log_bytes, sealed)"
	" SELECT id, size_bytes, 0, log_bytes, id < (SELECT max(id) FROM staging.pack)"
	" FROM staging.pack;"

	"INSERT INTO main.chunk (ino, idx, pack, off_bytes, stored_bytes, raw_bytes, checksum)"
	" SELECT c.ino, c.idx, c.pack, c.off_bytes, c.stored_bytes, c.raw_bytes, c.checksum"
	" FROM staging.chunk c JOIN main.inode i ON i.ino = c.ino"
	" JOIN main.pack p ON p.id = c.pack WHERE i.mode & 61440 = 32768;"

	"UPDATE main.inode SET stored_bytes = s.n FROM"
	" (SELECT ino, sum(stored_bytes) AS n FROM main.chunk GROUP BY ino) s"
	" WHERE s.ino = inode.ino;"
	"UPDATE main.pack SET live_bytes = s.n FROM"
	" (SELECT pack, sum(stored_bytes) AS n FROM main.chunk GROUP BY pack) s"
	" WHERE s.pack = pack.id;"

	/* Numbers go on behind all that were ever used. */
	"DELETE FROM main.sqlite_sequence;"
	"INSERT INTO main.sqlite_sequence (name, seq)"
	" SELECT 'inode', max(next_ino - 1, coalesce((SELECT max(ino) FROM staging.inode WHERE "
	"mode IS NOT NULL), 0))"
	" FROM staging.store UNION ALL SELECT 'dentry', max(next_dentry - 1,"
	" coalesce((SELECT max(id) FROM staging.dentry), 0)) FROM staging.store;";

struct replay_stage {
	struct sql *db;
	struct sql_stmt *statements[N_STATEMENTS];
};

static int open_both(struct replay_stage *st, const char *index_path, const char *staging_path,
		     struct err *e)
{
	int r = sql_open_scratch(index_path, &st->db, e);

	if (r == 0)
		r = sql_migrate(st->db, index_path, &schema_index, e);
	if (r == 0)
		r = sql_attach(st->db, staging_path, "staging", e);
	/* Settings are a database's own, not the connection's. */
	if (r == 0)
		r = sql_exec(st->db,
			     "PRAGMA staging.synchronous=OFF; PRAGMA staging.cache_size=-32768;",
			     e);
	return r == 0 ? sql_exec(st->db, staging_schema, e) : r;
}

int replay_stage_new(const char *index_path, const char *staging_path, struct replay_stage **ret,
		     struct err *e)
{
	_cleanup_(replay_stage_freep) struct replay_stage *st = calloc(1, sizeof(*st));
	int r;

	if (!st)
		return err_oom(e);
	r = open_both(st, index_path, staging_path, e);
	for (int i = 0; r == 0 && i < N_STATEMENTS; i++)
		r = sql_prepare(st->db, statement_text[i], &st->statements[i], e);
	if (r == 0)
		r = sql_begin(st->db, false, e);
	if (r < 0)
		return r;
	*ret = take_ptr(st);
	return 0;
}

static void finalize_all(struct replay_stage *st)
{
	for (int i = 0; i < N_STATEMENTS; i++)
		sql_finalize(take_ptr(st->statements[i]));
}

void replay_stage_free(struct replay_stage *st)
{
	if (!st)
		return;
	finalize_all(st);
	sql_close(st->db);
	free(st);
}

static void bind_all(struct sql_stmt *s, const uint64_t *values, int n)
{
	for (int i = 0; i < n; i++)
		sql_bind_i64(s, i + 1, (int64_t)values[i]);
}

#define BIND(s, ...)                                 \
	bind_all(s, (const uint64_t[]){__VA_ARGS__}, \
		 (int)ARRAY_SIZE(((const uint64_t[]){__VA_ARGS__})))

#define RUN(st, which, e, ...)                              \
	({                                                  \
		BIND((st)->statements[which], __VA_ARGS__); \
		sql_run((st)->statements[which], e);        \
	})

int replay_stage_chunk(struct replay_stage *st, uint64_t ino, uint64_t idx, uint64_t sequence,
		       const struct chunk_place *place, bool late, struct err *e)
{
	if (late) {
		struct sql_stmt *gone = st->statements[IS_CHUNK_GONE];
		int r;

		BIND(gone, ino, idx, sequence);
		r = sql_step(gone, e);
		sql_reset(gone);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return RUN(st, PUT_CHUNK, e, ino, idx, sequence, place->pack, place->off_bytes,
		   place->stored_bytes, place->raw_bytes, place->checksum);
}

/* Content of chunks [first, end) that is older than the sequence is gone. */
static int put_range_gone(struct replay_stage *st, uint64_t ino, uint64_t sequence, uint64_t first,
			  uint64_t end, struct err *e)
{
	int r;

	end = MIN(end, (uint64_t)INT64_MAX);
	r = RUN(st, DROP_CHUNK_RANGE, e, ino, first, end, sequence);
	if (r == 0)
		r = RUN(st, DROP_WITHIN_RANGE, e, ino, first, end, sequence);
	return r == 0 ? RUN(st, PUT_RANGE_GONE, e, ino, first, end, sequence) : r;
}

static int put_store(struct replay_stage *st, const struct commit_entry *entry, struct err *e)
{
	return RUN(st, PUT_STORE, e, entry->sequence, entry->store.created_ns,
		   entry->store.chunk_bytes, entry->store.pack_bytes, entry->store.commits,
		   entry->store.committed_ns, entry->store.next_ino, entry->store.next_dentry);
}

static int put_inode(struct replay_stage *st, const struct commit_entry *entry, struct err *e)
{
	const struct inode_row *row = &entry->row;

	return RUN(st, PUT_INODE, e, entry->ino, entry->sequence, row->mode, row->nlink, row->uid,
		   row->gid, row->rdev, row->size_bytes, row->content_version, row->atime_ns,
		   row->mtime_ns, row->ctime_ns, row->btime_ns);
}

static int put_inode_gone(struct replay_stage *st, const struct commit_entry *entry, struct err *e)
{
	int r = RUN(st, PUT_INODE_GONE, e, entry->ino, entry->sequence);

	if (r == 0)
		r = put_range_gone(st, entry->ino, entry->sequence, 0, INT64_MAX, e);
	if (r == 0)
		r = RUN(st, DROP_SYMLINK, e, entry->ino, entry->sequence);
	return r == 0 ? RUN(st, DROP_XATTRS, e, entry->ino, entry->sequence) : r;
}

static int put_dentry(struct replay_stage *st, const struct commit_entry *entry, struct err *e)
{
	struct sql_stmt *s = st->statements[PUT_DENTRY];

	sql_bind_i64(s, 1, (int64_t)entry->dentry.parent);
	sql_bind_name(s, 2, entry->name, entry->name_bytes);
	sql_bind_i64(s, 3, (int64_t)entry->sequence);
	if (entry->kind == COMMIT_DENTRY) {
		sql_bind_i64(s, 4, (int64_t)entry->dentry.id);
		sql_bind_i64(s, 5, (int64_t)entry->ino);
	}
	return sql_run(s, e);
}

static int put_symlink(struct replay_stage *st, const struct commit_entry *entry, struct err *e)
{
	struct sql_stmt *s = st->statements[PUT_SYMLINK];

	BIND(s, entry->ino, entry->sequence);
	sql_bind_name(s, 3, entry->value, entry->value_bytes);
	return sql_run(s, e);
}

static int put_xattr(struct replay_stage *st, const struct commit_entry *entry, struct err *e)
{
	struct sql_stmt *s = st->statements[PUT_XATTR];

	sql_bind_i64(s, 1, (int64_t)entry->ino);
	sql_bind_name(s, 2, entry->name, entry->name_bytes);
	sql_bind_i64(s, 3, (int64_t)entry->sequence);
	if (entry->kind == COMMIT_XATTR)
		sql_bind_blob(s, 4, entry->value_bytes ? entry->value : "", entry->value_bytes);
	return sql_run(s, e);
}

int replay_stage_entry(struct replay_stage *st, const struct commit_entry *entry, struct err *e)
{
	if (!commit_entry_possible(entry))
		return err_set(e, EBADMSG, "an entry that cannot be (kind %d)", entry->kind);
	switch (entry->kind) {
	case COMMIT_STORE:
		return put_store(st, entry, e);
	case COMMIT_INODE:
		return put_inode(st, entry, e);
	case COMMIT_INODE_GONE:
		return put_inode_gone(st, entry, e);
	case COMMIT_DENTRY:
	case COMMIT_DENTRY_GONE:
		return put_dentry(st, entry, e);
	case COMMIT_SYMLINK:
		return put_symlink(st, entry, e);
	case COMMIT_XATTR:
	case COMMIT_XATTR_GONE:
		return put_xattr(st, entry, e);
	case COMMIT_CHUNKS_GONE:
		return put_range_gone(st, entry->ino, entry->sequence, entry->range.first_idx,
				      entry->range.end_idx, e);
	}
	return 0;
}

int replay_stage_pack(struct replay_stage *st, uint32_t pack, uint64_t size_bytes,
		      uint64_t log_bytes, struct err *e)
{
	return RUN(st, PUT_PACK, e, pack, size_bytes, log_bytes);
}

int replay_stage_commit(struct replay_stage *st, struct err *e)
{
	int r = sql_commit(st->db, NULL, e);

	return r == 0 ? sql_begin(st->db, false, e) : r;
}

int replay_stage_resolve(struct replay_stage *st, const uint8_t uuid[16], uint64_t sequence,
			 struct sql **ret, struct err *e)
{
	struct sql_stmt *store = st->statements[MAKE_STORE];
	int r;

	sql_rollback(st->db);
	r = sql_begin(st->db, true, e);
	if (r < 0)
		return r;
	sql_bind_blob(store, 1, uuid, 16);
	sql_bind_i64(store, 2, (int64_t)sequence);
	r = sql_run(store, e);
	if (r == 0)
		r = sql_exec(st->db, resolve_text, e);
	if (r == 0)
		r = sql_commit(st->db, NULL, e);
	finalize_all(st);
	if (r == 0)
		r = sql_exec(st->db, "DETACH staging", e);
	if (r < 0)
		return err_wrap(e, r, "making an index of what the packs say");
	*ret = take_ptr(st->db);
	return 0;
}
