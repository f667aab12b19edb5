/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Read-only connections to the index, each with its statements, kept in a free list. */
#include "common/store/catalog_impl.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "schema/schema.h"

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

struct catalog_connection {
	struct catalog_connection *next;
	struct sql *db;
	struct sql_stmt *statements[N_STATEMENTS];
};

struct catalog {
	char *path; /* of index.db */
	enum sql_mode mode;
	pthread_mutex_t lock;
	struct catalog_connection *idle; /* lock */
};

static void connection_free(struct catalog_connection *k)
{
	if (!k)
		return;
	for (int i = 0; i < N_STATEMENTS; i++)
		sql_finalize(k->statements[i]);
	sql_close(k->db);
	free(k);
}
DEFINE_FREEP(struct catalog_connection, connection_free)

static int connection_new(const char *path, enum sql_mode mode, struct catalog_connection **ret,
			  struct err *e)
{
	_cleanup_(connection_freep) struct catalog_connection *k = calloc(1, sizeof(*k));
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

int catalog_borrow(struct catalog *c, enum catalog_statement which,
		   struct catalog_connection **ret_connection, struct sql_stmt **ret, struct err *e)
{
	struct catalog_connection *k;

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

int catalog_give_back(struct catalog *c, struct catalog_connection *k, struct sql_stmt *s, int r,
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
		struct catalog_connection *k = c->idle;

		c->idle = k->next;
		connection_free(k);
	}
	(void)pthread_mutex_destroy(&c->lock);
	free(c->path);
	free(c);
}
