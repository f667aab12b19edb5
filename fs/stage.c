/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stage's life, the events from the committer, and the flusher that pushes aged data. */
#include "fs/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "fs/stage_priv.h"

#define FLUSHER_PERIOD_MS 250

/* ---- events, on the committer's thread: leaves only ---- */

static void on_applied(void *arg, struct change *c, uint64_t ticket, int64_t stored_delta)
{
	struct stage *s = arg;
	struct inode *i = c->owner;

	if (!i)
		return;
	if (stored_delta)
		(void)atomic_fetch_add(&i->stored_bytes, stored_delta);
	if (c->kind == CHANGE_CHUNK) {
		writer_release(s->writer, c->chunk.buf->capacity_bytes);
		content_placed(&i->content, c->chunk.idx, c->chunk.buf, &c->chunk.place, ticket);
	}
}

static void on_durable(void *arg, struct change_set *set)
{
	struct stage *s = arg;

	for (unsigned n = 0; n < set->n_changes; n++) {
		struct change *c = &set->changes[n];
		struct inode *i = c->owner;

		if (!i)
			continue;
		if (c->kind == CHANGE_CHUNK)
			content_durable(&i->content, c->chunk.idx, set->ticket);
		else if (c->kind == CHANGE_CHUNKS_GONE)
			content_shown(&i->content, c->range.mark);
		else if (c->kind == CHANGE_DENTRY || c->kind == CHANGE_DENTRY_GONE)
			names_durable(&s->names, c->dentry.parent, c->name, c->dentry.id);
		inode_unpin(&s->inodes, i);
	}
}

/* ---- the flusher ---- */

void stage_note_dirty(struct stage *s, struct inode *i)
{
	inode_pin(&s->inodes, i);
	(void)pthread_mutex_lock(&s->dirty_lock);
	if (!i->listed) {
		i->listed = true;
		i->next_dirty = s->dirty;
		s->dirty = i;
		i = NULL;
	}
	(void)pthread_mutex_unlock(&s->dirty_lock);
	if (i) /* it was there, and is pinned by that */
		inode_unpin(&s->inodes, i);
}

/* Pushes an inode that is old enough. False: something of it may still be dirty. */
static bool flush_one(struct stage *s, struct inode *i, uint64_t older_than_ns)
{
	bool due, clean;

	(void)pthread_mutex_lock(&i->lock);
	clean = i->content.n_dirty == 0;
	due = !clean && i->content.dirty_since_ns <= older_than_ns;
	(void)pthread_mutex_unlock(&i->lock);
	if (!due)
		return clean;
	/* What could not be pushed stays listed, unless nothing can be kept any more. */
	return stage_push_inode(s, i->ino) < 0 && writer_state(s->writer, NULL) == WRITER_FAILED;
}

/*
 * One at a time: whoever comes second waits until what the first one took off the list is pushed, or it would
 * miss that.
 */
void stage_push_older(struct stage *s, uint64_t older_than_ns)
{
	struct inode *list, *i;

	LOCK_SCOPE(&s->push_lock);
	(void)pthread_mutex_lock(&s->dirty_lock);
	list = take_ptr(s->dirty);
	(void)pthread_mutex_unlock(&s->dirty_lock);
	while ((i = list)) {
		(void)pthread_mutex_lock(&s->dirty_lock);
		list = i->next_dirty;
		i->listed =
			false; /* before it is looked at: who dirties it from now on lists it anew */
		(void)pthread_mutex_unlock(&s->dirty_lock);
		if (!flush_one(s, i, older_than_ns))
			stage_note_dirty(s, i);
		inode_unpin(&s->inodes, i);
	}
}

static void *flusher_main(void *arg)
{
	struct stage *s = arg;
	bool stopping = false;

	while (!stopping) {
		uint64_t now = clock_monotonic_ns(),
			 wake = now + FLUSHER_PERIOD_MS * UINT64_C(1000000);
		struct timespec ts = {.tv_sec = (time_t)(wake / NSEC_PER_SEC),
				      .tv_nsec = (long)(wake % NSEC_PER_SEC)};

		(void)pthread_mutex_lock(&s->dirty_lock);
		if (!s->stopping)
			(void)pthread_cond_timedwait(&s->dirty_changed, &s->dirty_lock, &ts);
		stopping = s->stopping;
		(void)pthread_mutex_unlock(&s->dirty_lock);
		stage_push_older(s, stopping ? UINT64_MAX
					     : clock_monotonic_ns() -
						       s->options.dirty_age_ms * 1000000);
	}
	return NULL;
}

static int start_flusher(struct stage *s, struct err *e)
{
	pthread_condattr_t attr;
	int r;

	if (pthread_condattr_init(&attr))
		return err_oom(e);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (pthread_mutex_init(&s->dirty_lock, NULL) || pthread_cond_init(&s->dirty_changed, &attr))
		return err_oom(e);
	(void)pthread_condattr_destroy(&attr);
	r = pthread_create(&s->flusher, NULL, flusher_main, s);
	if (r)
		return err_set(e, r, "cannot start the flusher thread: %s", strerror(r));
	(void)pthread_setname_np(s->flusher, "flusher");
	s->flusher_started = true;
	return 0;
}

/* Ends the flusher; it pushes everything before it goes. */
static void stop_flusher(struct stage *s)
{
	if (!s->flusher_started)
		return;
	(void)pthread_mutex_lock(&s->dirty_lock);
	s->stopping = true;
	(void)pthread_cond_broadcast(&s->dirty_changed);
	(void)pthread_mutex_unlock(&s->dirty_lock);
	(void)pthread_join(s->flusher, NULL);
	s->flusher_started = false;
}

/* ---- life ---- */

static int stage_free(struct stage *s, struct err *e)
{
	int r = 0;

	stage_stop_janitor(s);
	stop_flusher(s);
	if (s->writer)
		r = writer_close(s->writer, e);
	inode_table_done(&s->inodes);
	names_done(&s->names);
	cache_free(s->cache);
	catalog_free(s->catalog);
	store_free(s->store);
	free(s);
	return r;
}

int stage_new(struct store *store, const struct stage_options *options, struct stage **ret,
	      struct err *e)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct writer_events events = {.applied = on_applied, .durable = on_durable, .arg = s};
	int r;

	if (!s)
		return err_oom(e);
	s->store = store;
	s->options = *options;
	s->options.writer.memory_bytes = options->memory_bytes / 16 * 3;
	s->dirty_max_bytes = options->memory_bytes / 16 * 3;
	atomic_init(&s->next_ino, store->next_ino);
	atomic_init(&s->next_dentry, store->next_dentry);
	r = catalog_new(store->path, store->frozen, &s->catalog, e);
	if (r == 0 &&
	    (inode_table_init(&s->inodes, s->catalog) < 0 || names_init(&s->names) < 0 ||
	     pthread_mutex_init(&s->names_lock, NULL) || pthread_mutex_init(&s->push_lock, NULL)))
		r = err_oom(e);
	if (r == 0)
		r = cache_new(store->packs_fd, store->chunk_bytes, options->memory_bytes / 32 * 3,
			      &s->cache, e);
	if (r == 0 && !store->read_only)
		r = writer_new(store, &s->options.writer, &events, &s->writer, e);
	if (r == 0 && !store->read_only)
		r = start_flusher(s, e);
	if (r == 0 && !store->read_only)
		r = stage_start_janitor(s, e);
	if (r < 0) {
		(void)stage_free(s, NULL);
		return r;
	}
	*ret = s;
	return 0;
}

int stage_close(struct stage *s, struct err *e)
{
	return stage_free(s, e);
}

int stage_syncfs(struct stage *s)
{
	if (stage_is_read_only(s))
		return 0;
	stage_push_older(s, UINT64_MAX);
	return writer_sync(s->writer);
}

/* Without a writer there is nothing to promise. */
static int space_below(struct stage *s, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes)
{
	struct statvfs st;

	if (!stage_is_read_only(s))
		return writer_space(s->writer, ret_free_bytes, ret_total_bytes);
	if (fstatvfs(s->store->dir_fd, &st) < 0)
		return -errno;
	*ret_free_bytes = 0;
	*ret_total_bytes = (uint64_t)st.f_blocks * st.f_frsize;
	return 0;
}

void stage_get_stats(struct stage *s, struct stage_stats *ret)
{
	*ret = (struct stage_stats){
		.read_only = stage_is_read_only(s),
		.written_bytes = atomic_load(&s->written_bytes),
		.read_bytes = atomic_load(&s->read_bytes),
		.dirty_bytes = atomic_load(&s->dirty_bytes),
		.memory_bytes = s->options.memory_bytes,
	};
	if (!stage_is_read_only(s))
		writer_get_stats(s->writer, &ret->writer);
	ret->accounted_bytes = ret->dirty_bytes + ret->writer.queue_bytes;
}

int stage_statfs(struct stage *s, struct statvfs *st)
{
	uint64_t free_bytes, total_bytes;
	int r = space_below(s, &free_bytes, &total_bytes);

	if (r < 0)
		return r;
	*st = (struct statvfs){
		.f_bsize = s->store->chunk_bytes,
		.f_frsize = 4096,
		.f_blocks = total_bytes / 4096,
		.f_bfree = free_bytes / 4096,
		.f_bavail = free_bytes / 4096,
		/* Numbers handed out stand for the files in use: counting them would read the whole index. */
		.f_files = atomic_load(&s->next_ino) + free_bytes / 4096,
		.f_ffree = free_bytes / 4096,
		.f_favail = free_bytes / 4096,
		.f_namemax = 255,
	};
	return 0;
}
