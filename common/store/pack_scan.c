/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walking over a pack. A window of the file is kept; steps to the next record read little, searching for
 * one after a gap reads much. Holes of a sparse file are not read at all.
 */
#include "common/store/pack_scan_impl.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/base/le.h"

#define STEP_BYTES   (4 * KiB)	 /* read for a header behind a frame */
#define SEARCH_BYTES (256 * KiB) /* read when the next bytes are wanted as well */

int pack_scan_new(int fd, const uint8_t *uuid, uint64_t end_bytes, struct pack_scan **ret,
		  struct err *e)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct pack_scan *s;

	if (size < 0)
		return err_sys(e, "cannot read the pack");
	s = calloc(1, sizeof(*s));
	if (s)
		s->window = malloc(FRAME_HEADER_MAX_BYTES);
	if (!s || !s->window) {
		free(s);
		return err_oom(e);
	}
	s->fd = fd;
	s->uuid = uuid;
	s->end_bytes = MIN(end_bytes, (uint64_t)size);
	*ret = s;
	return 0;
}

void pack_scan_seek(struct pack_scan *s, uint64_t off_bytes)
{
	s->next_bytes = MIN(off_bytes, s->end_bytes);
}

void pack_scan_free(struct pack_scan *s)
{
	if (!s)
		return;
	free(s->window);
	free(s);
}

int pack_scan_look(struct pack_scan *s, uint64_t off_bytes, size_t want_bytes, const uint8_t **ret,
		   size_t *ret_bytes, struct err *e)
{
	uint64_t window_end = s->window_off_bytes + s->window_bytes;
	bool within = off_bytes >= s->window_off_bytes && off_bytes <= window_end;
	uint64_t left = s->end_bytes - off_bytes;
	size_t len_bytes;
	int r;

	want_bytes = (size_t)MIN((uint64_t)want_bytes, left);
	if (!within || window_end - off_bytes < want_bytes) {
		len_bytes = MAX(want_bytes, (size_t)(within ? SEARCH_BYTES : STEP_BYTES));
		len_bytes = (size_t)MIN((uint64_t)len_bytes, left);
		r = fd_pread(s->fd, s->window, len_bytes, off_bytes, &s->window_bytes);
		if (r < 0) {
			s->window_bytes = 0;
			return err_set(e, -r, "cannot read at %" PRIu64 ": %s", off_bytes,
				       strerror(-r));
		}
		s->window_off_bytes = off_bytes;
		window_end = off_bytes + s->window_bytes;
	}
	*ret = s->window + (off_bytes - s->window_off_bytes);
	*ret_bytes = (size_t)(window_end - off_bytes);
	return 0;
}

/* Like frame_header_get() for the header at off_bytes; its path is not kept. */
static int get_header(struct pack_scan *s, uint64_t off_bytes, struct frame_header *h,
		      size_t *ret_bytes, struct err *e)
{
	size_t want_bytes = frame_header_bytes(0), have_bytes = 0;
	const uint8_t *data = NULL;
	int r;

	do {
		r = pack_scan_look(s, off_bytes, want_bytes, &data, &have_bytes, e);
		if (r < 0)
			return r;
		r = frame_header_get(data, have_bytes, h, ret_bytes);
		if (r != -ENODATA || have_bytes < want_bytes)
			break;
		want_bytes =
			want_bytes < HEADER_BYTES_MAX ? HEADER_BYTES_MAX : FRAME_HEADER_MAX_BYTES;
	} while (have_bytes < FRAME_HEADER_MAX_BYTES);
	h->path = NULL;
	h->path_bytes = 0;
	return r == -ENODATA ? -EBADMSG : r;
}

static bool is_ours(const struct pack_scan *s, const struct frame_header *h)
{
	return !s->uuid || memcmp(s->uuid, h->store_uuid, STORE_UUID_BYTES) == 0;
}

/* The span of the record at off_bytes. -EBADMSG when none begins there. */
static int get_record(struct pack_scan *s, uint64_t off_bytes, struct pack_span *ret, struct err *e)
{
	struct frame_header h = {0};
	size_t header_bytes = 0;
	int r = get_header(s, off_bytes, &h, &header_bytes, e);

	if (r == -ENOTSUP)
		return err_set(e, ENOTSUP, "the record at %" PRIu64 " has a newer format",
			       off_bytes);
	if (r < 0)
		return r;
	*ret = (struct pack_span){.kind = r == 0 && is_ours(s, &h) ? SPAN_RECORD : SPAN_FOREIGN,
				  .off_bytes = off_bytes,
				  .frame_off_bytes = off_bytes + header_bytes,
				  .end_bytes = off_bytes + header_bytes + h.stored_bytes,
				  .header = h};
	if (ret->end_bytes > s->end_bytes) {
		ret->kind = SPAN_TORN;
		ret->end_bytes = s->end_bytes;
	}
	return 0;
}

/*
 * Whether these bytes may begin a record of this store; cheap, and strict: content of files is searched
 * too. Records of types that are not known are not found again after a gap.
 */
static bool may_begin_record(const struct pack_scan *s, const uint8_t *data, size_t len_bytes)
{
	uint8_t type;

	if (len_bytes < frame_header_bytes(0) ||
	    memcmp(data, SKIPPABLE_MAGIC, RECORD_MAGIC_BYTES) != 0 ||
	    memcmp(data + RECORD_MAGIC_AT, RECORD_MAGIC, RECORD_MAGIC_BYTES) != 0)
		return false;
	type = data[13];
	if ((type != RECORD_CHUNK && type != RECORD_COMMIT) ||
	    le32_load(data + 4) !=
		    frame_header_bytes(0) - SKIPPABLE_HEADER_BYTES + le16_load(data + 14))
		return false;
	return !s->uuid || memcmp(data + 24, s->uuid, STORE_UUID_BYTES) == 0;
}

uint64_t pack_scan_skip_hole(const struct pack_scan *s, uint64_t off_bytes)
{
	off_t data = lseek(s->fd, (off_t)off_bytes, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? s->end_bytes : off_bytes;
	return MIN((uint64_t)data, s->end_bytes);
}

/* Finds the first record of this store from off_bytes on; *ret = where, the end if there is none. */
static int find_record(struct pack_scan *s, uint64_t off_bytes, uint64_t *ret, struct err *e)
{
	struct pack_span span;

	while ((off_bytes = pack_scan_skip_hole(s, off_bytes)) < s->end_bytes) {
		const uint8_t *data, *found;
		size_t n;
		int r = pack_scan_look(s, off_bytes, frame_header_bytes(0), &data, &n, e);

		if (r < 0)
			return r;
		if (n < frame_header_bytes(0))
			break;
		found = memmem(data, n, SKIPPABLE_MAGIC, RECORD_MAGIC_BYTES);
		if (!found) {
			off_bytes += n - (RECORD_MAGIC_BYTES - 1);
			continue;
		}
		off_bytes += (uint64_t)(found - data);
		r = pack_scan_look(s, off_bytes, frame_header_bytes(0), &data, &n, e);
		if (r == 0 && may_begin_record(s, data, n)) {
			r = get_record(s, off_bytes, &span, NULL);
			if (r == 0 && span.kind == SPAN_RECORD) {
				*ret = off_bytes;
				return 0;
			}
			r = r == -EBADMSG || r == -ENOTSUP ? 0 : r;
		}
		if (r < 0)
			return r;
		off_bytes++;
	}
	*ret = s->end_bytes;
	return 0;
}

/* The span up to the next record, when none begins at off_bytes. */
static int get_gap(struct pack_scan *s, uint64_t off_bytes, struct pack_span *ret, struct err *e)
{
	struct pack_span gap = {.off_bytes = off_bytes};
	bool punched = false;
	int r = find_record(s, off_bytes + 1, &gap.end_bytes, e);

	if (r == 0)
		r = pack_scan_is_punched(s, off_bytes, gap.end_bytes, &punched, e);
	gap.kind = punched ? SPAN_PUNCHED : SPAN_DAMAGED;
	if (r == 0)
		*ret = gap;
	return r;
}

int pack_scan_next(struct pack_scan *s, struct pack_span *ret, struct err *e)
{
	int r;

	if (s->next_bytes >= s->end_bytes)
		return 0;
	r = get_record(s, s->next_bytes, ret, e);
	if (r == -EBADMSG)
		r = get_gap(s, s->next_bytes, ret, e);
	if (r < 0)
		return r;
	s->next_bytes = ret->end_bytes;
	return 1;
}
