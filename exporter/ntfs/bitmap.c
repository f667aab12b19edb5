/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which clusters are in use, one window of $Bitmap at a time. */
#include "exporter/ntfs/bitmap.h"

#include <string.h>

#include "common/base/le.h"

void ntfs_bitmap_init(struct ntfs_bitmap *b, struct ntfs_session *session)
{
	b->session = session;
	b->n_clusters = (uint64_t)session->vol->nr_clusters;
	b->window_byte = 0;
	ntfs_bitmap_forget(b);
}

void ntfs_bitmap_forget(struct ntfs_bitmap *b)
{
	b->window_bytes = 0;
}

/* Makes the window begin at the word of cluster from; reads no further than limit needs. */
static int read_window(struct ntfs_bitmap *b, uint64_t from, uint64_t limit, struct err *e)
{
	uint64_t first = from / 64 * 8, last = round_up_u64(limit, 64) / 8;
	size_t want = (size_t)MIN(last - first, sizeof(b->window));
	s64 got;

	b->window_bytes = 0;
	memset(b->window, 0, want);
	got = ntfs_attr_pread(b->session->vol->lcnbmp_na, (s64)first, (s64)want, b->window);
	if (got < 0 || (uint64_t)got * 8 < MIN(limit, (first + want) * 8) - first * 8) {
		if (got >= 0)
			errno = EIO;
		return ntfs_session_corrupt(b->session, e, "cannot read $Bitmap");
	}
	b->window_byte = first;
	b->window_bytes = want;
	return 0;
}

/* First cluster of [from, end) in that state, all of it inside the window; else end. */
static uint64_t search_window(const struct ntfs_bitmap *b, bool used, uint64_t from, uint64_t end)
{
	for (uint64_t pos = from; pos < end; pos = (pos | 63) + 1) {
		uint64_t word = le64_load(b->window + (pos / 64 * 8 - b->window_byte));

		if (!used)
			word = ~word;
		word &= UINT64_MAX << pos % 64;
		if (word)
			return MIN(pos / 64 * 64 + (uint64_t)__builtin_ctzll(word), end);
	}
	return end;
}

int ntfs_bitmap_next(struct ntfs_bitmap *b, bool used, uint64_t from, uint64_t limit, uint64_t *ret,
		     struct err *e)
{
	uint64_t window_end, pos = from;
	int r;

	limit = MIN(limit, b->n_clusters);
	while (pos < limit) {
		window_end = (b->window_byte + b->window_bytes) * 8;
		if (pos / 8 < b->window_byte || pos >= window_end) {
			r = read_window(b, pos, limit, e);
			if (r < 0)
				return r;
			window_end = (b->window_byte + b->window_bytes) * 8;
		}
		window_end = MIN(window_end, limit);
		pos = search_window(b, used, pos, window_end);
		if (pos < window_end)
			break;
	}
	*ret = MIN(pos, limit);
	return 0;
}

int ntfs_bitmap_find_free(struct ntfs_bitmap *b, uint64_t from, uint64_t count, uint64_t *ret,
			  struct err *e)
{
	uint64_t first, end = from;
	int r;

	do {
		r = ntfs_bitmap_next(b, false, end, b->n_clusters, &first, e);
		if (r == 0)
			r = ntfs_bitmap_next(b, true, first, first + count, &end, e);
		if (r < 0)
			return r;
		if (first + count > b->n_clusters)
			return err_set(e, ENOSPC, "no free run of %llu clusters",
				       (unsigned long long)count);
	} while (end - first < count);
	*ret = first;
	return 0;
}

int ntfs_bitmap_claim(struct ntfs_bitmap *b, uint64_t first, uint64_t count, struct err *e)
{
	ntfs_bitmap_forget(b);
	if (ntfs_bitmap_set_run(b->session->vol->lcnbmp_na, (s64)first, (s64)count) < 0)
		return ntfs_session_fail(b->session, e, "cannot allocate clusters");
	return 0;
}
