/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct writer: the way into a store. Change sets go in by any thread; workers compress their chunks;
 * one committer thread takes the sets in ticket order, appends frames to packs and rows to the index,
 * and commits in batches: packs fdatasync'ed first, then one transaction. After a crash the index is
 * what it was after some ticket, and never refers to bytes that are not there.
 *
 * A full disk: the batch is rolled back, stays in memory, and is tried again every second and with every
 * sync; deletions are accepted, content is not. After an error of the disk nothing more is promised: what
 * waits for a sync gets -EIO, later changes -EROFS, and nothing is tried again.
 */
#ifndef SEEDSHIP_STORE_WRITER_H
#define SEEDSHIP_STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/store/change.h"
#include "common/store/store.h"

struct writer;

enum writer_state {
	WRITER_OK,
	WRITER_FULL,   /* the disk is full; goes on by itself once there is room */
	WRITER_FAILED, /* read-only until it is opened again */
};

struct writer_options {
	int level; /* zstd level 1..19; 0 = adaptive: 1 while the queue is filling, 3 when idle */
	unsigned n_workers; /* compressing threads; 0 = serial twin, for tests */
	size_t queue_depth; /* sets in flight at most */
	uint64_t
		memory_bytes; /* of them together, about: writer_submit() blocks beyond; 0 = no limit */
	uint64_t commit_ms;	   /* a batch is committed at this age at the latest */
	const struct clock *clock; /* of commit times; lent; NULL = the system's */
};

/* Called by the committer thread; must not submit and must not wait for a submitter. */
struct writer_events {
	/* The change was applied in the open transaction. For CHANGE_CHUNK, change->chunk.place can be read
	 * from its pack now. stored_delta: how the inode's stored bytes changed. */
	void (*applied)(void *arg, struct change *change, uint64_t ticket, int64_t stored_delta);
	/* The set is durable and visible to new read transactions; it is freed afterwards. */
	void (*durable)(void *arg, struct change_set *set);
	void *arg;
};

int writer_new(struct store *store, const struct writer_options *options,
	       const struct writer_events *events, struct writer **ret, struct err *e);

/*
 * Hands over a set (taken in every case, NULL after). *ret_ticket (may be NULL) = its number. Blocks
 * while the queue is full. The order of tickets is the order of the calls: callers whose changes
 * depend on each other call under a lock of theirs.
 */
int writer_submit(struct writer *w, struct change_set **set, uint64_t *ret_ticket);

/*
 * Waits until everything submitted up to now is durable. Many waiters share one commit. -ENOSPC: the disk is
 * full, and nothing is lost; -EIO: never.
 */
int writer_sync(struct writer *w);

/*
 * Promises room for len_bytes of content before it is acknowledged. -ENOSPC when the disk could not take it in
 * the worst case, -EROFS when the writer failed. Given back by writer_release() once the content is stored or dropped.
 */
int writer_reserve(struct writer *w, uint64_t len_bytes);
void writer_release(struct writer *w, uint64_t len_bytes);

/* The number of the last set that was submitted: whether anything happens. */
uint64_t writer_last_ticket(struct writer *w);

/* Free bytes that can still be promised, and the size of the disk below. */
int writer_space(struct writer *w, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes);

/* How it stands; *ret_reason (may be NULL) says why when it is not WRITER_OK. Any thread. */
enum writer_state writer_state(struct writer *w, struct err *ret_reason);

/* What the writer is at. Counts begin with writer_new(). */
struct writer_stats {
	uint64_t raw_bytes;    /* content of the chunks appended */
	uint64_t stored_bytes; /* their frames */
	uint64_t commits;
	uint64_t committed_ns;	 /* when the last one was durable, since 1970; 0 = none yet */
	uint64_t queue_sets;	 /* change sets submitted and not taken by the committer */
	uint64_t queue_bytes;	 /* about the memory of these */
	uint64_t promised_bytes; /* reserved and not stored yet */
	uint64_t log_bytes;	 /* of the index's log (WAL) */
	uint64_t log_held_pages; /* of it, that a reader kept the last checkpoint from copying */
	int level;		 /* zstd level in use */
	enum writer_state state;
	char reason[256]; /* why it is not WRITER_OK */
};

/* Takes leaf locks only; does not block on the disk. */
void writer_get_stats(struct writer *w, struct writer_stats *ret);

/* Commits what is submitted, for as long as the disk is full waits for room, ends the threads. 0 or what went wrong since the start. */
int writer_close(struct writer *w, struct err *e);

#endif
