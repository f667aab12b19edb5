/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growable byte buffer and bounds-checked cursor. */
#include "common/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/le.h"

void buf_done(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT;
}

void buf_reset(struct buf *b)
{
	b->len_bytes = 0;
	b->failed = false;
}

/* Makes room for len_bytes more and a terminating NUL; false after any failure. */
static bool reserve(struct buf *b, size_t len_bytes)
{
	size_t want, capacity;
	uint8_t *data;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->len_bytes, len_bytes, &want) ||
	    __builtin_add_overflow(want, (size_t)1, &want)) {
		b->failed = true;
		return false;
	}
	if (want <= b->capacity_bytes)
		return true;
	capacity = b->capacity_bytes ? b->capacity_bytes : 64;
	while (capacity < want) {
		if (__builtin_mul_overflow(capacity, (size_t)2, &capacity)) {
			b->failed = true;
			return false;
		}
	}
	data = realloc(b->data, capacity);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->capacity_bytes = capacity;
	return true;
}

void buf_put(struct buf *b, const void *data, size_t len_bytes)
{
	if (!reserve(b, len_bytes))
		return;
	if (len_bytes)
		memcpy(b->data + b->len_bytes, data, len_bytes);
	b->len_bytes += len_bytes;
	b->data[b->len_bytes] = 0;
}

void buf_put_zero(struct buf *b, size_t len_bytes)
{
	if (!reserve(b, len_bytes))
		return;
	memset(b->data + b->len_bytes, 0, len_bytes + 1);
	b->len_bytes += len_bytes;
}

uint8_t *buf_extend(struct buf *b, size_t len_bytes)
{
	uint8_t *start;

	if (!reserve(b, len_bytes))
		return NULL;
	start = b->data + b->len_bytes;
	b->len_bytes += len_bytes;
	b->data[b->len_bytes] = 0;
	return start;
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, sizeof(v));
}

void buf_put_le16(struct buf *b, uint16_t v)
{
	uint8_t raw[sizeof(v)];

	le16_store(raw, v);
	buf_put(b, raw, sizeof(raw));
}

void buf_put_le32(struct buf *b, uint32_t v)
{
	uint8_t raw[sizeof(v)];

	le32_store(raw, v);
	buf_put(b, raw, sizeof(raw));
}

void buf_put_le64(struct buf *b, uint64_t v)
{
	uint8_t raw[sizeof(v)];

	le64_store(raw, v);
	buf_put(b, raw, sizeof(raw));
}

void buf_puts(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		b->failed = true;
	else if (reserve(b, (size_t)n)) {
		(void)vsnprintf((char *)b->data + b->len_bytes, (size_t)n + 1, fmt, again);
		b->len_bytes += (size_t)n;
	}
	va_end(again);
	va_end(ap);
}

int buf_error(const struct buf *b)
{
	return b->failed ? -ENOMEM : 0;
}

const char *buf_text(const struct buf *b)
{
	return b->len_bytes ? (const char *)b->data : "";
}

char *buf_take_text(struct buf *b)
{
	char *text;

	if (!reserve(b, 0) || b->failed)
		return NULL;
	b->data[b->len_bytes] = 0;
	text = (char *)take_ptr(b->data);
	*b = BUF_INIT;
	return text;
}

struct cursor cursor_over(const void *data, size_t len_bytes)
{
	return (struct cursor){.data = data, .len_bytes = len_bytes};
}

size_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : c->len_bytes - c->pos_bytes;
}

const uint8_t *cursor_get(struct cursor *c, size_t len_bytes)
{
	const uint8_t *p;

	if (c->bad || len_bytes > c->len_bytes - c->pos_bytes) {
		c->bad = true;
		return NULL;
	}
	p = c->data + c->pos_bytes;
	c->pos_bytes += len_bytes;
	return p;
}

uint8_t cursor_get_u8(struct cursor *c)
{
	const uint8_t *p = cursor_get(c, 1);

	return p ? *p : 0;
}

uint16_t cursor_get_le16(struct cursor *c)
{
	const uint8_t *p = cursor_get(c, 2);

	return p ? le16_load(p) : 0;
}

uint32_t cursor_get_le32(struct cursor *c)
{
	const uint8_t *p = cursor_get(c, 4);

	return p ? le32_load(p) : 0;
}

uint64_t cursor_get_le64(struct cursor *c)
{
	const uint8_t *p = cursor_get(c, 8);

	return p ? le64_load(p) : 0;
}
