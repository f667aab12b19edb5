/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Content of a staged file. A window of chunks is looked up in one short transaction that also checks
 * the file's content version, then fetched without one. The mount may meanwhile move a frame to another
 * pack or give back the space of a dead one: such a frame fails its checksum, and the index, asked
 * again, then says something else. Only what the index still says is damage.
 */
#include <inttypes.h>
#include <string.h>

#include "common/store/reader_impl.h"

struct window {
	uint64_t ino, content_version;
	uint64_t off_bytes; /* in the file */
	size_t len_bytes;   /* at most WINDOW_CHUNKS chunks are touched */
	uint8_t *data;	    /* lent by the caller of reader_pread() */
	size_t n_parts;
	struct fetch parts[WINDOW_CHUNKS]; /* in the order of the file */
};

/* Checks that the file is what it was. *ret_end_bytes = its size. */
static int check_version(struct reader *reader, const struct window *w, uint64_t *ret_end_bytes,
			 struct err *e)
{
	struct staged_entry now;
	int r = reader_stat(reader, w->ino, &now, e);

	if (r == -ENOENT)
		return err_set(e, ESTALE, "the file was removed since");
	if (r < 0)
		return r;
	if (now.content_version != w->content_version)
		return err_set(e, ESTALE, "the file was changed since");
	*ret_end_bytes = now.size_bytes;
	return 0;
}

/* The part of the window that chunk idx of the file gives, or its place is damaged. */
static int add_part(struct reader *reader, struct window *w, struct sql_stmt *row,
		    uint64_t end_bytes, struct err *e)
{
	int64_t pack = sql_col_i64(row, 1), stored = sql_col_i64(row, 3), raw = sql_col_i64(row, 4);
	uint64_t chunk_start = (uint64_t)sql_col_i64(row, 0) * reader->chunk_bytes;
	uint64_t start = MAX(chunk_start, w->off_bytes);
	uint64_t end = MIN(chunk_start + reader->chunk_bytes, end_bytes);
	struct fetch *part = &w->parts[w->n_parts];

	*part = (struct fetch){
		.place = {.pack = (uint32_t)pack,
			  .stored_bytes = (uint32_t)stored,
			  .raw_bytes = (uint32_t)raw,
			  .off_bytes = (uint64_t)sql_col_i64(row, 2),
			  .checksum = (uint64_t)sql_col_i64(row, 5)},
		.from_bytes = (uint32_t)(start - chunk_start),
		.len_bytes = (uint32_t)(end - start),
		.data = w->data + (start - w->off_bytes),
	};
	if (part->place.pack != pack || part->place.stored_bytes != stored ||
	    part->place.raw_bytes != raw ||
	    !chunk_place_possible(&part->place, reader->chunk_bytes))
		return err_set(e, EBADMSG,
			       "index: inode %" PRIu64 " at %" PRIu64 ": impossible place", w->ino,
			       chunk_start);
	w->n_parts++;
	return 0;
}

static int add_parts(struct reader *reader, struct window *w, uint64_t end_bytes, struct err *e)
{
	struct sql_stmt *row = reader->query[QUERY_CHUNKS];
	int r;

	w->n_parts = 0;
	if (end_bytes <= w->off_bytes)
		return 0;
	sql_bind_i64(row, 1, (int64_t)w->ino);
	sql_bind_i64(row, 2, (int64_t)(w->off_bytes / reader->chunk_bytes));
	sql_bind_i64(row, 3, (int64_t)((end_bytes - 1) / reader->chunk_bytes));
	while ((r = sql_step(row, e)) > 0) {
		r = add_part(reader, w, row, end_bytes, e);
		if (r < 0)
			break;
	}
	sql_reset(row);
	return r;
}

/* Looks up where the window's content lies. */
static int look_up(struct reader *reader, struct window *w, struct err *e)
{
	uint64_t file_end_bytes;
	int r = sql_begin(reader->db, false, e);

	if (r < 0)
		return r;
	r = check_version(reader, w, &file_end_bytes, e);
	if (r == 0)
		r = add_parts(reader, w, MIN(w->off_bytes + w->len_bytes, file_end_bytes), e);
	sql_rollback(reader->db);
	return r;
}

static bool same_places(const struct window *a, const struct window *b)
{
	if (a->n_parts != b->n_parts)
		return false;
	for (size_t i = 0; i < a->n_parts; i++) {
		const struct chunk_place *p = &a->parts[i].place, *q = &b->parts[i].place;

		if (a->parts[i].data != b->parts[i].data || p->pack != q->pack ||
		    p->off_bytes != q->off_bytes || p->checksum != q->checksum)
			return false;
	}
	return true;
}

static void zero_until(uint8_t **at, uint8_t *end)
{
	if (*at < end)
		memset(*at, 0, (size_t)(end - *at));
	*at = end;
}

/* Zeros everything between the parts. */
static void fill_holes(struct window *w)
{
	uint8_t *at = w->data;

	for (size_t i = 0; i < w->n_parts; i++) {
		zero_until(&at, w->parts[i].data);
		at += w->parts[i].len_bytes;
	}
	zero_until(&at, w->data + w->len_bytes);
}

static int read_window(struct reader *reader, struct window *w, struct err *e)
{
	int r = look_up(reader, w, e);

	while (r == 0) {
		struct window before;
		struct err failure;
		int failed = fetcher_read(reader->fetcher, w->parts, w->n_parts, &failure);

		if (failed == 0) {
			fill_holes(w);
			return 0;
		}
		before = *w;
		fetcher_forget(reader->fetcher);
		r = look_up(reader, w, e);
		if (r == 0 && same_places(&before, w)) {
			if (e)
				*e = failure;
			return failed;
		}
	}
	return r;
}

int reader_pread(struct reader *reader, uint64_t ino, uint64_t content_version, void *data,
		 size_t len_bytes, uint64_t off_bytes, struct err *e)
{
	size_t done = 0;

	if (off_bytes > INT64_MAX || len_bytes > INT64_MAX - off_bytes)
		return err_set(e, EFBIG, "no file reaches to %" PRIu64, off_bytes);
	do {
		uint64_t at = off_bytes + done;
		uint64_t window_end = round_down_u64(at, reader->chunk_bytes) +
				      (uint64_t)WINDOW_CHUNKS * reader->chunk_bytes;
		struct window w = {
			.ino = ino,
			.content_version = content_version,
			.off_bytes = at,
			.len_bytes = (size_t)MIN(window_end - at, len_bytes - done),
			.data = (uint8_t *)data + done,
		};
		int r = read_window(reader, &w, e);

		if (r < 0)
			return r;
		done += w.len_bytes;
	} while (done < len_bytes);
	return 0;
}
