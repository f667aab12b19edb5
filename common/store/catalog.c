/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Read-only connections to the index, each with its statements, kept in a free list. */
#include "common/store/catalog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/ext/sql.h"
#include "schema/schema.h"

enum statement {
	LOOKUP,
	INODE,
	SYMLINK,
	LIST,
	NAME_OF,
	CHUNKS,
	NEXT_CHUNK,
	XATTRS,
	PACKS,
	COUNT_CHUNKS,
	N_STATEMENTS,
};

static const char *const statement_text[N_STATEMENTS] = {
	[LOOKUP] = "SELECT ino, id FROM dentry WHERE parent = ? AND name = ?",
	[INODE] = "SELECT mode, nlink, uid, gid, rdev, size_bytes, atime_ns, mtime_ns, ctime_ns, "
		  "btime_ns,"
		  " content_version, stored_bytes FROM inode WHERE ino = ?",
	[SYMLINK] = "SELECT target FROM symlink WHERE ino = ?",
	[LIST] = "SELECT d.id, d.ino, i.mode, d.name FROM dentry d JOIN inode i ON i.ino = d.ino"
		 " WHERE d.parent = ? AND d.id > ? ORDER BY d.id LIMIT ?",
	[NAME_OF] = "SELECT parent, name FROM dentry WHERE ino = ? LIMIT 1",
	[CHUNKS] = "SELECT idx, pack, off_bytes, stored_bytes, raw_bytes, checksum FROM chunk"
		   " WHERE ino = ? AND idx >= ? AND idx < ? ORDER BY idx",
	[NEXT_CHUNK] = "SELECT min(idx) FROM chunk WHERE ino = ? AND idx >= ?",
	[XATTRS] = "SELECT name, value FROM xattr WHERE ino = ?",
	[COUNT_CHUNKS] = "SELECT count(*) FROM chunk WHERE pack = ?",
	[PACKS] = "SELECT id, size_bytes, live_bytes, log_bytes, sealed FROM pack ORDER BY id",
};

struct connection {
	struct connection *next;
	struct sql *db;
	struct sql_stmt *statements[N_STATEMENTS];
};

struct catalog {
	char *path; /* of index.db */
	enum sql_mode mode;
	pthread_mutex_t lock;
	struct connection *idle; /* lock */
};

static void connection_free(struct connection *k)
{
	if (!k)
		return;
	for (int i = 0; i < N_STATEMENTS; i++)
		sql_finalize(k->statements[i]);
	sql_close(k->db);
	free(k);
}
DEFINE_FREEP(struct connection, connection_free)

static int connection_new(const char *path, enum sql_mode mode, struct connection **ret,
			  struct err *e)
{
	_cleanup_(connection_freep) struct connection *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return err_oom(e);
	r = sql_open(path, mode, &k->db, e);
	for (int i = 0; r == 0 && i < N_STATEMENTS; i++)
		r = sql_prepare(k->db, statement_text[i], &k->statements[i], e);
	if (r < 0)
		return r;
	*ret = take_ptr(k);
	return 0;
}

/* A statement of a connection that is the caller's until give_back(). */
static int borrow(struct catalog *c, enum statement which, struct connection **ret_connection,
		  struct sql_stmt **ret, struct err *e)
{
	struct connection *k;

	(void)pthread_mutex_lock(&c->lock);
	k = c->idle;
	if (k)
		c->idle = k->next;
	(void)pthread_mutex_unlock(&c->lock);
	if (!k) {
		int r = connection_new(c->path, c->mode, &k, e);

		if (r < 0)
			return r;
	}
	*ret_connection = k;
	*ret = k->statements[which];
	return 0;
}

/* Ends the query, and turns r into what a system call may return. */
static int give_back(struct catalog *c, struct connection *k, struct sql_stmt *s, int r,
		     const struct err *e)
{
	if (s)
		sql_reset(s);
	if (k) {
		LOCK_SCOPE(&c->lock);
		k->next = c->idle;
		c->idle = k;
	}
	if (r < 0 && e->code) {
		log_error("reading the index '%s': %s", c->path, e->text);
		return r == -ENOMEM ? r : -EIO;
	}
	return r;
}

int catalog_new(const char *store_path, bool frozen, struct catalog **ret, struct err *e)
{
	struct catalog *c = calloc(1, sizeof(*c));

	if (!c)
		return err_oom(e);
	c->mode = frozen ? SQL_IMMUTABLE : SQL_READ_ONLY;
	if (asprintf(&c->path, "%s/index.db", store_path) < 0 ||
	    pthread_mutex_init(&c->lock, NULL)) {
		free(c);
		return err_oom(e);
	}
	*ret = c;
	return 0;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	while (c->idle) {
		struct connection *k = c->idle;

		c->idle = k->next;
		connection_free(k);
	}
	(void)pthread_mutex_destroy(&c->lock);
	free(c->path);
	free(c);
}

int catalog_lookup(struct catalog *c, uint64_t parent, const char *name, uint64_t *ret_ino,
		   uint64_t *ret_id)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, LOOKUP, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)parent);
		sql_bind_name(s, 2, name, strlen(name));
		r = sql_step(s, &e);
		if (r > 0) {
			*ret_ino = (uint64_t)sql_col_i64(s, 0);
			*ret_id = (uint64_t)sql_col_i64(s, 1);
		}
		r = r > 0 ? 0 : r < 0 ? r : -ENOENT;
	}
	return give_back(c, k, s, r, &e);
}

int catalog_inode(struct catalog *c, uint64_t ino, struct inode_row *ret,
		  uint64_t *ret_stored_bytes)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, INODE, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		r = sql_step(s, &e);
	}
	if (r > 0) {
		*ret = (struct inode_row){
			.mode = (uint32_t)sql_col_i64(s, 0),
			.nlink = (uint32_t)sql_col_i64(s, 1),
			.uid = (uint32_t)sql_col_i64(s, 2),
			.gid = (uint32_t)sql_col_i64(s, 3),
			.rdev = (uint64_t)sql_col_i64(s, 4),
			.size_bytes = (uint64_t)sql_col_i64(s, 5),
			.atime_ns = (uint64_t)sql_col_i64(s, 6),
			.mtime_ns = (uint64_t)sql_col_i64(s, 7),
			.ctime_ns = (uint64_t)sql_col_i64(s, 8),
			.btime_ns = (uint64_t)sql_col_i64(s, 9),
			.content_version = (uint64_t)sql_col_i64(s, 10),
		};
		*ret_stored_bytes = (uint64_t)sql_col_i64(s, 11);
		r = 1;
	}
	return give_back(c, k, s, r > 0 ? 0 : r < 0 ? r : -ENOENT, &e);
}

/* A text or blob column as an allocated string. */
static int copy_text(struct sql_stmt *s, int col, char **ret)
{
	size_t n;
	const void *data = sql_col_blob(s, col, &n);
	char *text = malloc(n + 1);

	if (!text)
		return -ENOMEM;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	*ret = text;
	return 0;
}

int catalog_symlink(struct catalog *c, uint64_t ino, char **ret_target)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, SYMLINK, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		r = sql_step(s, &e);
		r = r > 0 ? copy_text(s, 0, ret_target) : r < 0 ? r : -ENOENT;
	}
	return give_back(c, k, s, r, &e);
}

int catalog_list(struct catalog *c, uint64_t parent, uint64_t after, size_t limit,
		 int (*fn)(const struct catalog_dentry *d, void *arg), void *arg)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, LIST, &k, &s, &e), stop = 0;

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)parent);
		sql_bind_i64(s, 2, (int64_t)after);
		sql_bind_i64(s, 3, (int64_t)limit);
	}
	while (r >= 0 && !stop && (r = sql_step(s, &e)) > 0) {
		_cleanup_free_ char *name = NULL;

		r = copy_text(s, 3, &name);
		if (r < 0)
			break;
		stop = fn(&(struct catalog_dentry){.id = (uint64_t)sql_col_i64(s, 0),
						   .ino = (uint64_t)sql_col_i64(s, 1),
						   .mode = (uint32_t)sql_col_i64(s, 2),
						   .name = name},
			  arg);
	}
	r = give_back(c, k, s, r, &e);
	return r < 0 ? r : stop;
}

int catalog_name_of(struct catalog *c, uint64_t ino, uint64_t *ret_parent, char **ret_name)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, NAME_OF, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		r = sql_step(s, &e);
		if (r > 0) {
			*ret_parent = (uint64_t)sql_col_i64(s, 0);
			r = copy_text(s, 1, ret_name);
		} else if (r == 0) {
			r = -ENOENT;
		}
	}
	return give_back(c, k, s, r, &e);
}

int catalog_chunks(struct catalog *c, uint64_t ino, uint64_t first_idx, size_t n,
		   struct chunk_place *ret)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, CHUNKS, &k, &s, &e);

	memset(ret, 0, n * sizeof(*ret));
	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		sql_bind_i64(s, 2, (int64_t)first_idx);
		sql_bind_i64(s, 3, (int64_t)(first_idx + n));
	}
	while (r >= 0 && (r = sql_step(s, &e)) > 0) {
		uint64_t idx = (uint64_t)sql_col_i64(s, 0);

		ret[idx - first_idx] = (struct chunk_place){
			.pack = (uint32_t)sql_col_i64(s, 1),
			.off_bytes = (uint64_t)sql_col_i64(s, 2),
			.stored_bytes = (uint32_t)sql_col_i64(s, 3),
			.raw_bytes = (uint32_t)sql_col_i64(s, 4),
			.checksum = (uint64_t)sql_col_i64(s, 5),
		};
	}
	return give_back(c, k, s, r, &e);
}

int catalog_next_chunk(struct catalog *c, uint64_t ino, uint64_t idx, uint64_t *ret_idx)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, NEXT_CHUNK, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		sql_bind_i64(s, 2, (int64_t)idx);
		r = sql_step(s, &e);
		if (r > 0) {
			*ret_idx = (uint64_t)sql_col_i64(s, 0);
			r = sql_col_null(s, 0) ? -ENOENT : 0;
		}
	}
	return give_back(c, k, s, r, &e);
}

int catalog_count_chunks(struct catalog *c, uint32_t pack, uint64_t *ret)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, COUNT_CHUNKS, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, pack);
		r = sql_step(s, &e);
		if (r > 0)
			*ret = (uint64_t)sql_col_i64(s, 0);
	}
	return give_back(c, k, s, r > 0 ? 0 : r < 0 ? r : -ENOENT, &e);
}

int catalog_packs(struct catalog *c, int (*fn)(const struct catalog_pack *pack, void *arg),
		  void *arg)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, PACKS, &k, &s, &e), stop = 0;

	while (r >= 0 && !stop && (r = sql_step(s, &e)) > 0)
		stop = fn(&(struct catalog_pack){.pack = (uint32_t)sql_col_i64(s, 0),
						 .size_bytes = (uint64_t)sql_col_i64(s, 1),
						 .live_bytes = (uint64_t)sql_col_i64(s, 2),
						 .log_bytes = (uint64_t)sql_col_i64(s, 3),
						 .sealed = sql_col_i64(s, 4)},
			  arg);
	r = give_back(c, k, s, r, &e);
	return r < 0 ? r : stop;
}

int catalog_xattrs(struct catalog *c, uint64_t ino,
		   int (*fn)(const char *name, const void *value, size_t len_bytes, void *arg),
		   void *arg)
{
	struct connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = borrow(c, XATTRS, &k, &s, &e), stop = 0;

	if (r == 0)
		sql_bind_i64(s, 1, (int64_t)ino);
	while (r >= 0 && !stop && (r = sql_step(s, &e)) > 0) {
		_cleanup_free_ char *name = NULL;
		const void *value;
		size_t n;

		r = copy_text(s, 0, &name);
		if (r < 0)
			break;
		value = sql_col_blob(s, 1, &n);
		stop = fn(name, value, n, arg);
	}
	r = give_back(c, k, s, r, &e);
	return r < 0 ? r : stop;
}
