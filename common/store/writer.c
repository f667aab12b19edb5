/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The committer. A batch is OPEN from the first set applied until its commit; sets of the batch stand in
 * `batch` in ticket order. submit_lock gives tickets and keeps the pool in the same order; state_lock
 * guards what waiters look at. Lock order: submit_lock, state_lock; the pool's own lock is a leaf.
 */
#include "common/store/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/pool.h"
#include "common/store/frame.h"
#include "common/store/index.h"
#include "common/store/pack.h"
#include "common/store/space.h"

#define BATCH_MAX_CHANGES  100000
#define SYNC_GROUP_SETS	   256	 /* sets that may still join a commit somebody waits for */
#define CHECKPOINT_CHANGES 10000 /* applied since the last checkpoint */
#define LEVEL_BUSY	   1
#define LEVEL_IDLE	   3

struct writer {
	struct store *store;
	struct writer_options options;
	struct writer_events events;
	struct pool *pool;
	struct space space;
	pthread_t committer;
	bool started;

	pthread_mutex_t submit_lock;
	uint64_t last_ticket; /* submit_lock */

	pthread_mutex_t state_lock;
	pthread_cond_t state_changed;
	uint64_t durable_ticket; /* state_lock */
	int failed;		 /* state_lock: positive errno once nothing can be promised */
	struct err failure;	 /* state_lock */

	/* The committer's own. */
	struct index *index;
	struct pack_writer pack;
	uint32_t last_pack;
	struct change_set *batch, **batch_tail;
	uint64_t batch_started_ns, batch_ticket;
	uint64_t batch_changes, since_checkpoint;
};

/* ---- compressing workers ---- */

struct worker {
	struct frame_codec *codec;
	struct writer *writer;
};

static void *worker_new(void *arg)
{
	struct worker *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->writer = arg;
	if (frame_codec_new(&k->codec, NULL) < 0) {
		free(k);
		return NULL;
	}
	return k;
}

static void worker_free(void *state)
{
	struct worker *k = state;

	if (k)
		frame_codec_free(k->codec);
	free(k);
}

static int choose_level(struct writer *w)
{
	if (w->options.level)
		return w->options.level;
	return pool_in_flight(w->pool) > w->options.n_workers * 2 ? LEVEL_BUSY : LEVEL_IDLE;
}

/* Builds the whole pack record of one chunk: header, then frame. */
static int make_record(struct worker *k, struct change *c, uint64_t ticket)
{
	struct writer *w = k->writer;
	struct chunk_buf *raw = c->chunk.buf;
	struct buf *record = &c->chunk.record;
	struct frame_header h = {
		.type = RECORD_CHUNK,
		.ino = c->ino,
		.off_bytes = c->chunk.idx * w->store->chunk_bytes,
		.raw_bytes = raw->raw_bytes,
		.sequence = ticket,
		.path = c->name,
		.path_bytes = c->name ? strlen(c->name) : 0,
	};
	size_t header_bytes = frame_header_bytes(h.path_bytes), frame_bytes;
	_cleanup_(buf_done) struct buf header = BUF_INIT;
	int r;

	if (all_zero(raw->data, raw->raw_bytes))
		return 0; /* a hole: place stays empty */
	if (!buf_extend(record, header_bytes + frame_bound(raw->raw_bytes)))
		return -ENOMEM;
	r = frame_pack(k->codec, raw->data, raw->raw_bytes, choose_level(w),
		       record->data + header_bytes, &frame_bytes);
	if (r < 0)
		return r;
	memcpy(h.store_uuid, w->store->uuid, sizeof(h.store_uuid));
	h.stored_bytes = (uint32_t)frame_bytes;
	h.checksum = frame_checksum(record->data + header_bytes, frame_bytes);
	frame_header_put(&header, &h);
	r = buf_error(&header);
	if (r < 0)
		return r;
	memcpy(record->data, header.data, header_bytes);
	record->len_bytes = header_bytes + frame_bytes;
	c->chunk.place = (struct chunk_place){.stored_bytes = h.stored_bytes,
					      .raw_bytes = h.raw_bytes,
					      .off_bytes = header_bytes,
					      .checksum = h.checksum};
	return 0;
}

static void compress_set(void *item, void *state)
{
	struct change_set *set = item;

	for (unsigned i = 0; i < set->n_changes; i++) {
		struct change *c = &set->changes[i];

		if (c->kind == CHANGE_CHUNK)
			c->chunk.result = state ? make_record(state, c, set->ticket) : -ENOMEM;
	}
}

/* ---- the committer thread ---- */

static int append_chunk(struct writer *w, struct change *c, struct err *e)
{
	struct buf *record = &c->chunk.record;
	uint64_t off_bytes;
	int r;

	if (c->chunk.result < 0)
		return err_set(e, -c->chunk.result, "compressing a chunk: %s",
			       strerror(-c->chunk.result));
	if (c->chunk.place.stored_bytes == 0)
		return 0;
	if (pack_writer_full(&w->pack, record->len_bytes)) {
		if (w->pack.fd >= 0) {
			r = index_put_pack(w->index, w->pack.pack, w->pack.end_bytes, true, e);
			if (r < 0)
				return r;
		}
		r = pack_writer_next(&w->pack, w->last_pack + 1, e);
		if (r < 0)
			return r;
		w->last_pack++;
		/* The row comes first: chunks refer to it. */
		r = index_put_pack(w->index, w->pack.pack, 0, false, e);
		if (r < 0)
			return r;
	}
	r = pack_writer_append(&w->pack, record->data, record->len_bytes, &off_bytes, e);
	if (r < 0)
		return r;
	c->chunk.place.pack = w->pack.pack;
	c->chunk.place.off_bytes += off_bytes;
	buf_done(record);
	return 0;
}

static int apply_set(struct writer *w, struct change_set *set, struct err *e)
{
	int r = index_begin(w->index, e);

	for (unsigned i = 0; r == 0 && i < set->n_changes; i++) {
		struct change *c = &set->changes[i];
		int64_t stored_delta = 0;

		if (c->kind == CHANGE_CHUNK)
			r = append_chunk(w, c, e);
		if (r == 0)
			r = index_apply(w->index, c, &stored_delta, e);
		if (r == 0 && w->events.applied)
			w->events.applied(w->events.arg, c, set->ticket, stored_delta);
		if (c->kind == CHANGE_CHUNK) {
			chunk_buf_unref(take_ptr(c->chunk.buf));
			buf_done(&c->chunk.record);
		}
	}
	return r;
}

/* From now on nothing is promised; the first cause is kept. */
static void fail(struct writer *w, const struct err *e)
{
	(void)pthread_mutex_lock(&w->state_lock);
	if (!w->failed) {
		w->failed = e->code;
		w->failure = *e;
		log_error("store '%s': %s; nothing more is accepted until it is mounted again",
			  w->store->path, e->text);
	}
	(void)pthread_cond_broadcast(&w->state_changed);
	(void)pthread_mutex_unlock(&w->state_lock);
}

static void checkpoint(struct writer *w)
{
	struct err e = {0};
	int64_t left = 0;

	if (w->since_checkpoint < CHECKPOINT_CHANGES)
		return;
	if (sql_checkpoint(w->store->db, SQL_CHECKPOINT_PASSIVE, &left, &e) < 0)
		log_warning("store '%s': checkpoint: %s", w->store->path, e.text);
	else if (left > 65536)
		log_warning("store '%s': a reader holds back %jd pages of the index's log; "
			    "it grows until that reader ends",
			    w->store->path, (intmax_t)left);
	w->since_checkpoint = 0;
}

static void finish_batch(struct writer *w, bool committed)
{
	struct change_set *set = w->batch, *next;

	if (committed) {
		(void)pthread_mutex_lock(&w->state_lock);
		w->durable_ticket = w->batch_ticket;
		(void)pthread_cond_broadcast(&w->state_changed);
		(void)pthread_mutex_unlock(&w->state_lock);
	}
	for (; set; set = next) {
		next = set->next;
		if (committed && w->events.durable)
			w->events.durable(w->events.arg, set);
		change_set_free(set);
	}
	w->batch = NULL;
	w->batch_tail = &w->batch;
	w->batch_changes = 0;
}

static void commit_batch(struct writer *w)
{
	struct err e = {0};
	int r = pack_writer_sync(&w->pack, &e);

	if (r == 0)
		r = index_begin(w->index, &e);
	if (r == 0 && w->pack.fd >= 0)
		r = index_put_pack(w->index, w->pack.pack, w->pack.end_bytes, false, &e);
	if (r == 0)
		r = index_commit(w->index, w->batch_ticket, &e);
	if (r < 0) {
		(void)err_wrap(&e, r, "committing");
		fail(w, &e);
	}
	w->since_checkpoint += w->batch_changes;
	finish_batch(w, r == 0);
	if (r == 0)
		checkpoint(w);
}

static bool has_failed(struct writer *w)
{
	LOCK_SCOPE(&w->state_lock);
	return w->failed != 0;
}

static void take_set(struct writer *w, struct change_set *set)
{
	struct err e = {0};

	if (!w->batch)
		w->batch_started_ns = clock_monotonic_ns();
	*w->batch_tail = set;
	w->batch_tail = &set->next;
	w->batch_ticket = set->ticket;
	w->batch_changes += set->n_changes;
	if (!has_failed(w) && apply_set(w, set, &e) < 0)
		fail(w, &e);
}

/* Whether the open batch is to be committed now; item: a set was just taken. */
static bool commit_due(const struct writer *w, bool item, unsigned sync_waits)
{
	if (!w->batch)
		return false;
	if (sync_waits && (!item || sync_waits > SYNC_GROUP_SETS))
		return true;
	return w->batch_changes >= BATCH_MAX_CHANGES ||
	       clock_monotonic_ns() >= w->batch_started_ns + w->options.commit_ms * 1000000;
}

static void *committer_main(void *arg)
{
	struct writer *w = arg;
	unsigned sync_waits = 0; /* sets taken since someone began to wait; 0 = nobody waits */
	bool more = true;

	while (more) {
		uint64_t deadline = UINT64_MAX;
		void *item;

		if (sync_waits)
			deadline = 0; /* take what is ready: many waiters share one commit */
		else if (w->batch)
			deadline = w->batch_started_ns + w->options.commit_ms * 1000000;
		more = pool_next_until(w->pool, deadline, &item);
		if (item) {
			struct change_set *set = item;

			sync_waits += sync_waits || set->wants_sync;
			take_set(w, set);
		}
		if (!commit_due(w, item, sync_waits) && (more || !w->batch))
			continue;
		if (has_failed(w))
			finish_batch(w, false);
		else
			commit_batch(w);
		sync_waits = 0;
	}
	return NULL;
}

/* ---- the callers' side ---- */

int writer_submit(struct writer *w, struct change_set **set_p, uint64_t *ret_ticket)
{
	_cleanup_(change_set_freep) struct change_set *set = take_ptr(*set_p);
	int r;

	if (!set || set->failed) {
		struct err e = {0};

		/* What is dropped here would be missing under everything that follows. */
		(void)err_oom(&e);
		fail(w, &e);
		return -ENOMEM;
	}
	if (has_failed(w))
		return -EIO;
	LOCK_SCOPE(&w->submit_lock);
	set->ticket = w->last_ticket + 1;
	if (ret_ticket)
		*ret_ticket = set->ticket;
	r = set->has_chunks ? pool_submit(w->pool, set) : pool_submit_ready(w->pool, set);
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
		return r;
	LOCK_SCOPE(&w->state_lock);
	while (w->durable_ticket < ticket && !w->failed)
		(void)pthread_cond_wait(&w->state_changed, &w->state_lock);
	return w->durable_ticket >= ticket ? 0 : -(w->failed == ENOSPC ? ENOSPC : EIO);
}

int writer_reserve(struct writer *w, uint64_t len_bytes)
{
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
	pack_writer_done(&w->pack);
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

static int open_packs(struct writer *w, struct err *e)
{
	uint64_t end_bytes;
	uint32_t pack;
	int r = index_last_pack(w->index, &pack, &end_bytes, &w->last_pack, e);

	if (r < 0)
		return r;
	return pack_writer_open(&w->pack, w->store->packs_fd, w->store->pack_bytes, pack, end_bytes,
				e);
}

static int start_threads(struct writer *w, struct err *e)
{
	struct pool_desc desc = {
		.name = "compress",
		.n_workers = w->options.n_workers,
		.depth = w->options.queue_depth,
		.work = compress_set,
		.worker_new = worker_new,
		.worker_free = worker_free,
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

int writer_new(struct store *store, const struct writer_options *options,
	       const struct writer_events *events, struct writer **ret, struct err *e)
{
	_cleanup_(writer_freep) struct writer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_oom(e);
	w->store = store;
	w->options = *options;
	w->events = *events;
	w->last_ticket = w->durable_ticket = store->sequence;
	w->batch_tail = &w->batch;
	w->pack.fd = -1;
	if (pthread_mutex_init(&w->submit_lock, NULL) || pthread_mutex_init(&w->state_lock, NULL) ||
	    pthread_cond_init(&w->state_changed, NULL) || space_init(&w->space, store->dir_fd) < 0)
		return err_oom(e);
	r = index_new(store->db, &w->index, e);
	if (r == 0)
		r = open_packs(w, e);
	if (r == 0)
		r = start_threads(w, e);
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
	r = w->failed ? -w->failed : 0;
	if (r < 0 && e)
		*e = w->failure;
	index_free(take_ptr(w->index));
	if (r == 0)
		(void)sql_checkpoint(w->store->db, SQL_CHECKPOINT_TRUNCATE, NULL, NULL);
	writer_free(w);
	return r;
}
