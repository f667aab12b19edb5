/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The callers' side of the way into a store. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/store/pack_list.h"
#include "common/store/beyond.h"
#include "common/store/writer_impl.h"

/* The content of small files is compressed by the committer itself: waking a worker takes longer. */
#define SMALL_SET_BYTES (64 * KiB)
#define GATHER_MS	5

int writer_submit(struct writer *w, struct change_set **set_p, uint64_t *ret_ticket)
{
	_cleanup_(change_set_freep) struct change_set *set = take_ptr(*set_p);
	size_t bytes;
	int r;

	if (!set || set->failed) {
		struct err e = {0};

		/* What is dropped here would be missing under everything that follows. */
		(void)err_oom(&e);
		writer_fail(w, &e);
		return -ENOMEM;
	}
	if (writer_has_failed(w))
		return -EROFS;
	bytes = change_set_bytes(set);
	LOCK_SCOPE(&w->submit_lock);
	set->ticket = w->last_ticket + 1;
	if (ret_ticket)
		*ret_ticket = set->ticket;
	r = set->has_chunks ? pool_submit(w->pool, set, bytes)
			    : pool_submit_ready(w->pool, set, bytes);
	if (r < 0)
		return -EIO;
	w->last_ticket++;
	(void)take_ptr(set);
	return 0;
}

int writer_sync(struct writer *w)
{
	struct change_set *marker = change_set_new();
	uint64_t ticket;
	int r;

	if (!marker)
		return -ENOMEM;
	marker->wants_sync = true;
	r = writer_submit(w, &marker, &ticket);
	if (r < 0)
		return r == -EROFS ? -EIO : r;
	pool_hurry(w->pool);
	LOCK_SCOPE(&w->state_lock);
	while (w->durable_ticket < ticket && w->refused_ticket < ticket &&
	       w->state != WRITER_FAILED)
		(void)pthread_cond_wait(&w->state_changed, &w->state_lock);
	if (w->durable_ticket >= ticket)
		return 0;
	return w->state == WRITER_FAILED ? -EIO : -ENOSPC;
}

enum writer_state writer_state(struct writer *w, struct err *ret_reason)
{
	LOCK_SCOPE(&w->state_lock);
	if (ret_reason)
		*ret_reason = w->reason;
	return w->state;
}

uint64_t writer_last_ticket(struct writer *w)
{
	LOCK_SCOPE(&w->submit_lock);
	return w->last_ticket;
}

int writer_reserve(struct writer *w, uint64_t len_bytes)
{
	enum writer_state state = writer_state(w, NULL);

	if (state != WRITER_OK)
		return state == WRITER_FULL ? -ENOSPC : -EROFS;
	return space_reserve(&w->space, len_bytes);
}

void writer_release(struct writer *w, uint64_t len_bytes)
{
	space_release(&w->space, len_bytes);
}

int writer_space(struct writer *w, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes)
{
	return space_get(&w->space, ret_free_bytes, ret_total_bytes);
}

static void writer_free(struct writer *w)
{
	if (!w)
		return;
	if (w->pool)
		pool_close(w->pool);
	if (w->started)
		(void)pthread_join(w->committer, NULL);
	pool_free(w->pool);
	index_free(w->index);
	commit_log_free(w->log);
	reclaim_free(w->reclaim);
	pack_writer_done(&w->pack);
	ballast_done(&w->ballast);
	space_done(&w->space);
	(void)pthread_mutex_destroy(&w->submit_lock);
	(void)pthread_mutex_destroy(&w->state_lock);
	(void)pthread_cond_destroy(&w->state_changed);
	free(w);
}

static void writer_freep(struct writer **w)
{
	writer_free(*w);
}

/*
 * Files without a row. Behind the last pack they were never committed, and their records bear sequences that will
 * be given again. Before it they were compacted, and a crash came between the commit and their removal;
 * what could say that they are out of date is gone by now.
 */
static int remove_packs_without_row(struct writer *w, struct err *e)
{
	_cleanup_free_ struct pack_file *packs = NULL;
	char name[PACK_NAME_BYTES];
	bool removed = false;
	size_t n;
	int r = pack_list(w->store->packs_fd, &packs, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = index_has_pack(w->index, packs[i].pack, e);
		if (r != 0) {
			r = MIN(r, 0);
			continue;
		}
		if (unlinkat(w->store->packs_fd, pack_name(packs[i].pack, name), 0) < 0)
			r = err_sys(e, "cannot remove 'packs/%s', which has no row", name);
		removed = true;
	}
	if (r == 0 && removed && fsync(w->store->packs_fd) < 0)
		r = err_sys(e, "making the pack folder durable");
	return r;
}

static int open_packs(struct writer *w, struct err *e)
{
	struct pack_row last;
	int r = index_last_pack(w->index, &last, e);

	/* Before anything of it is cut off. */
	if (r == 0)
		r = beyond_check(w->store, &last, e);
	if (r == 0)
		r = remove_packs_without_row(w, e);
	if (r < 0)
		return r;
	r = pack_writer_open(&w->pack, w->store->packs_fd, w->store->pack_bytes,
			     last.sealed ? 0 : last.pack, last.size_bytes, e);
	w->pack.pack = last.pack; /* the next one counts on from it */
	w->pack.log_bytes = last.log_bytes;
	return r;
}

static int start_threads(struct writer *w, struct err *e)
{
	struct pool_desc desc = {
		.name = "compress",
		.n_workers = w->options.n_workers,
		.depth = w->options.queue_depth,
		.max_cost = w->options.memory_bytes,
		.small_cost = SMALL_SET_BYTES,
		.gather_ms = GATHER_MS,
		.work = compress_set,
		.worker_new = compress_worker_new,
		.worker_free = compress_worker_free,
		.arg = w,
	};
	int r = pool_new(&desc, &w->pool, e);

	if (r < 0)
		return r;
	r = pthread_create(&w->committer, NULL, committer_main, w);
	if (r)
		return err_set(e, r, "cannot start the committer thread: %s", strerror(r));
	(void)pthread_setname_np(w->committer, "committer");
	w->started = true;
	return 0;
}

/* The root came with the store: the first commit puts it on record. */
static int submit_root(struct writer *w, struct err *e)
{
	struct change_set *set = change_set_new();
	int r;

	if (!set)
		return err_oom(e);
	change_inode(set, NULL, STORE_ROOT_INO, &w->store->root);
	r = writer_submit(w, &set, NULL);
	return r < 0 ? err_set(e, -r, "recording the root: %s", strerror(-r)) : 0;
}

int writer_new(struct store *store, const struct writer_options *options,
	       const struct writer_events *events, struct writer **ret, struct err *e)
{
	_cleanup_(writer_freep) struct writer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_oom(e);
	w->store = store;
	w->options = *options;
	if (!w->options.clock)
		w->options.clock = &clock_system;
	w->events = *events;
	w->last_ticket = w->durable_ticket = store->sequence;
	w->commits = store->commits;
	w->next_ino = store->next_ino;
	w->next_dentry = store->next_dentry;
	w->batch_tail = &w->batch;
	w->pack.fd = w->ballast.fd = -1;
	if (pthread_mutex_init(&w->submit_lock, NULL) || pthread_mutex_init(&w->state_lock, NULL) ||
	    pthread_cond_init(&w->state_changed, NULL) || space_init(&w->space, store->dir_fd) < 0)
		return err_oom(e);
	ballast_init(&w->ballast, store->dir_fd, SPACE_MARGIN_BYTES);
	r = index_new(store->db, &w->index, e);
	if (r == 0)
		r = commit_log_new(&w->log, e);
	if (r == 0)
		r = open_packs(w, e);
	if (r == 0)
		r = reclaim_new(store->packs_fd, &w->reclaim, e);
	if (r == 0)
		r = start_threads(w, e);
	if (r == 0 && store->sequence == 0)
		r = submit_root(w, e);
	if (r < 0)
		return err_wrap(e, r, "store '%s'", store->path);
	*ret = take_ptr(w);
	return 0;
}

int writer_close(struct writer *w, struct err *e)
{
	int r;

	pool_close(w->pool);
	(void)pthread_join(w->committer, NULL);
	w->started = false;
	r = w->state == WRITER_FAILED ? -w->reason.code : 0;
	if (r < 0 && e)
		*e = w->reason;
	index_free(take_ptr(w->index));
	if (r == 0)
		(void)sql_checkpoint(w->store->db, SQL_CHECKPOINT_TRUNCATE, NULL, NULL);
	writer_free(w);
	return r;
}
