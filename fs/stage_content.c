/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chunks of a file in memory: made dirty, filled, pushed, cut off. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "fs/stage_priv.h"

#define CAPACITY_MIN UINT32_C(4096) /* of a buffer */
#define PUSH_CHUNKS  8

/* How much of chunk idx lies within a file of this size. */
static uint32_t bytes_within(const struct stage *s, uint64_t size_bytes, uint64_t idx)
{
	uint64_t start = idx * s->store->chunk_bytes;

	if (size_bytes <= start)
		return 0;
	return (uint32_t)MIN(size_bytes - start, (uint64_t)s->store->chunk_bytes);
}

/* Fills buf with what chunk idx holds now; raw_bytes tells how much that is. */
static int load_chunk(struct stage *s, struct inode *i, uint64_t idx, struct chunk_buf *buf)
{
	struct chunk_place place = {0};
	struct chunk_buf *there = NULL;
	int r = 0;

	switch (content_find(&i->content, idx, &there, &place)) {
	case CONTENT_BUFFER:
		memcpy(buf->data, there->data, there->raw_bytes);
		buf->raw_bytes = there->raw_bytes;
		chunk_buf_unref(there);
		break;
	case CONTENT_ASK_INDEX:
		r = catalog_chunks(s->catalog, i->ino, idx, 1, &place);
		break;
	case CONTENT_HOLE:
	case CONTENT_PLACE:
		break;
	}
	if (r == 0 && place.stored_bytes) {
		r = stage_fetch_chunk(s, i, idx, &place, buf->data);
		buf->raw_bytes = MIN(place.raw_bytes, buf->capacity_bytes);
	}
	/* Bytes behind the end of the file are nobody's. */
	buf->raw_bytes = MIN(buf->raw_bytes, bytes_within(s, i->row.size_bytes, idx));
	return r;
}

/* Promises room for bytes of content in memory, before they are acknowledged. */
static int reserve_dirty(struct stage *s, uint32_t bytes)
{
	int r = writer_reserve(s->writer, bytes);

	if (r == 0)
		(void)atomic_fetch_add(&s->dirty_bytes, bytes);
	return r;
}

void stage_release_dirty(struct stage *s, uint64_t bytes)
{
	(void)atomic_fetch_sub(&s->dirty_bytes, bytes);
	writer_release(s->writer, bytes);
}

/* Small files need small buffers: the least power of two from 4 KiB on that holds so much. */
static uint32_t capacity_for(const struct stage *s, uint32_t need_bytes)
{
	uint32_t capacity = CAPACITY_MIN;

	while (capacity < need_bytes)
		capacity *= 2;
	return MIN(capacity, s->store->chunk_bytes);
}

static int grow_dirty(struct op *op, struct inode *i, uint64_t idx, uint32_t need_bytes,
		      struct chunk_buf **buf)
{
	uint32_t capacity = capacity_for(op->s, need_bytes),
		 more = capacity - (*buf)->capacity_bytes;
	int r = reserve_dirty(op->s, more);

	if (r < 0)
		return r;
	r = content_grow_dirty(&i->content, idx, capacity, buf);
	if (r < 0)
		stage_release_dirty(op->s, more);
	return r;
}

int stage_make_dirty(struct op *op, struct inode *i, uint64_t idx, bool load, uint32_t need_bytes,
		     struct chunk_buf **ret)
{
	struct chunk_buf *buf = content_dirty_buf(&i->content, idx);
	uint32_t capacity = load ? op->s->store->chunk_bytes : capacity_for(op->s, need_bytes);
	bool first = i->content.n_dirty == 0;
	int r = 0;

	if (buf) {
		if (buf->capacity_bytes < need_bytes)
			r = grow_dirty(op, i, idx, need_bytes, &buf);
		*ret = buf;
		return r;
	}
	r = reserve_dirty(op->s, capacity);
	if (r < 0)
		return r;
	buf = chunk_buf_new(capacity);
	r = !buf ? -ENOMEM : load ? load_chunk(op->s, i, idx, buf) : 0;
	if (r == 0) {
		*ret = buf;
		r = content_set_dirty(&i->content, idx, buf);
	} else {
		chunk_buf_unref(buf);
	}
	if (r < 0) {
		stage_release_dirty(op->s, capacity);
		return r;
	}
	if (first)
		stage_note_dirty(op->s, i);
	return 0;
}

void stage_push_chunk(struct op *op, struct inode *i, uint64_t idx)
{
	_cleanup_free_ char *path = idx == 0 ? stage_path(op->s, i->ino) : NULL;
	struct chunk_buf *buf = content_queue(&i->content, idx);

	/* From here on the index will say something else than it did, whoever looked meanwhile. */
	i->row.content_version++;
	change_chunk(op->set, i, i->ino, idx, buf, path);
	/* What was promised is given back when it is stored. */
	(void)atomic_fetch_sub(&op->s->dirty_bytes, buf->capacity_bytes);
}

int stage_push(struct op *op, struct inode *i)
{
	while (i->content.n_dirty)
		stage_push_chunk(op, i, i->content.dirty[0]);
	return 0;
}

/* One set of at most PUSH_CHUNKS of them: sets are what workers share. */
static int push_some(struct op *op, struct inode *i)
{
	int r;

	for (unsigned n = 0; n < PUSH_CHUNKS && i->content.n_dirty; n++)
		stage_push_chunk(op, i, i->content.dirty[0]);
	r = op_submit(op);
	if (r == 0 && i->content.n_dirty) {
		op->set = change_set_new();
		r = op->set ? 0 : -ENOMEM;
	}
	return r;
}

int stage_push_inode(struct stage *s, uint64_t ino)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *i;
	int r = op_begin(&op, s, false);

	if (r == 0)
		r = op_join(&op, ino, &i);
	/* The lock is held to the end: whatever was dirty before is pushed, whoever goes on writing. */
	while (r == 0 && i->content.n_dirty)
		r = push_some(&op, i);
	/* It was accepted when it was written; now it cannot be kept. */
	return r == -EROFS ? -EIO : r;
}

int stage_drop_chunks(struct op *op, struct inode *i, uint64_t first_idx, uint64_t end_idx)
{
	uint64_t mark, dropped_bytes;
	int r = content_hide(&i->content, first_idx, end_idx, &mark, &dropped_bytes);

	if (r < 0)
		return r;
	stage_release_dirty(op->s, dropped_bytes);
	change_chunks_gone(op->set, i, i->ino, first_idx, end_idx, mark);
	return 0;
}

int stage_truncate(struct op *op, struct inode *i, uint64_t size_bytes)
{
	uint32_t chunk_bytes = op->s->store->chunk_bytes;
	uint64_t old = i->row.size_bytes, first_gone = (size_bytes + chunk_bytes - 1) / chunk_bytes;
	struct chunk_buf *buf;
	int r = 0;

	if (size_bytes > INT64_MAX)
		return -EFBIG;
	/* The chunk the end falls into loses its tail: it must read as zeros if the file grows again. */
	if (size_bytes < old && size_bytes % chunk_bytes) {
		r = stage_make_dirty(op, i, first_gone - 1, true, 0, &buf);
		if (r < 0)
			return r;
		buf->raw_bytes = MIN(buf->raw_bytes, (uint32_t)(size_bytes % chunk_bytes));
	}
	/* Also when it ends where it did: after a crash there may be rows behind the recorded size. */
	if (size_bytes <= old)
		r = stage_drop_chunks(op, i, first_gone, INT64_MAX);
	if (r < 0)
		return r;
	i->row.size_bytes = size_bytes;
	i->recorded_bytes = MIN(i->recorded_bytes, size_bytes);
	i->row.content_version++;
	stage_touch(i, true);
	return size_bytes < old ? stage_push(op, i) : 0;
}
