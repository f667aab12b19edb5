/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct bitset: a bit for each of n things, all clear at first. */
#ifndef SEEDSHIP_BASE_BITSET_H
#define SEEDSHIP_BASE_BITSET_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define BITSET_WORD_BITS 64

struct bitset {
	uint64_t *words; /* owned */
	uint32_t n;
};

/* -ENOMEM. */
static inline int bitset_init(struct bitset *b, uint32_t n)
{
	b->words = calloc(n / BITSET_WORD_BITS + 1, sizeof(*b->words));
	b->n = n;
	return b->words ? 0 : -ENOMEM;
}

static inline void bitset_done(struct bitset *b)
{
	free(b->words);
	*b = (struct bitset){0};
}

/* i < n, here and below. */
static inline bool bitset_has(const struct bitset *b, uint32_t i)
{
	return b->words[i / BITSET_WORD_BITS] >> i % BITSET_WORD_BITS & 1;
}

static inline void bitset_add(struct bitset *b, uint32_t i)
{
	b->words[i / BITSET_WORD_BITS] |= UINT64_C(1) << i % BITSET_WORD_BITS;
}

static inline void bitset_remove(struct bitset *b, uint32_t i)
{
	b->words[i / BITSET_WORD_BITS] &= ~(UINT64_C(1) << i % BITSET_WORD_BITS);
}

/* The first one set that is i or greater, which may be n; n if there is none. */
static inline uint32_t bitset_next(const struct bitset *b, uint32_t i)
{
	uint32_t word = i / BITSET_WORD_BITS, end = b->n / BITSET_WORD_BITS;
	uint64_t left;

	if (i >= b->n)
		return b->n;
	left = b->words[word] & UINT64_MAX << i % BITSET_WORD_BITS;
	while (!left && word < end)
		left = b->words[++word];
	return left ? word * BITSET_WORD_BITS + (uint32_t)__builtin_ctzll(left) : b->n;
}

#endif
