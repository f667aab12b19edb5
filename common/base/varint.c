/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LEB128. */
#include "common/base/varint.h"

#define GROUP_BITS 7
#define MORE	   0x80u
#define BITS	   64

void buf_put_varint(struct buf *b, uint64_t v)
{
	uint8_t raw[(BITS + GROUP_BITS - 1) / GROUP_BITS];
	size_t n = 0;

	for (; v >= MORE; v >>= GROUP_BITS)
		raw[n++] = (uint8_t)(v | MORE);
	raw[n++] = (uint8_t)v;
	buf_put(b, raw, n);
}

uint64_t cursor_get_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < BITS; shift += GROUP_BITS) {
		uint8_t byte = cursor_get_u8(c);
		uint64_t group = byte & (MORE - 1u);

		v |= group << shift;
		if (group << shift >> shift != group)
			break;
		if (!(byte & MORE))
			return c->bad ? 0 : v;
	}
	c->bad = true;
	return 0;
}
