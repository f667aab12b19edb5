/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct hashmap: 64-bit keys with 64-bit values, and hash functions. Key 0 is the same
 * as key 1: keys are either never 0 (inode numbers) or hashes, where one more collision does not matter.
 */
#ifndef SEEDSHIP_BASE_HASHMAP_H
#define SEEDSHIP_BASE_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* FNV-1a (RFC draft eastlake-fnv) over bytes, going on from hash; start with HASH_START. */
static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t len_bytes)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len_bytes; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* The same over the eight bytes of v, the least significant first. */
static inline uint64_t hash_u64(uint64_t hash, uint64_t v)
{
	for (int i = 0; i < 8; i++, v >>= 8)
		hash = (hash ^ (v & 0xff)) * UINT64_C(0x100000001b3);
	return hash;
}

/* Spreads values that differ little over all bits: the finalizer of splitmix64. */
static inline uint64_t hash_mix(uint64_t v)
{
	v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
	return v ^ (v >> 31);
}

struct hashmap {
	struct hashmap_slot {
		uint64_t key; /* 0 = free */
		uint64_t value;
	} * slots;	 /* owned */
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

void hashmap_done(struct hashmap *m); /* frees; m is empty and usable again */

/*
 * Adds key with this value. *ret_added = false when the key is there already; it keeps its value then.
 * -ENOMEM.
 */
int hashmap_add(struct hashmap *m, uint64_t key, uint64_t value, bool *ret_added);

/* Where the value of key is, to read or change until the next hashmap_add() or hashmap_remove(); NULL when it is missing. */
uint64_t *hashmap_find(struct hashmap *m, uint64_t key);

/* Forgets key; fine when it is missing. Moves other values. */
void hashmap_remove(struct hashmap *m, uint64_t key);

#endif
