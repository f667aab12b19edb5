/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The committer. A batch is open from the first set applied until its commit; its sets stand in `batch` in
 * ticket order. A commit is: the batch's commit records behind its chunk records, packs synced, then one
 * transaction. On a full disk the batch is rolled back and applied again later, in the same order.
 */
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/store/writer_impl.h"

#define BATCH_MAX_CHANGES  100000
#define SYNC_GROUP_SETS	   256	 /* sets that may still join a commit somebody waits for */
#define CHECKPOINT_CHANGES 10000 /* applied since the last checkpoint */

/* From now on nothing is promised; the first cause is kept. */
void writer_fail(struct writer *w, const struct err *e)
{
	(void)pthread_mutex_lock(&w->state_lock);
	if (w->state != WRITER_FAILED) {
		w->state = WRITER_FAILED;
		w->reason = *e;
		log_error("store '%s': %s; it is read-only until it is mounted again",
			  w->store->path, e->text);
	}
	(void)pthread_cond_broadcast(&w->state_changed);
	(void)pthread_mutex_unlock(&w->state_lock);
}

static void checkpoint(struct writer *w)
{
	struct err e = {0};
	int64_t left = 0;
	int r;

	if (w->since_checkpoint < CHECKPOINT_CHANGES)
		return;
	r = sql_checkpoint(w->store->db, SQL_CHECKPOINT_PASSIVE, &left, &e);
	if (r == -EIO)
		writer_fail(w, &e);
	else if (r < 0)
		log_warning("store '%s': checkpoint: %s", w->store->path, e.text);
	else if (left > 65536)
		log_warning("store '%s': a reader holds back %jd pages of the index's log; "
			    "it grows until that reader ends",
			    w->store->path, (intmax_t)left);
	atomic_store(&w->counts.held_frames, (uint64_t)left);
	w->since_checkpoint = 0;
}

static void finish_batch(struct writer *w, bool committed)
{
	struct change_set *set = w->batch, *next;

	if (committed) {
		(void)atomic_fetch_add(&w->counts.commits, 1);
		atomic_store(&w->counts.committed_ns, clock_realtime_ns());
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
	commit_log_reset(w->log);
}

static void log_row(uint64_t ino, const struct inode_row *row, void *arg)
{
	struct writer *w = arg;

	commit_log_entry(w->log, &(struct commit_entry){.kind = COMMIT_INODE,
							.sequence = w->batch_ticket,
							.ino = ino,
							.row = *row});
}

/*
 * What the batch changed besides content, into the pack. All records of a commit stand in one pack, so that
 * it is whole or gone when packs are compacted.
 */
static int append_log(struct writer *w, const struct commit_counters *c, struct err *e)
{
	const struct store *s = w->store;
	_cleanup_(buf_done) struct buf records = BUF_INIT;
	uint64_t off_bytes;
	int r;

	index_each_row(w->index, log_row, w);
	commit_log_entry(w->log, &(struct commit_entry){.kind = COMMIT_STORE,
							.sequence = c->sequence,
							.store = {.chunk_bytes = s->chunk_bytes,
								  .pack_bytes = s->pack_bytes,
								  .created_ns = s->created_ns,
								  .commits = c->commits,
								  .committed_ns = c->committed_ns,
								  .next_ino = c->next_ino,
								  .next_dentry = c->next_dentry}});
	r = commit_log_put(w->log, s->uuid, c->sequence, &records, e);
	if (r == 0)
		r = apply_record(w, &records, &off_bytes, e);
	if (r == 0)
		w->pack.log_bytes += records.len_bytes;
	return r;
}

static int commit_changes(struct writer *w, struct err *e)
{
	const struct clock *clock = w->options.clock;
	const struct pack_writer before = w->pack;
	const struct commit_counters counters = {.sequence = w->batch_ticket,
						 .commits = w->commits + 1,
						 .committed_ns = clock->realtime_ns(clock),
						 .next_ino = w->next_ino,
						 .next_dentry = w->next_dentry};
	bool maybe_done = false;
	int r = append_log(w, &counters, e);

	if (r == 0)
		r = pack_writer_sync(&w->pack, e);
	if (r == 0)
		r = apply_note_pack(w, false, e);
	if (r == 0)
		r = index_commit(w->index, &counters, &maybe_done, e);
	w->commits += r == 0;
	/* Or every try on a full disk would leave its commit records there. */
	if (r == -ENOSPC && !maybe_done && w->pack.pack == before.pack && w->pack.fd == before.fd) {
		pack_writer_rewind(&w->pack, before.end_bytes);
		w->pack.log_bytes = before.log_bytes;
	}
	return r;
}

/* What the commit killed is not needed any more, not even after a crash. */
static void give_back_space(struct writer *w)
{
	struct dead_frame *frames;
	uint32_t *packs;
	size_t n_frames, n_packs;

	index_take_dead(w->index, &frames, &n_frames, &packs, &n_packs);
	reclaim_add(w->reclaim, frames, n_frames, packs, n_packs);
}

/* As if nothing of the batch had been applied: what is in packs stays there, and the sets in memory. */
static void fall_behind(struct writer *w)
{
	index_rollback(w->index);
	commit_log_reset(w->log);
	w->behind = true;
}

static int try_commit(struct writer *w, struct err *e)
{
	int r = 0;

	for (struct change_set *set = w->batch; w->behind && r == 0 && set; set = set->next)
		r = apply_set(w, set, e);
	/* Nothing changed: all that was waited for is durable already. */
	if (r == 0 && w->batch_changes)
		r = commit_changes(w, e);
	if (r == -ENOSPC)
		fall_behind(w);
	else
		w->behind = false;
	return r;
}

static void commit_batch(struct writer *w)
{
	struct err e = {0};
	int r = try_commit(w, &e);

	if (r == -ENOSPC) {
		writer_note_full(w, &e);
		writer_make_room(w);
		e = (struct err){0};
		r = try_commit(w, &e);
	}
	if (r == -ENOSPC) {
		writer_refuse_batch(w);
		return;
	}
	if (r < 0) {
		(void)err_wrap(&e, r, "committing");
		writer_fail(w, &e);
	}
	w->since_checkpoint += w->batch_changes;
	finish_batch(w, r == 0);
	if (r == 0) {
		give_back_space(w);
		checkpoint(w);
		writer_end_full(w);
	}
}

bool writer_has_failed(struct writer *w)
{
	LOCK_SCOPE(&w->state_lock);
	return w->state == WRITER_FAILED;
}

static void take_set(struct writer *w, struct change_set *set)
{
	struct err e = {0};
	int r;

	if (!w->batch)
		w->batch_started_ns = clock_monotonic_ns();
	*w->batch_tail = set;
	w->batch_tail = &set->next;
	w->batch_ticket = set->ticket;
	w->batch_changes += set->n_changes;
	if (writer_has_failed(w) || w->behind)
		return;
	r = apply_set(w, set, &e);
	if (r == -ENOSPC) {
		fall_behind(w);
		w->next_try_ns = 0;
	} else if (r < 0) {
		writer_fail(w, &e);
	}
}

/* Whether the open batch is to be committed now; item: a set was just taken. */
static bool commit_due(const struct writer *w, bool item, unsigned sync_waits)
{
	if (!w->batch)
		return false;
	if (sync_waits && (!item || sync_waits > SYNC_GROUP_SETS))
		return true;
	if (w->behind)
		return clock_monotonic_ns() >= w->next_try_ns;
	return w->batch_changes >= BATCH_MAX_CHANGES ||
	       clock_monotonic_ns() >= w->batch_started_ns + w->options.commit_ms * 1000000;
}

/* Until when to wait for the next set. */
static uint64_t next_deadline(struct writer *w, unsigned sync_waits)
{
	if (sync_waits)
		return 0; /* take what is ready: many waiters share one commit */
	if (w->behind)
		return w->next_try_ns;
	if (w->batch)
		return w->batch_started_ns + w->options.commit_ms * 1000000;
	return writer_is_full(w) ? clock_monotonic_ns() + WRITER_RETRY_NS : UINT64_MAX;
}

void *committer_main(void *arg)
{
	struct writer *w = arg;
	unsigned sync_waits = 0; /* sets taken since someone began to wait; 0 = nobody waits */
	bool more = true;

	while (more || w->batch) {
		void *item;

		/* The last batch waits for room, too. */
		if (!more && w->behind)
			clock_system.sleep_ns(&clock_system, WRITER_RETRY_NS);
		more = pool_next_until(w->pool, next_deadline(w, sync_waits), &item);
		if (item) {
			struct change_set *set = item;

			sync_waits += sync_waits || set->wants_sync;
			take_set(w, set);
		}
		if (!item)
			writer_end_full(w);
		if (!commit_due(w, item, sync_waits) && (more || !w->batch))
			continue;
		if (writer_has_failed(w)) {
			index_rollback(w->index);
			finish_batch(w, false);
		} else {
			commit_batch(w);
		}
		sync_waits = 0;
	}
	return NULL;
}
