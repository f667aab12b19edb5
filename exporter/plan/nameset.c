/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Open addressing with linear probing over 32-bit tags, three quarters full at most. */
#include "exporter/plan/nameset.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BITS 10

void nameset_done(struct nameset *s)
{
	free(s->tags);
	*s = (struct nameset){0};
}

int nameset_enlarge(struct nameset *s)
{
	unsigned bits = s->bits ? s->bits + 1 : FIRST_BITS;

	nameset_done(s);
	s->tags = calloc((size_t)1 << bits, sizeof(*s->tags));
	if (!s->tags)
		return -ENOMEM;
	s->bits = bits;
	return 0;
}

bool nameset_is_full(const struct nameset *s)
{
	return !s->tags || s->count >= ((size_t)1 << s->bits) / 4 * 3;
}

bool nameset_add(struct nameset *s, uint64_t hash)
{
	size_t mask = ((size_t)1 << s->bits) - 1;
	uint32_t tag = (uint32_t)hash ? (uint32_t)hash : 1;
	size_t i;

	for (i = (size_t)(hash >> (64 - s->bits)); s->tags[i]; i = (i + 1) & mask) {
		if (s->tags[i] == tag)
			return false;
	}
	s->tags[i] = tag;
	s->count++;
	return true;
}
