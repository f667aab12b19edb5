/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct records: an append-only sequence of short byte strings in segments, two bytes of overhead each.
 * A record never moves, so pointers into it stay good until records_done(). This is what lets a plan of ten
 * million files fit in memory.
 */
#ifndef SEEDSHIP_PLAN_RECORDS_H
#define SEEDSHIP_PLAN_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#define RECORDS_MAX_BYTES 16384 /* of one record */

struct records {
	uint8_t **segments; /* owned, and so is each of them */
	size_t n_segments, segments_capacity;
	size_t used_bytes; /* of the last segment */
	uint64_t *index;   /* owned: where every 32nd record begins */
	size_t index_capacity;
	uint64_t count;
};

/*
 * Room for at least need items in a growing array: the array, moved if needed, or NULL when out of memory
 * (then the old one stays). *capacity counts items.
 */
void *array_grow(void *array, size_t *capacity, size_t need, size_t item_bytes);

void records_done(struct records *r); /* frees; r is empty and usable again */

/* Appends a record of 1 to RECORDS_MAX_BYTES bytes. -ENOMEM; -EOVERFLOW when it is longer. */
int records_append(struct records *r, const void *data, size_t len_bytes, const uint8_t **ret);

/* Record number i, which must be below count. Lent. Constant time. */
const uint8_t *records_get(const struct records *r, uint64_t i);

#endif
