/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gaps between records: space that was given back, or damage. Who gives space back zeros whole blocks of dead
 * records. If the power fails meanwhile, some blocks of the run are zeros and some are not; their order is the
 * file system's. So a gap is sound if it begins with a header that was cut off by zeros, and if no header begins
 * in what is left between zeros, unless it was cut off, too.
 */
#include <string.h>

#include "common/base/le.h"
#include "common/store/pack_scan_impl.h"

#define SECTOR_BYTES 512 /* no file system has smaller blocks */
/* Between two whole headers there is one frame. */
#define LEFT_BYTES_MAX (HEADER_BYTES_MAX + 2 * CHUNK_BYTES_MAX)

/* How many bytes from off_bytes on are zeros. */
static int count_zeros(struct pack_scan *s, uint64_t off_bytes, uint64_t end_bytes, uint64_t *ret,
		       struct err *e)
{
	uint64_t at = off_bytes;

	while (at < end_bytes && (at = MIN(pack_scan_skip_hole(s, at), end_bytes)) < end_bytes) {
		const uint8_t *data;
		size_t n, i;
		int r = pack_scan_look(s, at, SECTOR_BYTES, &data, &n, e);

		if (r < 0)
			return r;
		n = (size_t)MIN((uint64_t)n, end_bytes - at);
		for (i = 0; i < n && data[i] == 0; i++)
			;
		at += i;
		if (i < n || n == 0)
			break;
	}
	*ret = at - off_bytes;
	return 0;
}

/* Where zeros begin that go on to the next sector's start at least: off_bytes itself or the start of a sector. */
static int find_zeros(struct pack_scan *s, uint64_t off_bytes, uint64_t end_bytes, uint64_t *ret,
		      struct err *e)
{
	uint64_t at = off_bytes;

	while (at < end_bytes) {
		uint64_t zeros, want = MIN(round_up_u64(at + 1, SECTOR_BYTES), end_bytes) - at;
		int r = count_zeros(s, at, at + want, &zeros, e);

		if (r < 0)
			return r;
		if (zeros == want)
			break;
		at += want;
	}
	*ret = at;
	return 0;
}

/* Whether a header begins with these bytes, of which zeros cut off the rest. */
static bool is_cut_header(const uint8_t *data, size_t len_bytes)
{
	if (memcmp(data, SKIPPABLE_MAGIC, MIN(len_bytes, RECORD_MAGIC_BYTES)) != 0)
		return false;
	return len_bytes < SKIPPABLE_HEADER_BYTES ||
	       le32_load(data + 4) > len_bytes - SKIPPABLE_HEADER_BYTES;
}

/*
 * Where zeros begin that cut off the header at off_bytes; end_bytes if none do. A header that is whole but for a
 * flipped bit is not taken for one.
 */
static int skip_cut_header(struct pack_scan *s, uint64_t off_bytes, uint64_t end_bytes,
			   uint64_t *ret, struct err *e)
{
	uint64_t limit = MIN(end_bytes, off_bytes + HEADER_BYTES_MAX);
	const uint8_t *data;
	size_t n;
	int r = find_zeros(s, off_bytes, limit, ret, e);

	if (r < 0 || *ret == off_bytes)
		return r;
	r = pack_scan_look(s, off_bytes, (size_t)(*ret - off_bytes), &data, &n, e);
	if (r == 0 && (*ret >= limit || !is_cut_header(data, (size_t)(*ret - off_bytes))))
		*ret = end_bytes;
	return r;
}

enum header_kind { NO_HEADER, CUT_HEADER, WHOLE_HEADER };

/*
 * What begins at data, which is an 'S' as in both magics, left_bytes before the end of what is left. A header one
 * of whose magics is damaged is one still; content may have four bytes like them by chance, so more must fit.
 */
static enum header_kind header_at(const uint8_t *data, uint64_t left_bytes, bool zeros_behind,
				  bool cut_in_front)
{
	uint64_t total;

	if (left_bytes < SKIPPABLE_HEADER_BYTES)
		return NO_HEADER;
	if (memcmp(data, RECORD_MAGIC, RECORD_MAGIC_BYTES) == 0 &&
	    data[RECORD_MAGIC_BYTES] == RECORD_VERSION)
		return cut_in_front ? NO_HEADER : WHOLE_HEADER;
	if (memcmp(data, SKIPPABLE_MAGIC, RECORD_MAGIC_BYTES) != 0)
		return NO_HEADER;
	total = (uint64_t)le32_load(data + 4) + SKIPPABLE_HEADER_BYTES;
	if (total < frame_header_bytes(0) || total > HEADER_BYTES_MAX)
		return NO_HEADER;
	return zeros_behind && total > left_bytes ? CUT_HEADER : WHOLE_HEADER;
}

/* Whether a header is in [off, end), which zeros precede: then more is lost there than dead records. */
static int has_header(struct pack_scan *s, uint64_t off_bytes, uint64_t end_bytes,
		      bool zeros_behind, bool *ret, struct err *e)
{
	uint64_t at = off_bytes;

	*ret = false;
	while (at < end_bytes) {
		const uint8_t *data, *found;
		enum header_kind kind;
		size_t n;
		int r = pack_scan_look(s, at, SKIPPABLE_HEADER_BYTES, &data, &n, e);

		if (r < 0)
			return r;
		n = (size_t)MIN((uint64_t)n, end_bytes - at);
		found = memchr(data, RECORD_MAGIC[0], n);
		if (!found) {
			at += n;
			continue;
		}
		at += (uint64_t)(found - data);
		r = pack_scan_look(s, at, SKIPPABLE_HEADER_BYTES, &data, &n, e);
		if (r < 0)
			return r;
		if (n < SKIPPABLE_HEADER_BYTES)
			return 0;
		kind = header_at(data, end_bytes - at, zeros_behind,
				 at - off_bytes < RECORD_MAGIC_AT);
		*ret = kind == WHOLE_HEADER;
		if (kind != NO_HEADER)
			return 0;
		at++;
	}
	return 0;
}

int pack_scan_is_punched(struct pack_scan *s, uint64_t off_bytes, uint64_t end_bytes, bool *ret,
			 struct err *e)
{
	uint64_t at, zeros, next;
	int r = skip_cut_header(s, off_bytes, end_bytes, &at, e);

	*ret = false;
	if (r < 0 || at == end_bytes)
		return r;
	while (at < end_bytes) {
		bool found;

		r = count_zeros(s, at, end_bytes, &zeros, e);
		if (r < 0)
			return r;
		at += zeros;
		r = find_zeros(s, at, MIN(end_bytes, at + LEFT_BYTES_MAX), &next, e);
		if (r < 0 || next - at >= LEFT_BYTES_MAX)
			return r;
		r = has_header(s, at, next, next < end_bytes, &found, e);
		if (r < 0 || found)
			return r;
		at = next;
	}
	*ret = true;
	return 0;
}
