/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Open addressing with linear probing; nothing is ever removed. */
#include "exporter/plan/hashmap.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64

static size_t slot_words(const struct hashmap *m)
{
	return m->has_values ? 2 : 1;
}

/* Spreads keys that differ little (inode numbers): the finalizer of splitmix64. */
static uint64_t mix(uint64_t v)
{
	v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
	return v ^ (v >> 31);
}

/* The slot that holds key, or the free one where it belongs. Capacity must not be 0. */
static uint64_t *slot_of(const struct hashmap *m, uint64_t key)
{
	size_t mask = m->capacity - 1;

	for (size_t i = (size_t)mix(key) & mask;; i = (i + 1) & mask) {
		uint64_t *slot = m->slots + i * slot_words(m);

		if (*slot == key || *slot == 0)
			return slot;
	}
}

static int grow(struct hashmap *m)
{
	struct hashmap larger = {
		.capacity = m->capacity ? m->capacity * 2 : FIRST_CAPACITY,
		.count = m->count,
		.has_values = m->has_values,
	};
	size_t words = slot_words(m);

	larger.slots = calloc(larger.capacity, words * sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->capacity; i++) {
		const uint64_t *from = m->slots + i * words;
		uint64_t *to;

		if (*from == 0)
			continue;
		to = slot_of(&larger, *from);
		to[0] = from[0];
		if (words == 2)
			to[1] = from[1];
	}
	free(m->slots);
	*m = larger;
	return 0;
}

void hashmap_done(struct hashmap *m)
{
	free(m->slots);
	*m = (struct hashmap){.has_values = m->has_values};
}

int hashmap_add(struct hashmap *m, uint64_t key, uint64_t value, bool *ret_added)
{
	uint64_t *slot;
	int r;

	key = key ? key : 1;
	if (m->count >= m->capacity / 4 * 3) {
		r = grow(m);
		if (r < 0)
			return r;
	}
	slot = slot_of(m, key);
	*ret_added = *slot == 0;
	if (*slot)
		return 0;
	slot[0] = key;
	if (m->has_values)
		slot[1] = value;
	m->count++;
	return 0;
}

uint64_t *hashmap_find(struct hashmap *m, uint64_t key)
{
	uint64_t *slot;

	key = key ? key : 1;
	if (m->capacity == 0)
		return NULL;
	slot = slot_of(m, key);
	return *slot ? slot + (m->has_values ? 1 : 0) : NULL;
}
