/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a store. */
#include "common/store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/store/ballast.h"
#include "common/store/scratch.h"
#include "common/store/store_create.h"
#include "common/store/store_lock.h"
#include "schema/schema.h"

#define FIRST_DENTRY_ID 16 /* smaller readdir positions are "." and ".." */

static int load_store_row(struct store *s, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *q = NULL;
	const void *uuid;
	size_t n;
	int r = sql_prepare(s->db,
			    "SELECT uuid, chunk_bytes, pack_bytes, sequence, created_ns, commits "
			    "FROM store WHERE id = 1",
			    &q, e);

	if (r == 0)
		r = sql_step(q, e);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(e, ENODATA, "the index has no store row");
	uuid = sql_col_blob(q, 0, &n);
	if (n != sizeof(s->uuid))
		return err_set(e, EBADMSG, "the store's id is damaged");
	memcpy(s->uuid, uuid, n);
	s->chunk_bytes = (uint32_t)sql_col_i64(q, 1);
	s->pack_bytes = (uint64_t)sql_col_i64(q, 2);
	s->sequence = (uint64_t)sql_col_i64(q, 3);
	s->created_ns = (uint64_t)sql_col_i64(q, 4);
	s->commits = (uint64_t)sql_col_i64(q, 5);
	if (s->chunk_bytes < 64 * KiB || s->chunk_bytes > MiB ||
	    (s->chunk_bytes & (s->chunk_bytes - 1)) || s->pack_bytes < MiB)
		return err_set(e, EBADMSG, "the store's settings are damaged");
	return 0;
}

/* Numbers go on after the greatest ever used, also of rows that are gone (AUTOINCREMENT). */
static int load_counters(struct store *s, struct err *e)
{
	int64_t ino, dentry;
	int r = sql_get_i64(
		s->db, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'inode'), 1)",
		&ino, e);

	if (r == 0)
		r = sql_get_i64(s->db,
				"SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = "
				"'dentry'), 0)",
				&dentry, e);
	if (r < 0)
		return r;
	s->next_ino = (uint64_t)ino + 1;
	s->next_dentry = MAX((uint64_t)dentry + 1, (uint64_t)FIRST_DENTRY_ID);
	return 0;
}

/* The root of a store into which nothing was committed yet. */
static int load_root(struct store *s, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *q = NULL;
	int r = sql_prepare(
		s->db, "SELECT mode, nlink, uid, gid, btime_ns FROM inode WHERE ino = 1", &q, e);

	if (r == 0)
		r = sql_step(q, e);
	if (r <= 0)
		return r < 0 ? r : err_set(e, EBADMSG, "the index has no root directory");
	s->root = (struct inode_row){.mode = (uint32_t)sql_col_i64(q, 0),
				     .nlink = (uint32_t)sql_col_i64(q, 1),
				     .uid = (uint32_t)sql_col_i64(q, 2),
				     .gid = (uint32_t)sql_col_i64(q, 3)};
	s->root.atime_ns = s->root.mtime_ns = s->root.ctime_ns = s->root.btime_ns =
		(uint64_t)sql_col_i64(q, 4);
	return 0;
}

/* Removes what was unlinked but still open when the last writer ended. */
static int remove_orphans(struct store *s, struct err *e)
{
	static const char text[] =
		"BEGIN IMMEDIATE;"
		"UPDATE pack SET live_bytes = live_bytes - coalesce((SELECT sum(c.stored_bytes) "
		"FROM chunk c"
		" JOIN orphan o ON o.ino = c.ino WHERE c.pack = pack.id), 0)"
		" WHERE id IN (SELECT c.pack FROM chunk c JOIN orphan o ON o.ino = c.ino);"
		"DELETE FROM chunk WHERE ino IN (SELECT ino FROM orphan);"
		"DELETE FROM xattr WHERE ino IN (SELECT ino FROM orphan);"
		"DELETE FROM symlink WHERE ino IN (SELECT ino FROM orphan);"
		"CREATE TEMP TABLE gone AS SELECT ino FROM orphan;"
		"DELETE FROM orphan;"
		"DELETE FROM inode WHERE ino IN (SELECT ino FROM temp.gone);"
		"DROP TABLE temp.gone;"
		"COMMIT;";
	int64_t n;
	int r = sql_get_i64(s->db, "SELECT count(*) FROM orphan", &n, e);

	if (r < 0 || n == 0)
		return r;
	r = sql_exec(s->db, text, e);
	if (r < 0)
		sql_rollback(s->db);
	return r;
}

/* The index's log is empty: the file alone is the whole truth. */
static bool has_no_log(const struct store *s)
{
	struct stat st;

	return fstatat(s->dir_fd, "index.db-wal", &st, 0) < 0 ? errno == ENOENT : st.st_size == 0;
}

/* As it is: what a crash left is read past, not repaired. */
static int open_index_read_only(struct store *s, const char *path, struct err *e)
{
	int r;

	s->frozen = has_no_log(s);
	r = sql_open(path, s->frozen ? SQL_IMMUTABLE : SQL_READ_ONLY, &s->db, e);
	if (r == 0)
		r = sql_check_schema(s->db, path, &schema_index, e);
	if (r == 0)
		r = load_store_row(s, e);
	return r == 0 ? load_counters(s, e) : r;
}

static int open_index(struct store *s, const struct store_options *o, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	int64_t rows;
	int r;

	if (asprintf(&path, "%s/index.db", s->path) < 0) {
		path = NULL;
		return err_oom(e);
	}
	if (s->read_only)
		return open_index_read_only(s, path, e);
	r = sql_open(path, o->create ? SQL_CREATE : SQL_READ_WRITE, &s->db, e);
	if (r == 0)
		r = sql_migrate(s->db, path, &schema_index, e);
	if (r == 0)
		r = sql_get_i64(s->db, "SELECT count(*) FROM store", &rows, e);
	if (r == 0 && rows == 0)
		r = o->create ? store_create(s, o, e)
			      : err_set(e, ENOENT, "the store was never finished");
	if (r == 0)
		r = load_store_row(s, e);
	if (r == 0)
		r = load_counters(s, e);
	if (r == 0 && s->sequence == 0)
		r = load_root(s, e);
	return r == 0 ? remove_orphans(s, e) : r;
}

static int open_folder(struct store *s, const struct store_options *o, struct err *e)
{
	int r;

	if (o->create && mkdir(s->path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create the folder");
	s->dir_fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return err_sys(e, "cannot open the folder");
	if (faccessat(s->dir_fd, "index.db", F_OK, 0) < 0) {
		if (!o->create)
			return err_hint(e, err_set(e, ENOENT, "not a Seedship store"),
					"'seedfs mount' creates one");
		r = store_check_no_packs(s, e);
		if (r == 0)
			r = store_check_empty(s, e);
		if (r < 0)
			return r;
	}
	r = store_lock_take(s->dir_fd, s->read_only, &s->lock_fd, e);
	if (r < 0)
		return r;
	if (!s->read_only)
		scratch_remove_left(s->dir_fd);
	if (!s->read_only && mkdirat(s->dir_fd, "packs", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create the pack folder");
	s->packs_fd = openat(s->dir_fd, "packs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->packs_fd < 0 ? err_sys(e, "cannot open the pack folder") : 0;
}

static int alloc_store(const char *path, struct store **ret, struct err *e)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return err_oom(e);
	s->dir_fd = s->packs_fd = s->lock_fd = -1;
	s->path = strdup(path);
	if (!s->path) {
		free(s);
		return err_oom(e);
	}
	*ret = s;
	return 0;
}

static int lock_folders(struct store *s, struct err *e)
{
	int r;

	s->dir_fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return err_sys(e, "cannot open the folder");
	s->packs_fd = openat(s->dir_fd, "packs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->packs_fd < 0 && errno == ENOENT)
		return err_hint(e, err_set(e, ENOENT, "not a Seedship store"),
				"a store is a folder with packs/ in it, made by 'seedfs mount'");
	if (s->packs_fd < 0)
		return err_sys(e, "cannot open the pack folder");
	r = store_lock_take(s->dir_fd, false, &s->lock_fd, e);
	if (r == 0)
		scratch_remove_left(s->dir_fd);
	return r;
}

int store_lock(const char *path, struct store **ret, struct err *e)
{
	_cleanup_(store_freep) struct store *s = NULL;
	int r = alloc_store(path, &s, e);

	if (r == 0)
		r = lock_folders(s, e);
	if (r < 0)
		return err_wrap(e, r, "store '%s'", path);
	*ret = take_ptr(s);
	return 0;
}

int store_open(const char *path, const struct store_options *options, struct store **ret,
	       struct err *e)
{
	_cleanup_(store_freep) struct store *s = NULL;
	int r = alloc_store(path, &s, e);

	if (r < 0)
		return r;
	s->read_only = options->read_only;
	r = open_folder(s, options, e);
	if (r == 0)
		r = open_index(s, options, e);
	if (r == -ENOSPC && ballast_give_up(s->dir_fd)) {
		sql_close(take_ptr(s->db));
		if (e)
			*e = (struct err){0};
		r = open_index(s, options, e);
	}
	if (r == -ENOSPC)
		(void)err_hint(e, r, "make a few MiB of room there; '-o ro' reads it meanwhile");
	if (r < 0)
		return err_wrap(e, r, "store '%s'", path);
	*ret = take_ptr(s);
	return 0;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	sql_close(s->db);
	if (s->packs_fd >= 0)
		(void)close(s->packs_fd);
	if (s->dir_fd >= 0)
		(void)close(s->dir_fd);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	free(s->path);
	free(s);
}
