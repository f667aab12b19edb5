/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chunks on their way to the store. */
#include "fs/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/macros.h"

int content_init(struct content *c)
{
	*c = (struct content){0};
	return pthread_mutex_init(&c->lock, NULL) ? -ENOMEM : 0;
}

/* With the lock held. */
static struct chunk *find(struct content *c, uint64_t idx)
{
	struct chunk *k;

	HASH_FIND(hh, c->chunks, &idx, sizeof(idx), k);
	return k;
}

static void drop_buf(struct content *c, struct chunk *k)
{
	if (!k->buf)
		return;
	(void)atomic_fetch_sub(&c->held_bytes, k->buf->capacity_bytes);
	chunk_buf_unref(take_ptr(k->buf));
}

static void remove_chunk(struct content *c, struct chunk *k)
{
	HASH_DEL(c->chunks, k);
	drop_buf(c, k);
	free(k);
}

void content_done(struct content *c)
{
	struct chunk *k, *next;

	HASH_ITER (hh, c->chunks, k, next)
		remove_chunk(c, k);
	while (c->hidden) {
		struct hidden_range *h = c->hidden;

		c->hidden = h->next;
		free(h);
	}
	free(c->dirty);
	(void)pthread_mutex_destroy(&c->lock);
}

uint64_t content_held_bytes(const struct content *c)
{
	return atomic_load(&c->held_bytes);
}

enum content_answer content_find(struct content *c, uint64_t idx, struct chunk_buf **ret_buf,
				 struct chunk_place *ret_place)
{
	struct chunk *k;

	LOCK_SCOPE(&c->lock);
	k = find(c, idx);
	if (k && k->buf) {
		*ret_buf = chunk_buf_ref(k->buf);
		return CONTENT_BUFFER;
	}
	if (k) {
		*ret_place = k->place;
		return k->place.stored_bytes ? CONTENT_PLACE : CONTENT_HOLE;
	}
	for (struct hidden_range *h = c->hidden; h; h = h->next)
		if (idx >= h->first_idx && idx < h->end_idx)
			return CONTENT_HOLE;
	return CONTENT_ASK_INDEX;
}

struct chunk_buf *content_dirty_buf(struct content *c, uint64_t idx)
{
	struct chunk *k;

	LOCK_SCOPE(&c->lock);
	k = find(c, idx);
	return k && k->state == CHUNK_DIRTY ? k->buf : NULL;
}

/* Position of the first dirty index >= idx. */
static size_t dirty_at(const struct content *c, uint64_t idx)
{
	size_t low = 0, high = c->n_dirty;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (c->dirty[mid] < idx)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int note_dirty(struct content *c, uint64_t idx)
{
	size_t at = dirty_at(c, idx);

	if (at < c->n_dirty && c->dirty[at] == idx)
		return 0;
	if (c->n_dirty == c->dirty_capacity) {
		size_t capacity = c->dirty_capacity ? c->dirty_capacity * 2 : 4;
		uint64_t *grown = reallocarray(c->dirty, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		c->dirty = grown;
		c->dirty_capacity = capacity;
	}
	memmove(c->dirty + at + 1, c->dirty + at, (c->n_dirty - at) * sizeof(*c->dirty));
	c->dirty[at] = idx;
	if (c->n_dirty++ == 0)
		c->dirty_since_ns = clock_monotonic_ns();
	return 0;
}

/* Forgets dirty positions [from, to) of the list. */
static void forget_dirty(struct content *c, size_t from, size_t to)
{
	if (from == to)
		return; /* there may be no list at all */
	memmove(c->dirty + from, c->dirty + to, (c->n_dirty - to) * sizeof(*c->dirty));
	c->n_dirty -= to - from;
	if (c->n_dirty == 0)
		c->dirty_since_ns = 0;
}

int content_set_dirty(struct content *c, uint64_t idx, struct chunk_buf *buf)
{
	struct chunk *k;

	if (note_dirty(c, idx) < 0) {
		chunk_buf_unref(buf);
		return -ENOMEM;
	}
	LOCK_SCOPE(&c->lock);
	k = find(c, idx);
	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k) {
			size_t at = dirty_at(c, idx);

			forget_dirty(c, at, at + 1);
			chunk_buf_unref(buf);
			return -ENOMEM;
		}
		k->idx = idx;
		HASH_ADD(hh, c->chunks, idx, sizeof(k->idx), k);
	}
	drop_buf(c, k);
	k->state = CHUNK_DIRTY;
	k->buf = buf;
	(void)atomic_fetch_add(&c->held_bytes, buf->capacity_bytes);
	return 0;
}

int content_grow_dirty(struct content *c, uint64_t idx, uint32_t capacity_bytes,
		       struct chunk_buf **buf)
{
	struct chunk_buf *grown;
	uint32_t before = (*buf)->capacity_bytes;
	struct chunk *k;

	LOCK_SCOPE(&c->lock);
	k = find(c, idx);
	grown = chunk_buf_grow(k->buf, capacity_bytes);
	if (!grown)
		return -ENOMEM;
	*buf = k->buf = grown;
	(void)atomic_fetch_add(&c->held_bytes, capacity_bytes - before);
	return 0;
}

struct chunk_buf *content_queue(struct content *c, uint64_t idx)
{
	size_t at = dirty_at(c, idx);
	struct chunk *k;

	forget_dirty(c, at, at + 1);
	LOCK_SCOPE(&c->lock);
	k = find(c, idx);
	k->state = CHUNK_QUEUED;
	return k->buf;
}

int content_hide(struct content *c, uint64_t first_idx, uint64_t end_idx, uint64_t *ret_mark,
		 uint64_t *ret_dirty_bytes)
{
	size_t from = dirty_at(c, first_idx), to = dirty_at(c, end_idx);
	struct hidden_range *h = calloc(1, sizeof(*h));
	struct chunk *k, *next;

	if (!h)
		return -ENOMEM;
	LOCK_SCOPE(&c->lock);
	*ret_dirty_bytes = 0;
	HASH_ITER (hh, c->chunks, k, next) {
		if (k->idx < first_idx || k->idx >= end_idx)
			continue;
		if (k->state == CHUNK_DIRTY)
			*ret_dirty_bytes += k->buf->capacity_bytes;
		remove_chunk(c, k);
	}
	forget_dirty(c, from, to);
	h->first_idx = first_idx;
	h->end_idx = end_idx;
	h->mark = *ret_mark = ++c->next_mark;
	h->next = c->hidden;
	c->hidden = h;
	return 0;
}

uint64_t content_drop_dirty(struct content *c)
{
	uint64_t bytes = 0;

	LOCK_SCOPE(&c->lock);
	for (size_t at = 0; at < c->n_dirty; at++) {
		struct chunk *k = find(c, c->dirty[at]);

		bytes += k->buf->capacity_bytes;
		remove_chunk(c, k);
	}
	forget_dirty(c, 0, c->n_dirty);
	return bytes;
}

bool content_next(struct content *c, uint64_t idx, uint64_t *ret_idx)
{
	uint64_t best = UINT64_MAX;
	struct chunk *k, *next;

	LOCK_SCOPE(&c->lock);
	HASH_ITER (hh, c->chunks, k, next) {
		if (k->idx >= idx && k->idx < best && (k->buf || k->place.stored_bytes))
			best = k->idx;
	}
	*ret_idx = best;
	return best != UINT64_MAX;
}

void content_placed(struct content *c, uint64_t idx, const struct chunk_buf *buf,
		    const struct chunk_place *place, uint64_t ticket)
{
	struct chunk *k;

	LOCK_SCOPE(&c->lock);
	k = find(c, idx);
	if (!k || k->state != CHUNK_QUEUED || k->buf != buf)
		return; /* overwritten or cut off since */
	k->state = CHUNK_PLACED;
	k->place = *place;
	k->ticket = ticket;
	drop_buf(c, k);
}

void content_durable(struct content *c, uint64_t idx, uint64_t ticket)
{
	struct chunk *k;

	LOCK_SCOPE(&c->lock);
	k = find(c, idx);
	if (k && k->state == CHUNK_PLACED && k->ticket == ticket)
		remove_chunk(c, k);
}

void content_shown(struct content *c, uint64_t mark)
{
	LOCK_SCOPE(&c->lock);
	for (struct hidden_range **p = &c->hidden; *p; p = &(*p)->next) {
		struct hidden_range *h = *p;

		if (h->mark == mark) {
			*p = h->next;
			free(h);
			return;
		}
	}
}
