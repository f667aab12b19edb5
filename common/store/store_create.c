/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making a store. It is built under its final name but becomes one only with the commit of its store row:
 * until then every open builds it again.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/fdio.h"
#include "common/ext/digest.h"
#include "common/store/ballast.h"
#include "common/store/pack_list.h"
#include "common/store/store_create.h"

int store_check_no_packs(struct store *s, struct err *e)
{
	_cleanup_fd_ int fd = openat(s->dir_fd, "packs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct pack_file *packs = NULL;
	size_t n;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot open the pack folder");
	r = pack_list(fd, &packs, &n, e);
	free(packs);
	if (r < 0 || n == 0)
		return r;
	r = err_set(e, EBADMSG, "packs are there, but the index is missing or empty");
	return err_hint(e, r, "'seedfs rebuild %s' makes the index again", s->path);
}

int store_check_empty(struct store *s, struct err *e)
{
	static const char *const ours[] = {".",	       "..",	       "lock",	       "packs",
					   "index.db", "index.db-wal", "index.db-shm", "lost+found",
					   "control",  "seedfs.log",   BALLAST_NAME};
	DIR *dir = fd_opendir(s->dir_fd, ".");
	struct dirent *d;
	int r = 0;

	if (!dir)
		return err_sys(e, "cannot read the folder");
	while (r == 0 && (d = readdir(dir))) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
			known |= strcmp(d->d_name, ours[i]) == 0;
		if (!known)
			r = err_set(e, ENOTEMPTY, "not a store, and the folder is not empty ('%s')",
				    d->d_name);
	}
	(void)closedir(dir);
	return r == -ENOTEMPTY ? err_hint(e, r, "name a new or an empty folder for the store") : r;
}

static int insert_first_rows(struct store *s, const struct store_options *o, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *store = NULL, *root = NULL;
	int64_t now = (int64_t)clock_realtime_ns();
	int r;

	r = sql_prepare(s->db,
			"INSERT INTO store (id, uuid, created_ns, chunk_bytes, pack_bytes) "
			"VALUES (1, ?, ?, ?, ?)",
			&store, e);
	if (r == 0)
		r = sql_prepare(
			s->db,
			"INSERT INTO inode (ino, mode, nlink, uid, gid, atime_ns, mtime_ns, "
			"ctime_ns, btime_ns) VALUES (1, ?, 2, ?, ?, ?4, ?4, ?4, ?4)",
			&root, e);
	if (r < 0)
		return r;
	sql_bind_blob(store, 1, s->uuid, sizeof(s->uuid));
	sql_bind_i64(store, 2, now);
	sql_bind_i64(store, 3, o->chunk_bytes ? o->chunk_bytes : STORE_CHUNK_BYTES_DEFAULT);
	sql_bind_i64(store, 4, (int64_t)(o->pack_bytes ? o->pack_bytes : STORE_PACK_BYTES_DEFAULT));
	sql_bind_i64(root, 1, S_IFDIR | 0755);
	sql_bind_i64(root, 2, o->uid);
	sql_bind_i64(root, 3, o->gid);
	sql_bind_i64(root, 4, now);
	r = sql_run(store, e);
	return r < 0 ? r : sql_run(root, e);
}

int store_create(struct store *s, const struct store_options *o, struct err *e)
{
	int r;

	if (random_bytes(s->uuid, sizeof(s->uuid)) < 0)
		return err_set(e, EIO, "no randomness for the store's id");
	r = store_check_no_packs(s, e);
	if (r == 0)
		r = sql_begin(s->db, true, e);
	if (r == 0)
		r = insert_first_rows(s, o, e);
	if (r == 0)
		r = sql_commit(s->db, NULL, e);
	if (r < 0)
		sql_rollback(s->db);
	else if (fsync(s->dir_fd) < 0 || (fsync_parent(s->path) < 0 && errno != EACCES))
		r = err_sys(e, "making the new store durable");
	s->created = r == 0;
	return r;
}
