/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct nameset: a set of 64-bit hashes in four bytes each: the upper bits say where, 32 lower bits are
 * kept. So two hashes may pass for the same (one pair in some hundred sets of ten million), and a set cannot
 * grow by itself: who owns it adds everything again to a larger one.
 */
#ifndef SEEDSHIP_PLAN_NAMESET_H
#define SEEDSHIP_PLAN_NAMESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nameset {
	uint32_t *tags; /* owned: 2^bits of them, 0 = free */
	unsigned bits;
	size_t count;
};

void nameset_done(struct nameset *s); /* frees; s is empty and has no room */

/* Forgets everything and makes room for twice as many as before. -ENOMEM: s is empty and has no room. */
int nameset_enlarge(struct nameset *s);

/* Whether there is no room for one more. */
bool nameset_is_full(const struct nameset *s);

/* Adds a hash; false when it, or one that passes for it, is there already. There must be room. */
bool nameset_add(struct nameset *s, uint64_t hash);

#endif
