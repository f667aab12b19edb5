/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on open files: open, write, flush, fsync, allocate, seek. */
#include <errno.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "fs/stage_priv.h"

/* ---- open and close ---- */

int stage_open(struct stage *s, uint64_t ino, bool truncate)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *i;
	int r = truncate ? stage_check_writable(s) : 0;

	if (r == 0)
		r = op_begin(&op, s, false);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0 && truncate) {
		r = stage_truncate(&op, i, 0);
		if (r == 0)
			r = op_submit(&op);
	}
	if (r == 0)
		inode_add_open(&s->inodes, i);
	return r;
}

void stage_release(struct stage *s, uint64_t ino)
{
	struct inode *i;

	if (inode_get(&s->inodes, ino, &i) < 0)
		return;
	inode_drop_open(&s->inodes, i);
	stage_reap(s, i);
	inode_unpin(&s->inodes, i);
}

/* ---- write ---- */

/*
 * *ret_full: the chunk was written from its start to its end in one sweep. That is a stream: it goes on its
 * way at once. The rest waits for more, for close, for its age, or for too much of it.
 */
static int write_chunk(struct op *op, struct inode *i, uint64_t idx, uint32_t from, uint32_t len,
		       const void *data, bool *ret_full)
{
	uint32_t chunk_bytes = op->s->store->chunk_bytes;
	uint64_t start = idx * chunk_bytes, end = start + from + len;
	bool covers = from == 0 && (len == chunk_bytes || end >= i->row.size_bytes);
	bool load = !covers && start < i->row.size_bytes;
	/* A file that goes on behind its first chunk will fill the next one, too. */
	uint32_t need = idx && from == 0 && start == i->row.size_bytes ? chunk_bytes : from + len;
	struct chunk_buf *buf;
	int r = stage_make_dirty(op, i, idx, load, need, &buf);

	if (r < 0)
		return r;
	if (from > buf->raw_bytes)
		memset(buf->data + buf->raw_bytes, 0, from - buf->raw_bytes);
	memcpy(buf->data + from, data, len);
	buf->raw_bytes = MAX(buf->raw_bytes, from + len);
	if (from <= buf->swept_bytes)
		buf->swept_bytes = MAX(buf->swept_bytes, from + len);
	*ret_full = buf->swept_bytes == chunk_bytes;
	return 0;
}

/* One piece of a write; a chunk that is full is pushed. */
static int write_piece(struct op *op, struct inode *i, uint64_t off_bytes, uint32_t len,
		       const void *data)
{
	uint32_t chunk_bytes = op->s->store->chunk_bytes;
	uint64_t idx = off_bytes / chunk_bytes;
	bool full;
	int r = write_chunk(op, i, idx, (uint32_t)(off_bytes % chunk_bytes), len, data, &full);

	if (r < 0)
		return r;
	i->row.size_bytes = MAX(i->row.size_bytes, off_bytes + len);
	if (!full)
		return 0;
	/* No row behind the recorded size: it would come to light when the file grows after a crash. */
	while (off_bytes + len > i->recorded_bytes && i->content.dirty[0] < idx)
		stage_push_chunk(op, i, i->content.dirty[0]);
	stage_push_chunk(op, i, idx);
	return 0;
}

static ssize_t write_file(struct stage *s, uint64_t ino, const void *data, size_t len_bytes,
			  uint64_t off_bytes, unsigned kill)
{
	_cleanup_(op_end) struct op op = {0};
	uint32_t chunk_bytes = s->store->chunk_bytes;
	struct inode *i;
	size_t done = 0;
	int r;

	if (off_bytes > INT64_MAX - len_bytes)
		return -EFBIG;
	r = stage_check_writable(s);
	if (r == 0)
		r = op_begin(&op, s, false);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0)
		r = stage_kill_priv(&op, i, kill);
	while (r == 0 && done < len_bytes) {
		uint64_t at = off_bytes + done;
		uint32_t n = (uint32_t)MIN(chunk_bytes - at % chunk_bytes, len_bytes - done);

		r = write_piece(&op, i, at, n, (const char *)data + done);
		if (r == 0)
			done += n;
	}
	if (done == 0)
		return r;
	(void)atomic_fetch_add(&s->written_bytes, done);
	i->row.content_version++;
	stage_touch(i, true);
	r = op.set->n_changes ? op_submit(&op) : 0;
	return r < 0 ? r : (ssize_t)done;
}

ssize_t stage_write(struct stage *s, uint64_t ino, const void *data, size_t len_bytes,
		    uint64_t off_bytes, unsigned kill)
{
	ssize_t n = write_file(s, ino, data, len_bytes, off_bytes, kill);

	/* Only now, without a lock: the queue behind may be full, and that is what holds a writer back. */
	if (atomic_load(&s->dirty_bytes) > s->dirty_max_bytes)
		stage_push_older(s, UINT64_MAX);
	return n;
}

/* ---- durability ---- */

int stage_flush(struct stage *s, uint64_t ino)
{
	return stage_push_inode(s, ino);
}

int stage_fsync(struct stage *s, uint64_t ino)
{
	int r;

	/* sync(2) and syncfs(2) do not reach a FUSE filesystem: the root stands for all of it. */
	if (ino == STAGE_ROOT_INO)
		return stage_syncfs(s);
	if (stage_is_read_only(s))
		return 0;
	r = stage_push_inode(s, ino);
	return r < 0 ? r : writer_sync(s->writer);
}

/* ---- fallocate ---- */

/* Zeroes part of one chunk. */
static int zero_part(struct op *op, struct inode *i, uint64_t idx, uint32_t from, uint32_t to)
{
	struct chunk_buf *buf;
	int r = stage_make_dirty(op, i, idx, true, 0, &buf);

	if (r == 0 && buf->raw_bytes > from)
		memset(buf->data + from, 0, MIN(to, buf->raw_bytes) - from);
	return r;
}

static int zero_range(struct op *op, struct inode *i, uint64_t off_bytes, uint64_t end_bytes)
{
	uint32_t chunk_bytes = op->s->store->chunk_bytes;
	uint64_t first = (off_bytes + chunk_bytes - 1) / chunk_bytes, end = end_bytes / chunk_bytes;
	int r = 0;

	if (end_bytes >= i->row.size_bytes)
		end = MAX(end, (i->row.size_bytes + chunk_bytes - 1) / chunk_bytes);
	if (off_bytes % chunk_bytes)
		r = zero_part(op, i, first - 1, (uint32_t)(off_bytes % chunk_bytes),
			      (uint32_t)MIN(end_bytes - (first - 1) * chunk_bytes,
					    (uint64_t)chunk_bytes));
	if (r == 0 && end >= first && end_bytes > end * chunk_bytes &&
	    end * chunk_bytes < i->row.size_bytes)
		r = zero_part(op, i, end, 0, (uint32_t)(end_bytes - end * chunk_bytes));
	if (r == 0 && first < end)
		r = stage_drop_chunks(op, i, first, end);
	i->row.content_version++;
	return r;
}

int stage_fallocate(struct stage *s, uint64_t ino, int mode, uint64_t off_bytes, uint64_t len_bytes,
		    unsigned kill)
{
	_cleanup_(op_end) struct op op = {0};
	bool keep_size = mode & FALLOC_FL_KEEP_SIZE;
	uint64_t end_bytes = off_bytes + len_bytes, free_bytes, total_bytes;
	struct inode *i;
	int r;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (end_bytes > INT64_MAX || end_bytes < off_bytes)
		return -EFBIG;
	r = stage_check_writable(s);
	if (r == 0)
		r = op_begin(&op, s, false);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0 && !(mode & FALLOC_FL_PUNCH_HOLE)) {
		r = writer_space(s->writer, &free_bytes, &total_bytes);
		if (r == 0 && len_bytes > free_bytes)
			r = -ENOSPC;
	}
	if (r == 0)
		r = stage_kill_priv(&op, i, kill);
	if (r < 0)
		return r;
	stage_touch(i, true); /* whatever is allocated, like ext4 */
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		r = zero_range(&op, i, off_bytes, end_bytes);
	if (r == 0 && !keep_size && end_bytes > i->row.size_bytes)
		r = stage_truncate(&op, i, end_bytes);
	return r < 0 ? r : op_submit(&op);
}
