/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of struct writer share: writer.c is the callers' side, compress.c what the workers do,
 * apply.c and committer.c the thread that appends, applies and commits. submit_lock gives tickets and keeps
 * the pool in the same order; state_lock guards what waiters look at. Lock order: submit_lock, state_lock;
 * the pool's own lock is a leaf.
 */
#ifndef SEEDSHIP_STORE_WRITER_IMPL_H
#define SEEDSHIP_STORE_WRITER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/pool.h"
#include "common/store/ballast.h"
#include "common/store/commit_log.h"
#include "common/store/index.h"
#include "common/store/pack.h"
#include "common/store/reclaim.h"
#include "common/store/space.h"
#include "common/store/writer.h"

struct writer {
	struct store *store;
	struct writer_options options;
	struct writer_events events;
	struct pool *pool;
	struct space space;
	struct reclaim *reclaim;
	pthread_t committer;
	bool started;

	pthread_mutex_t submit_lock;
	uint64_t last_ticket; /* submit_lock */

	pthread_mutex_t state_lock;
	pthread_cond_t state_changed;
	uint64_t durable_ticket; /* state_lock */
	enum writer_state state; /* state_lock */
	struct err reason;	 /* state_lock: of a state that is not WRITER_OK */
	uint64_t refused_ticket; /* state_lock: up to here sets were tried, and the disk was full */

	/* For writer_stats(): counted by the committer, read by anybody. */
	struct {
		atomic_uint_fast64_t raw_bytes, stored_bytes, commits, committed_ns, held_frames;
	} counts;

	/* The committer's own. */
	struct index *index;
	struct commit_log *log;
	struct pack_writer pack;
	struct ballast ballast;
	struct change_set *batch, **batch_tail;
	uint64_t batch_started_ns, batch_ticket;
	uint64_t batch_changes, since_checkpoint;
	bool behind; /* the disk was full: the batch was rolled back and is to be applied again */
	uint64_t next_try_ns;
	uint64_t commits;		/* up to now */
	uint64_t next_ino, next_dentry; /* first numbers that no row had */
};

/* compress.c: the state of a worker of the pool (arg: the writer), and its work: records for the chunks of a set. */
void *compress_worker_new(void *arg);
void compress_worker_free(void *state);
void compress_set(void *item, void *state);

int compress_level(struct writer *w); /* what the next chunk is compressed with */
/* full.c, on the committer's thread: the states WRITER_OK and WRITER_FULL. */
#define WRITER_RETRY_NS NSEC_PER_SEC
bool writer_is_full(struct writer *w);
void writer_note_full(struct writer *w, const struct err *e);
void writer_make_room(struct writer *w);
void writer_refuse_batch(struct writer *w);
void writer_end_full(struct writer *w); /* if it can be ended */

/* apply.c, on the committer's thread: a set into the open pack and the open transaction. */
int apply_set(struct writer *w, struct change_set *set, struct err *e);
/* A record behind the last one; *ret_off_bytes = where it begins. A full pack is sealed before. */
int apply_record(struct writer *w, const struct buf *record, uint64_t *ret_off_bytes,
		 struct err *e);
/* The open pack as its row says it; sealed: nothing more is appended. */
int apply_note_pack(struct writer *w, bool sealed, struct err *e);

/* committer.c */
void *committer_main(void *arg);

/* Anybody: from now on nothing is promised; the first cause is kept and logged. */
void writer_fail(struct writer *w, const struct err *e);
bool writer_has_failed(struct writer *w);

#endif
