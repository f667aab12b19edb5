/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A segment holds records one after another, each behind its length in two bytes; length 0 means that the
 * next record is in the next segment. A position is segment number * SEGMENT_BYTES + offset.
 */
#include "exporter/plan/records.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/le.h"
#include "common/base/macros.h"

#define SEGMENT_BYTES (256 * 1024)
#define INDEX_STEP    32
#define PREFIX_BYTES  2

void *array_grow(void *array, size_t *capacity, size_t need, size_t item_bytes)
{
	size_t want = MAX(*capacity * 2, MAX(need, (size_t)16));
	void *grown;

	if (need <= *capacity)
		return array;
	grown = reallocarray(array, want, item_bytes);
	if (grown)
		*capacity = want;
	return grown;
}

static int add_segment(struct records *r)
{
	uint8_t **segments = array_grow(r->segments, &r->segments_capacity, r->n_segments + 1,
					sizeof(*segments));
	uint8_t *segment;

	if (!segments)
		return -ENOMEM;
	r->segments = segments;
	segment = malloc(SEGMENT_BYTES);
	if (!segment)
		return -ENOMEM;
	if (r->n_segments)
		le16_store(r->segments[r->n_segments - 1] + r->used_bytes, 0);
	r->segments[r->n_segments++] = segment;
	r->used_bytes = 0;
	return 0;
}

void records_done(struct records *r)
{
	for (size_t i = 0; i < r->n_segments; i++)
		free(r->segments[i]);
	free(r->segments);
	free(r->index);
	*r = (struct records){0};
}

int records_append(struct records *r, const void *data, size_t len_bytes, const uint8_t **ret)
{
	size_t slot = (size_t)(r->count / INDEX_STEP);
	uint64_t *index;
	uint8_t *at;

	if (len_bytes == 0 || len_bytes > RECORDS_MAX_BYTES)
		return -EOVERFLOW;
	index = array_grow(r->index, &r->index_capacity, slot + 1, sizeof(*index));
	if (!index)
		return -ENOMEM;
	r->index = index;
	/* Room for the record and for the mark that ends a segment. */
	if (r->n_segments == 0 || r->used_bytes + len_bytes + 2 * PREFIX_BYTES > SEGMENT_BYTES) {
		if (add_segment(r) < 0)
			return -ENOMEM;
	}
	if (r->count % INDEX_STEP == 0)
		r->index[slot] = (r->n_segments - 1) * (uint64_t)SEGMENT_BYTES + r->used_bytes;
	at = r->segments[r->n_segments - 1] + r->used_bytes;
	le16_store(at, (uint16_t)len_bytes);
	memcpy(at + PREFIX_BYTES, data, len_bytes);
	r->used_bytes += PREFIX_BYTES + len_bytes;
	r->count++;
	if (ret)
		*ret = at + PREFIX_BYTES;
	return 0;
}

const uint8_t *records_get(const struct records *r, uint64_t i)
{
	uint64_t position = r->index[i / INDEX_STEP];
	size_t segment = (size_t)(position / SEGMENT_BYTES);
	const uint8_t *at = r->segments[segment] + position % SEGMENT_BYTES;

	for (i %= INDEX_STEP; i; i--) {
		at += PREFIX_BYTES + le16_load(at);
		if (segment + 1 < r->n_segments && le16_load(at) == 0)
			at = r->segments[++segment];
	}
	return at + PREFIX_BYTES;
}
