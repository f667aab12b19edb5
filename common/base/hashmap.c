/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Open addressing with linear probing, three quarters full at most. Removing closes the gap (Knuth, The Art
 * of Computer Programming 6.4, algorithm R), so there are no tombstones; memory is given back when most of it is
 * unused.
 */
#include "common/base/hashmap.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/macros.h"

#define FIRST_CAPACITY 64

/* The slot that holds key, or the free one where it belongs. Capacity must not be 0. */
static struct hashmap_slot *slot_of(const struct hashmap *m, uint64_t key)
{
	size_t mask = m->capacity - 1;
	size_t i = (size_t)hash_mix(key) & mask;

	while (m->slots[i].key && m->slots[i].key != key)
		i = (i + 1) & mask;
	return &m->slots[i];
}

static int resize(struct hashmap *m, size_t capacity)
{
	struct hashmap other = {.capacity = capacity, .count = m->count};

	other.slots = calloc(other.capacity, sizeof(*other.slots));
	if (!other.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->capacity; i++) {
		if (m->slots[i].key)
			*slot_of(&other, m->slots[i].key) = m->slots[i];
	}
	free(m->slots);
	*m = other;
	return 0;
}

void hashmap_done(struct hashmap *m)
{
	free(m->slots);
	*m = (struct hashmap){0};
}

int hashmap_add(struct hashmap *m, uint64_t key, uint64_t value, bool *ret_added)
{
	struct hashmap_slot *slot;

	key = key ? key : 1;
	if (m->count >= m->capacity / 4 * 3 &&
	    resize(m, m->capacity ? m->capacity * 2 : FIRST_CAPACITY) < 0)
		return -ENOMEM;
	slot = slot_of(m, key);
	*ret_added = slot->key == 0;
	if (*ret_added) {
		*slot = (struct hashmap_slot){key, value};
		m->count++;
	}
	return 0;
}

uint64_t *hashmap_find(struct hashmap *m, uint64_t key)
{
	struct hashmap_slot *slot;

	if (m->capacity == 0)
		return NULL;
	slot = slot_of(m, key ? key : 1);
	return slot->key ? &slot->value : NULL;
}

/* Whether a key whose home is `home` may stay at `at` when the slot `gap` becomes free. */
static bool stays(size_t home, size_t at, size_t gap)
{
	return gap <= at ? gap < home && home <= at : gap < home || home <= at;
}

void hashmap_remove(struct hashmap *m, uint64_t key)
{
	uint64_t *value = hashmap_find(m, key);
	size_t mask = m->capacity - 1, gap, at;

	if (!value)
		return;
	gap = at = (size_t)(container_of(value, struct hashmap_slot, value) - m->slots);
	for (;;) {
		at = (at + 1) & mask;
		if (m->slots[at].key == 0)
			break;
		if (stays((size_t)hash_mix(m->slots[at].key) & mask, at, gap))
			continue;
		m->slots[gap] = m->slots[at];
		gap = at;
	}
	m->slots[gap].key = 0;
	m->count--;
	if (m->capacity > FIRST_CAPACITY && m->count < m->capacity / 8)
		(void)resize(m, m->capacity / 2); /* as good as it was when it fails */
}
