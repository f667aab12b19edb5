/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct content: the chunks of one file that the index does not show yet. A chunk is
 *   DIRTY   being filled, in a private buffer
 *   QUEUED  submitted; its buffer is immutable and shared with the change set
 *   PLACED  in a pack (or a hole), its row not committed yet
 * and leaves the map once the index shows it. A range that became a hole hides the index's rows until
 * that is committed too. DIRTY buffers belong to the inode's lock; the map itself and everything else to
 * `lock`, a leaf, because the committer moves chunks on.
 */
#ifndef SEEDSHIP_FS_CONTENT_H
#define SEEDSHIP_FS_CONTENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "common/store/change.h"

enum chunk_state { CHUNK_DIRTY, CHUNK_QUEUED, CHUNK_PLACED };

struct chunk {
	uint64_t idx;
	UT_hash_handle hh;
	enum chunk_state state;
	struct chunk_buf *buf;	  /* DIRTY, QUEUED: one reference */
	struct chunk_place place; /* PLACED */
	uint64_t ticket;	  /* PLACED */
};

struct hidden_range {
	struct hidden_range *next;
	uint64_t first_idx, end_idx, mark;
};

struct content {
	pthread_mutex_t lock;
	struct chunk *chunks;		 /* lock */
	struct hidden_range *hidden;	 /* lock */
	uint64_t next_mark;		 /* lock */
	atomic_uint_fast64_t held_bytes; /* buffers in the map */
	uint64_t *dirty;		 /* inode's lock: ascending idx of DIRTY chunks */
	size_t n_dirty, dirty_capacity;	 /* inode's lock */
	uint64_t dirty_since_ns;	 /* inode's lock: of the oldest; 0 = none */
};

/* What the map says about a chunk. */
enum content_answer {
	CONTENT_ASK_INDEX, /* nothing: the index is right */
	CONTENT_HOLE,
	CONTENT_BUFFER, /* *ret_buf: a reference for the caller */
	CONTENT_PLACE,	/* *ret_place */
};

int content_init(struct content *c);
void content_done(struct content *c);
uint64_t content_held_bytes(const struct content *c);

/* With the inode's lock held, except content_placed() and content_durable(), the committer's. */
enum content_answer content_find(struct content *c, uint64_t idx, struct chunk_buf **ret_buf,
				 struct chunk_place *ret_place);

/* The private buffer of a DIRTY chunk; NULL when it is not. */
struct chunk_buf *content_dirty_buf(struct content *c, uint64_t idx);

/* Makes idx DIRTY with this buffer (its reference is taken over), whatever it was. */
int content_set_dirty(struct content *c, uint64_t idx, struct chunk_buf *buf);

/* DIRTY becomes QUEUED. Returns its buffer, lent while the map holds it. */
struct chunk_buf *content_queue(struct content *c, uint64_t idx);

/* Replaces a DIRTY chunk's buffer by a larger one with the same content; *buf = the new one. */
int content_grow_dirty(struct content *c, uint64_t idx, uint32_t capacity_bytes,
		       struct chunk_buf **buf);

/* Everything in [first, end) is a hole until the index says so. *ret_dirty_bytes = of DIRTY buffers dropped. */
int content_hide(struct content *c, uint64_t first_idx, uint64_t end_idx, uint64_t *ret_mark,
		 uint64_t *ret_dirty_bytes);

/* Drops all DIRTY chunks. Returns the bytes of their buffers. */
uint64_t content_drop_dirty(struct content *c);

/* First chunk >= idx that has content by the map; false when there is none. */
bool content_next(struct content *c, uint64_t idx, uint64_t *ret_idx);

void content_placed(struct content *c, uint64_t idx, const struct chunk_buf *buf,
		    const struct chunk_place *place, uint64_t ticket);
void content_durable(struct content *c, uint64_t idx, uint64_t ticket);
void content_shown(struct content *c, uint64_t mark); /* a hidden range is committed */

#endif
