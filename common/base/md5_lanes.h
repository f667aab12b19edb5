/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MD5 (RFC 1321) of many messages at once. Within one message each step waits for the step before it, and a
 * core mostly waits with it. Here independent messages lie side by side, one in each lane of a vector, and
 * advance together: many take little longer than one. Nothing blocks, allocates or fails.
 */
#ifndef SEEDSHIP_BASE_MD5_LANES_H
#define SEEDSHIP_BASE_MD5_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES 16

struct md5_message {
	const void *data; /* may be NULL when there is nothing */
	size_t len_bytes;
	uint8_t *md5; /* MD5_BYTES, filled in */
};

/*
 * Fills in md5 of all n messages. They are begun in their order: whenever one ends, the next takes its lane.
 * With the longest first, lanes are idle least at the end. Any number of threads may call it.
 */
void md5_many(const struct md5_message *messages, size_t n);

/* ---- for tests and benchmarks: the same results in a way of one's choice ---- */

enum md5_way {
	MD5_SCALAR, /* one message after another; on every machine */
	MD5_VECTOR, /* what all machines of the architecture have, 8 lanes; on every machine */
	MD5_AVX2,   /* 16 lanes */
	MD5_AVX512, /* 16 lanes */
	MD5_WAYS,   /* how many */
};

const char *md5_way_name(enum md5_way way);
unsigned md5_way_lanes(enum md5_way way); /* messages at once */
bool md5_way_offered(enum md5_way way);	  /* by this machine */
enum md5_way md5_way_best(void);	  /* the one that md5_many() takes */

/* The way must be offered. */
void md5_many_by(enum md5_way way, const struct md5_message *messages, size_t n);

#endif
