/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Open addressing with linear probing, three quarters full at most; nothing is ever removed. */
#include "exporter/plan/hashmap.h"

#include <errno.h>
#include <stdlib.h>

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

static int grow(struct hashmap *m)
{
	struct hashmap larger = {
		.capacity = m->capacity ? m->capacity * 2 : FIRST_CAPACITY,
		.count = m->count,
	};

	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->capacity; i++) {
		if (m->slots[i].key)
			*slot_of(&larger, m->slots[i].key) = m->slots[i];
	}
	free(m->slots);
	*m = larger;
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
	if (m->count >= m->capacity / 4 * 3 && grow(m) < 0)
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
