/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8 and UTF-16LE, strictly; small enough that iconv would be the longer way. */
#include "common/ext/utf16.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/le.h"

size_t utf8_decode(const char *s, size_t len_bytes, uint32_t *ret_code_point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *p = (const uint8_t *)s;
	uint32_t v;
	size_t n;

	if (len_bytes == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret_code_point = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
	if (n == 0 || p[0] > 0xf4 || n > len_bytes)
		return 0;
	v = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3fu);
	}
	if (v < smallest[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*ret_code_point = v;
	return n;
}

bool utf8_valid(const char *s, size_t len_bytes)
{
	return utf16_units(s, len_bytes) != SIZE_MAX;
}

size_t utf16_units(const char *s, size_t len_bytes)
{
	size_t units = 0;

	while (len_bytes) {
		uint32_t v;
		size_t n = utf8_decode(s, len_bytes, &v);

		if (n == 0)
			return SIZE_MAX;
		units += v >= 0x10000 ? 2 : 1;
		s += n;
		len_bytes -= n;
	}
	return units;
}

int utf16le_encode(const char *s, size_t len_bytes, uint8_t **ret, size_t *ret_bytes)
{
	size_t units = utf16_units(s, len_bytes);
	uint8_t *out, *p;

	if (units == SIZE_MAX)
		return -EILSEQ;
	out = p = malloc(units * 2 + 1);
	if (!out)
		return -ENOMEM;
	while (len_bytes) {
		uint32_t v = 0;
		size_t n = utf8_decode(s, len_bytes, &v);

		if (v >= 0x10000) {
			le16_store(p, (uint16_t)(0xd800 + ((v - 0x10000) >> 10)));
			le16_store(p + 2, (uint16_t)(0xdc00 + ((v - 0x10000) & 0x3ff)));
			p += 4;
		} else {
			le16_store(p, (uint16_t)v);
			p += 2;
		}
		s += n;
		len_bytes -= n;
	}
	*ret = out;
	*ret_bytes = units * 2;
	return 0;
}

static void put_utf8(struct buf *b, uint32_t v)
{
	if (v < 0x80) {
		buf_put_u8(b, (uint8_t)v);
	} else if (v < 0x800) {
		buf_put_u8(b, (uint8_t)(0xc0 | v >> 6));
		buf_put_u8(b, (uint8_t)(0x80 | (v & 0x3f)));
	} else if (v < 0x10000) {
		buf_put_u8(b, (uint8_t)(0xe0 | v >> 12));
		buf_put_u8(b, (uint8_t)(0x80 | (v >> 6 & 0x3f)));
		buf_put_u8(b, (uint8_t)(0x80 | (v & 0x3f)));
	} else {
		buf_put_u8(b, (uint8_t)(0xf0 | v >> 18));
		buf_put_u8(b, (uint8_t)(0x80 | (v >> 12 & 0x3f)));
		buf_put_u8(b, (uint8_t)(0x80 | (v >> 6 & 0x3f)));
		buf_put_u8(b, (uint8_t)(0x80 | (v & 0x3f)));
	}
}

int utf16le_decode(const uint8_t *data, size_t len_bytes, char **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (len_bytes % 2)
		return -EILSEQ;
	for (size_t i = 0; i < len_bytes; i += 2) {
		uint32_t v = le16_load(data + i);

		if (v >= 0xdc00 && v <= 0xdfff)
			return -EILSEQ;
		if (v >= 0xd800 && v <= 0xdbff) {
			uint32_t low = i + 4 <= len_bytes ? le16_load(data + i + 2) : 0;

			if (low < 0xdc00 || low > 0xdfff)
				return -EILSEQ;
			v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		put_utf8(&b, v);
	}
	*ret = buf_take_text(&b);
	return *ret ? 0 : -ENOMEM;
}

static locale_t fold_locale;

static void fold_locale_open(void)
{
	fold_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

char *utf8_fold(const char *s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t left = strlen(s);

	(void)pthread_once(&once, fold_locale_open);
	while (left) {
		uint32_t v;
		size_t n = utf8_decode(s, left, &v);

		if (n == 0) {
			n = 1;
			buf_put_u8(&b, (uint8_t)*s);
		} else {
			if (fold_locale)
				v = towlower_l(towupper_l(v, fold_locale), fold_locale);
			put_utf8(&b, v);
		}
		s += n;
		left -= n;
	}
	return buf_take_text(&b);
}
