/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integers of 1 to 10 bytes: 7 bits a byte, low bits first, the top bit says that more follow (LEB128). */
#ifndef SEEDSHIP_BASE_VARINT_H
#define SEEDSHIP_BASE_VARINT_H

#include <stdint.h>

#include "common/base/buf.h"

void buf_put_varint(struct buf *b, uint64_t v);

/* The cursor turns bad when the number is cut off or does not fit into 64 bits; then 0. */
uint64_t cursor_get_varint(struct cursor *c);

/* Differences of either sign, small ones in few bytes: 0, -1, 1, -2, ... become 0, 1, 2, 3, ... */
static inline uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}

static inline uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

#endif
