/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct ranges: the rules that the blocks or page ranges of one blob must keep, checked one by one. */
#ifndef SEEDSHIP_MANIFEST_RANGES_H
#define SEEDSHIP_MANIFEST_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct ranges {
	bool pages;
	uint64_t blob_bytes;
	uint64_t end_bytes; /* of the last range */
	uint64_t count;
	size_t id_chars; /* of every block's id; 0 = blocks have none */
};

/* A list begins, of a blob this long. -EBADMSG for a page blob that is no multiple of 512. */
int ranges_begin(struct ranges *ranges, bool pages, uint64_t blob_bytes, struct err *e);

/*
 * The next range: at most 4 MiB; blocks without gap and at most 50,000, with ids of one length or none at
 * all (NULL); page ranges in order, in multiples of 512. -EBADMSG.
 */
int ranges_add(struct ranges *ranges, uint64_t off_bytes, uint64_t len_bytes, const char *id,
	       struct err *e);

/* The list ends: blocks must cover the whole blob. -EBADMSG. */
int ranges_end(const struct ranges *ranges, struct err *e);

#endif
