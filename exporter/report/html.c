/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Escaping for HTML. */
#include "exporter/report/html.h"

#include <stdbool.h>
#include <string.h>

#include "common/ext/utf16.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *entity_of(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\t':
	case '\n':
	case '\r':
		return " ";
	default:
		return NULL;
	}
}

/* Controls, overrides of the writing direction (UAX #9), and what XML 1.0 (2.2) leaves out. */
static bool is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || (c & 0xfffe) == 0xfffe;
}

void html_put(struct buf *out, const char *text)
{
	size_t left = strlen(text), n;
	uint32_t c = 0;

	for (; left > 0; text += n, left -= n) {
		const char *entity;

		n = utf8_decode(text, left, &c);
		if (n == 0) {
			n = 1;
			buf_printf(out, "\\x%02X", (unsigned char)*text);
			continue;
		}
		entity = entity_of(c);
		if (entity)
			buf_puts(out, entity);
		else if (is_harmful(c))
			buf_puts(out, REPLACEMENT);
		else
			buf_put(out, text, n);
	}
}
