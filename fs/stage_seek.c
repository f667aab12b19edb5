/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SEEK_DATA and SEEK_HOLE: what of a file is content, by memory and index together, chunk by chunk. */
#include <errno.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "fs/stage_priv.h"

#define WINDOW 256 /* chunks asked of the index at once */

/* First chunk >= idx with content, by memory and index together; UINT64_MAX = none. */
static int next_data(struct stage *s, struct inode *i, uint64_t idx, uint64_t *ret)
{
	uint64_t in_memory, in_index = idx;
	struct chunk_place place;
	struct chunk_buf *buf;
	int r;

	(void)content_next(&i->content, idx, &in_memory);
	for (;; in_index++) {
		enum content_answer answer;

		r = catalog_next_chunk(s->catalog, i->ino, in_index, &in_index);
		if (r == -ENOENT || (r == 0 && in_index >= in_memory))
			break;
		if (r < 0)
			return r;
		answer = content_find(&i->content, in_index, &buf, &place);
		if (answer == CONTENT_BUFFER)
			chunk_buf_unref(buf);
		if (answer != CONTENT_HOLE) {
			*ret = in_index;
			return 0;
		}
	}
	*ret = in_memory;
	return 0;
}

/* Whether chunk idx, of which memory says nothing, has content. rows: the index from first_idx on, so far. */
static int has_row(struct stage *s, struct inode *i, uint64_t idx, struct chunk_place rows[WINDOW],
		   uint64_t *first_idx)
{
	struct chunk_place latest;
	int r = 0;

	if (*first_idx == UINT64_MAX || idx - *first_idx >= WINDOW) {
		*first_idx = idx;
		r = catalog_chunks(s->catalog, i->ino, idx, WINDOW, rows);
	}
	if (r < 0 || rows[idx - *first_idx].stored_bytes)
		return r < 0 ? r : 1;
	/* It may have gone from memory to the index since that was asked. */
	r = catalog_chunks(s->catalog, i->ino, idx, 1, &latest);
	return r < 0 ? r : latest.stored_bytes != 0;
}

/* First chunk in [idx, end_idx) without content, else end_idx. */
static int next_hole(struct stage *s, struct inode *i, uint64_t idx, uint64_t end_idx,
		     uint64_t *ret)
{
	struct chunk_place rows[WINDOW], place;
	uint64_t first_idx = UINT64_MAX;
	struct chunk_buf *buf;
	int r;

	for (; idx < end_idx; idx++) {
		enum content_answer answer = content_find(&i->content, idx, &buf, &place);

		if (answer == CONTENT_HOLE)
			break;
		if (answer == CONTENT_BUFFER)
			chunk_buf_unref(buf);
		r = answer == CONTENT_ASK_INDEX ? has_row(s, i, idx, rows, &first_idx) : 1;
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	*ret = idx;
	return 0;
}

/*
 * Where one may write through a mapping, the kernel may hold content that nobody here has heard of, and it does
 * not write that out before it asks. So all of it counts as data: to call it a hole would make cp lose it.
 */
static bool is_mappable(struct stage *s, struct inode *i)
{
	LOCK_SCOPE(&s->inodes.lock);
	return i->n_mappable > 0;
}

void stage_hold_mappable(struct stage *s, uint64_t ino)
{
	struct inode *i;

	if (inode_get(&s->inodes, ino, &i) < 0)
		return;
	(void)pthread_mutex_lock(&s->inodes.lock);
	i->n_mappable++;
	(void)pthread_mutex_unlock(&s->inodes.lock);
	inode_unpin(&s->inodes, i);
}

void stage_drop_mappable(struct stage *s, uint64_t ino)
{
	struct inode *i;

	if (inode_get(&s->inodes, ino, &i) < 0)
		return;
	(void)pthread_mutex_lock(&s->inodes.lock);
	i->n_mappable -= MIN(i->n_mappable, 1);
	(void)pthread_mutex_unlock(&s->inodes.lock);
	inode_unpin(&s->inodes, i);
}

int64_t stage_lseek(struct stage *s, uint64_t ino, uint64_t off_bytes, int whence)
{
	_cleanup_(op_end) struct op op = {0};
	uint64_t chunk_bytes = s->store->chunk_bytes, idx = off_bytes / chunk_bytes, size, found;
	struct inode *i;
	int r = op_begin(&op, s, false);

	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r < 0)
		return r;
	size = i->row.size_bytes;
	if (off_bytes >= size)
		return -ENXIO;
	if (is_mappable(s, i))
		return (int64_t)(whence == SEEK_DATA ? off_bytes : size);
	if (whence == SEEK_HOLE) {
		r = next_hole(s, i, idx, (size + chunk_bytes - 1) / chunk_bytes, &found);
		return r < 0 ? r : (int64_t)MIN(size, MAX(off_bytes, found * chunk_bytes));
	}
	r = next_data(s, i, idx, &found);
	if (r == 0 && (found == UINT64_MAX || found * chunk_bytes >= size))
		r = -ENXIO;
	return r < 0 ? r : (int64_t)MAX(off_bytes, found * chunk_bytes);
}
