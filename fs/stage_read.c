/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a file: from memory what is not in the index yet, from packs the rest. Packs are read without any
 * lock. A place may die meanwhile (the chunk was overwritten, its pack compacted) and its bytes with it:
 * then the window is looked up again, and only what fails at the same places twice is damage.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "fs/stage_priv.h"

#define READ_WINDOW 32 /* chunks resolved at once */

struct read_window {
	uint64_t first_idx;
	size_t n;
	struct chunk_place places[READ_WINDOW]; /* stored_bytes 0 = done already */
	bool ask_index[READ_WINDOW];
	bool ask_any;
	size_t n_parts;
	struct fetch parts[READ_WINDOW]; /* to be read from packs */
};

/* The part of chunk n of the window that [off, off + len) covers. */
static struct fetch window_part(const struct stage *s, const struct read_window *w, size_t n,
				void *data, size_t len_bytes, uint64_t off_bytes)
{
	uint64_t start = (w->first_idx + n) * s->store->chunk_bytes,
		 end = start + s->store->chunk_bytes;
	uint64_t from = MAX(start, off_bytes), to = MIN(end, off_bytes + len_bytes);

	return (struct fetch){.place = w->places[n],
			      .from_bytes = (uint32_t)(from - start),
			      .len_bytes = (uint32_t)(to - from),
			      .data = (char *)data + (from - off_bytes)};
}

static void copy_buf(const struct fetch *part, const struct chunk_buf *buf)
{
	uint32_t have = buf->raw_bytes > part->from_bytes ? buf->raw_bytes - part->from_bytes : 0;
	uint32_t n = MIN(have, part->len_bytes);

	memcpy(part->data, buf->data + part->from_bytes, n);
	memset((char *)part->data + n, 0, part->len_bytes - n);
}

/* With the inode locked: serves what is in memory, notes what is not. */
static void resolve(struct stage *s, struct inode *i, struct read_window *w, void *data,
		    size_t len_bytes, uint64_t off_bytes)
{
	for (size_t n = 0; n < w->n; n++) {
		struct fetch part = window_part(s, w, n, data, len_bytes, off_bytes);
		struct chunk_buf *buf;

		switch (content_find(&i->content, w->first_idx + n, &buf, &w->places[n])) {
		case CONTENT_BUFFER:
			copy_buf(&part, buf);
			chunk_buf_unref(buf);
			break;
		case CONTENT_HOLE:
			w->places[n].stored_bytes = 0;
			memset(part.data, 0, part.len_bytes);
			break;
		case CONTENT_ASK_INDEX:
			w->ask_index[n] = w->ask_any = true;
			break;
		case CONTENT_PLACE:
			break;
		}
	}
}

/* The rows of what memory does not know; makes the list of parts to fetch. */
static int ask_index(struct stage *s, uint64_t ino, struct read_window *w, void *data,
		     size_t len_bytes, uint64_t off_bytes)
{
	struct chunk_place rows[READ_WINDOW];

	if (w->ask_any) {
		int r = catalog_chunks(s->catalog, ino, w->first_idx, w->n, rows);

		if (r < 0)
			return r;
	}
	for (size_t n = 0; n < w->n; n++) {
		struct fetch part;

		if (w->ask_index[n])
			w->places[n] = rows[n];
		part = window_part(s, w, n, data, len_bytes, off_bytes);
		if (w->places[n].stored_bytes)
			w->parts[w->n_parts++] = part;
		else if (w->ask_index[n])
			memset(part.data, 0, part.len_bytes);
	}
	return 0;
}

/* Copies what is in memory, finds the places of the rest. *ret_bytes = how much there is, 0 at the end. */
static int look_up(struct stage *s, struct inode *i, struct read_window *w, void *data,
		   size_t len_bytes, uint64_t off_bytes, size_t *ret_bytes)
{
	uint32_t chunk_bytes = s->store->chunk_bytes;
	uint64_t window_end;

	*w = (struct read_window){.first_idx = off_bytes / chunk_bytes};
	window_end = (w->first_idx + READ_WINDOW) * chunk_bytes;
	(void)pthread_mutex_lock(&i->lock);
	len_bytes = (size_t)MIN((uint64_t)len_bytes, window_end - off_bytes);
	if (off_bytes >= i->row.size_bytes)
		len_bytes = 0;
	else
		len_bytes = (size_t)MIN((uint64_t)len_bytes, i->row.size_bytes - off_bytes);
	if (len_bytes) {
		w->n = (size_t)((off_bytes + len_bytes - 1) / chunk_bytes - w->first_idx + 1);
		resolve(s, i, w, data, len_bytes, off_bytes);
	}
	(void)pthread_mutex_unlock(&i->lock);
	*ret_bytes = len_bytes;
	return ask_index(s, i->ino, w, data, len_bytes, off_bytes);
}

static bool same_parts(const struct read_window *a, const struct read_window *b)
{
	if (a->n_parts != b->n_parts)
		return false;
	for (size_t n = 0; n < a->n_parts; n++)
		if (!chunk_place_equal(&a->parts[n].place, &b->parts[n].place))
			return false;
	return true;
}

static int read_window(struct stage *s, struct inode *i, void *data, size_t len_bytes,
		       uint64_t off_bytes, size_t *ret_bytes)
{
	struct read_window w, before;
	struct err e = {0};
	int r = look_up(s, i, &w, data, len_bytes, off_bytes, ret_bytes);

	while (r == 0 && w.n_parts) {
		r = cache_fetch(s->cache, w.parts, w.n_parts, &e);
		if (r == 0)
			return 0;
		before = w;
		r = look_up(s, i, &w, data, len_bytes, off_bytes, ret_bytes);
		if (r == 0 && same_parts(&before, &w))
			r = stage_read_failed(s, i, &e);
	}
	return r;
}

int stage_fetch_chunk(struct stage *s, struct inode *i, uint64_t idx, struct chunk_place *place,
		      void *data)
{
	for (;;) {
		struct fetch whole = {.place = *place, .len_bytes = place->raw_bytes, .data = data};
		struct chunk_place again = {0};
		struct chunk_buf *buf = NULL;
		struct err e = {0};
		int r = cache_fetch(s->cache, &whole, 1, &e);

		if (r == 0)
			return 0;
		/* Not committed yet: it cannot have moved, and the index knows only what was there before. */
		if (content_find(&i->content, idx, &buf, &again) != CONTENT_ASK_INDEX) {
			chunk_buf_unref(buf);
			return stage_read_failed(s, i, &e);
		}
		r = catalog_chunks(s->catalog, i->ino, idx, 1, &again);
		if (r < 0)
			return r;
		if (again.stored_bytes == 0 || chunk_place_equal(place, &again))
			return stage_read_failed(s, i, &e);
		*place = again;
	}
}

int stage_read_failed(struct stage *s, struct inode *i, const struct err *e)
{
	_cleanup_free_ char *path = NULL;

	if (e->code == ENOMEM)
		return -ENOMEM;
	path = stage_path(s, i->ino);
	log_error("reading '%s' (inode %ju): %s", path ? path : "?", (uintmax_t)i->ino, e->text);
	return -EIO;
}

ssize_t stage_read(struct stage *s, uint64_t ino, void *data, size_t len_bytes, uint64_t off_bytes)
{
	struct inode *i;
	size_t done = 0;
	int r = inode_get(&s->inodes, ino, &i);

	if (r < 0)
		return r;
	while (r == 0 && done < len_bytes) {
		size_t n;

		r = read_window(s, i, (char *)data + done, len_bytes - done, off_bytes + done, &n);
		if (n == 0)
			break;
		done += n;
	}
	inode_unpin(&s->inodes, i);
	(void)atomic_fetch_add(&s->read_bytes, done);
	return r < 0 ? r : (ssize_t)done;
}
