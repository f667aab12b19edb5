/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The new index is made in a scratch folder, synced, and takes the old one's place by a rename. Between the
 * two renames there is no index: such a store refuses to be mounted, and is rebuilt again.
 */
#include "common/store/rebuild.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/fdio.h"
#include "common/store/lost_found.h"
#include "common/store/replay.h"
#include "common/store/scratch.h"
#include "common/store/store.h"
#include "common/store/summary.h"

struct rebuild {
	struct store *store;
	struct scratch *scratch;
	struct pack_file *packs;
	size_t n_packs;
	struct rebuild_summary sum;
};

static void rebuild_done(struct rebuild *b)
{
	scratch_free(b->scratch);
	store_free(b->store);
	free(b->packs);
}

/* The id in the old index, if that can be read: packs of other stores are then passed over. */
static bool old_uuid(const struct store *s, uint8_t ret[STORE_UUID_BYTES])
{
	_cleanup_free_ char *path = NULL;
	_cleanup_(sql_closep) struct sql *db = NULL;
	_cleanup_(sql_finalizep) struct sql_stmt *q = NULL;
	const void *uuid;
	size_t n;

	if (asprintf(&path, "%s/index.db", s->path) < 0) {
		path = NULL;
		return false;
	}
	if (sql_open(path, SQL_READ_ONLY, &db, NULL) < 0 ||
	    sql_prepare(db, "SELECT uuid FROM store", &q, NULL) < 0 || sql_step(q, NULL) != 1)
		return false;
	uuid = sql_col_blob(q, 0, &n);
	if (!uuid || n != STORE_UUID_BYTES)
		return false;
	memcpy(ret, uuid, n);
	return true;
}

static int replay(struct rebuild *b, const struct rebuild_options *o, struct err *e)
{
	uint8_t uuid[STORE_UUID_BYTES];
	struct replay_options options = {.packs_fd = b->store->packs_fd,
					 .uuid = old_uuid(b->store, uuid) ? uuid : NULL,
					 .index_path = b->scratch->index_path,
					 .staging_path = b->scratch->staging_path,
					 .packs = b->packs,
					 .n_packs = b->n_packs,
					 .open_end = true,
					 .damaged = o->damaged,
					 .progress = o->progress,
					 .arg = o->arg};
	_cleanup_(sql_closep) struct sql *db = NULL;
	struct replay_summary sum = {0};
	int r = replay_packs(&options, &db, &sum, e);

	/* The id itself may be what is damaged. */
	if (r == -ENODATA && options.uuid) {
		options.uuid = NULL;
		r = replay_packs(&options, &db, &sum, e);
	}
	if (r < 0)
		return r;
	b->sum.packs = b->n_packs;
	b->sum.commits = sum.commits;
	b->sum.damages = sum.damages;
	b->sum.tail_bytes = sum.tail_bytes;
	return 0;
}

/* Renames what is there; what is not is fine. */
static int rename_at(int dir_fd, const char *from, const char *to, struct err *e)
{
	if (renameat(dir_fd, from, dir_fd, to) < 0 && errno != ENOENT)
		return err_sys(e, "cannot rename '%s' to '%s'", from, to);
	return 0;
}

/* Moves the old index out of the way, together with the part of it that is still in its log. */
static int keep_old(struct rebuild *b, struct err *e)
{
	int dir_fd = b->store->dir_fd, r;
	time_t now = (time_t)(clock_realtime_ns() / NSEC_PER_SEC);
	char wal[80];
	struct tm tm;

	if (faccessat(dir_fd, "index.db", F_OK, 0) == 0) {
		(void)gmtime_r(&now, &tm);
		(void)strftime(b->sum.kept_as, sizeof(b->sum.kept_as),
			       "index.db.damaged-%Y%m%dT%H%M%SZ", &tm);
		r = rename_at(dir_fd, "index.db", b->sum.kept_as, e);
		if (r < 0)
			return r;
	}
	(void)snprintf(wal, sizeof(wal), "%s-wal",
		       b->sum.kept_as[0] ? b->sum.kept_as : "index.db.damaged");
	r = rename_at(dir_fd, "index.db-wal", wal, e);
	if (r == 0 && unlinkat(dir_fd, "index.db-shm", 0) < 0 && errno != ENOENT)
		r = err_sys(e, "cannot remove 'index.db-shm'");
	/* A log must not outlive its database's place: the new one is not what it is about. */
	if (r == 0 && fsync(dir_fd) < 0)
		r = err_sys(e, "making the renames durable");
	return r;
}

static int swap(struct rebuild *b, struct err *e)
{
	_cleanup_fd_ int fd = open(b->scratch->index_path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, "making the new index durable");
	r = keep_old(b, e);
	if (r < 0)
		return r;
	if (renameat(AT_FDCWD, b->scratch->index_path, b->store->dir_fd, "index.db") < 0 ||
	    fsync(b->store->dir_fd) < 0)
		return err_sys(e, "putting the new index in its place");
	return 0;
}

static int prepare(struct rebuild *b, const char *path, const struct rebuild_options *o,
		   struct err *e)
{
	uint64_t total_bytes = 0;
	int r = store_lock(path, &b->store, e);

	if (r == 0)
		r = pack_list(b->store->packs_fd, &b->packs, &b->n_packs, e);
	if (r < 0)
		return r;
	if (b->n_packs == 0)
		return err_set(e, ENODATA, "there are no packs: nothing to make an index from");
	for (size_t i = 0; i < b->n_packs; i++)
		total_bytes += b->packs[i].size_bytes;
	if (o->started)
		o->started(o->arg, total_bytes);
	return scratch_new(path, &b->scratch, e);
}

static int count(struct rebuild *b, const char *path, struct err *e)
{
	struct store_summary s;
	int r = store_summary_get(path, &s, e);

	if (r < 0)
		return r;
	b->sum.files = s.files;
	b->sum.directories = s.directories;
	b->sum.size_bytes = s.size_bytes;
	b->sum.stored_bytes = s.stored_bytes;
	return 0;
}

int rebuild_store(const char *path, const struct rebuild_options *options,
		  struct rebuild_summary *ret, struct err *e)
{
	_cleanup_(rebuild_done) struct rebuild b = {0};
	int r = prepare(&b, path, options, e);

	if (r == 0)
		r = replay(&b, options, e);
	if (r == 0)
		r = swap(&b, e);
	r = scratch_hint(e, r);
	if (r < 0)
		return r;
	store_free(take_ptr(b.store));
	r = lost_found_collect(path, &b.sum.lost_found, e);
	if (r == 0)
		r = count(&b, path, e);
	if (r == 0)
		*ret = b.sum;
	return r;
}
