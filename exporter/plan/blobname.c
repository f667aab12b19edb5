/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blob names from staged paths, and back.
 *
 * Encoding of a component must be reversible although most names stay as they are. Call enc(n) the
 * component with all that is forbidden and every '%' written as %HH, and S the smallest set with: n is in
 * S if it holds something forbidden; enc(n) is in S if n is. A component in S is encoded, any other stays.
 * That is injective: enc() is, and an untouched name that equals some enc(m), m in S, would be in S.
 */
#include "exporter/plan/blobname.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/ext/utf16.h"

#define COMPONENT_MAX_BYTES (BLOBNAME_MAX_UNITS * 3) /* a UTF-16 unit is at most 3 bytes of UTF-8 */
#define ENCODED_CHAR_BYTES  (4 * 3 + 1)		     /* four bytes of UTF-8 as %HH, and a NUL */

/* Non-ASCII characters that may stand in an IRI: ucschar of RFC 3987 section 2.2. */
static bool is_ucschar(uint32_t c)
{
	if (c < 0x10000)
		return (c >= 0xa0 && c <= 0xd7ff) || (c >= 0xf900 && c <= 0xfdcf) ||
		       (c >= 0xfdf0 && c <= 0xffef);
	return (c & 0xffff) <= 0xfffd && c < 0xf0000 && (c < 0xe0000 || c >= 0xe1000);
}

static bool is_allowed(uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f && c != '\\';
	return is_ucschar(c);
}

/*
 * Looks at the first character of what is left of a component: its length in bytes (1 when it is not
 * UTF-8), and whether it is forbidden where it stands.
 */
static size_t next_char(const char *s, size_t left_bytes, bool *ret_forbidden)
{
	uint32_t c;
	size_t n = utf8_decode(s, left_bytes, &c);

	if (n == 0) {
		*ret_forbidden = true;
		return 1;
	}
	*ret_forbidden = !is_allowed(c) || (c == '.' && n == left_bytes);
	return n;
}

/* The first thing that is forbidden; NULL when there is none. */
static const char *find_forbidden(const char *s, size_t len_bytes)
{
	while (len_bytes) {
		bool forbidden;
		size_t n = next_char(s, len_bytes, &forbidden);

		if (forbidden)
			return s;
		s += n;
		len_bytes -= n;
	}
	return NULL;
}

/* Writes the next character of s as enc() has it; returns how many bytes of s that was. */
static size_t encode_next(const char *s, size_t left_bytes, char out[ENCODED_CHAR_BYTES],
			  size_t *ret_bytes)
{
	bool forbidden;
	size_t n = next_char(s, left_bytes, &forbidden);

	if (!forbidden && *s != '%') {
		memcpy(out, s, n);
		*ret_bytes = n;
		return n;
	}
	for (size_t i = 0; i < n; i++)
		(void)snprintf(out + 3 * i, 4, "%%%02X", (unsigned char)s[i]);
	*ret_bytes = 3 * n;
	return n;
}

/* Appends enc(s). */
static void encode(const char *s, size_t len_bytes, struct buf *out)
{
	char code[ENCODED_CHAR_BYTES];
	size_t code_bytes;

	while (len_bytes) {
		size_t n = encode_next(s, len_bytes, code, &code_bytes);

		buf_put(out, code, code_bytes);
		s += n;
		len_bytes -= n;
	}
}

/* What every %HH of s stands for; false when there is none, or something enc() would not write. */
static bool decode(const char *s, size_t len_bytes, char *out, size_t *ret_bytes)
{
	size_t used = 0;
	bool any = false;

	for (size_t i = 0; i < len_bytes; i++) {
		char hex[3] = {0};

		out[used] = s[i];
		if (s[i] == '%') {
			if (len_bytes - i < 3)
				return false;
			memcpy(hex, s + i + 1, 2);
			if (parse_hex(hex, &out[used], 1) < 0 || out[used] == '\0')
				return false;
			i += 2;
			any = true;
		}
		used++;
	}
	*ret_bytes = used;
	return any;
}

static bool is_encoding_of(const char *s, size_t s_bytes, const char *m, size_t m_bytes)
{
	char code[ENCODED_CHAR_BYTES];
	size_t code_bytes;

	while (m_bytes) {
		size_t n = encode_next(m, m_bytes, code, &code_bytes);

		if (code_bytes > s_bytes || memcmp(s, code, code_bytes) != 0)
			return false;
		s += code_bytes;
		s_bytes -= code_bytes;
		m += n;
		m_bytes -= n;
	}
	return s_bytes == 0;
}

/*
 * If s is enc(m) for some m other than s, leaves m in out (room: COMPONENT_MAX_BYTES). A component that
 * is longer than that cannot be part of a blob name anyway.
 */
static bool invert(const char *s, size_t len_bytes, char *out, size_t *ret_bytes)
{
	return len_bytes <= COMPONENT_MAX_BYTES && memchr(s, '%', len_bytes) &&
	       decode(s, len_bytes, out, ret_bytes) &&
	       is_encoding_of(s, len_bytes, out, *ret_bytes);
}

/* Whether s is in the set S of the comment on top. */
static bool needs_encoding(const char *s, size_t len_bytes)
{
	char inner[COMPONENT_MAX_BYTES], outer[COMPONENT_MAX_BYTES];

	while (!find_forbidden(s, len_bytes)) {
		if (!invert(s, len_bytes, inner, &len_bytes))
			return false;
		memcpy(outer, inner, len_bytes);
		s = outer;
	}
	return true;
}

static void explain(const char *s, size_t len_bytes, char reason[BLOBNAME_REASON_BYTES])
{
	const char *bad = find_forbidden(s, len_bytes);
	_cleanup_(buf_done) struct buf code = BUF_INIT;
	size_t n, left;
	uint32_t c = 0;

	if (!bad) {
		(void)snprintf(reason, BLOBNAME_REASON_BYTES,
			       "blob name: looks like an encoded name, so '%%' is encoded as %%25");
		return;
	}
	left = len_bytes - (size_t)(bad - s);
	n = utf8_decode(bad, left, &c);
	encode(bad, n ? n : 1, &code);
	if (n == 0)
		(void)snprintf(reason, BLOBNAME_REASON_BYTES,
			       "blob name: byte 0x%02X is not UTF-8, encoded as %s",
			       (unsigned char)*bad, buf_text(&code));
	else if (c == '.')
		(void)snprintf(reason, BLOBNAME_REASON_BYTES,
			       "blob name: a path segment must not end in '.', encoded as %s",
			       buf_text(&code));
	else
		(void)snprintf(reason, BLOBNAME_REASON_BYTES,
			       "blob name: character U+%04X is not allowed, encoded as %s",
			       (unsigned)c, buf_text(&code));
}

enum blobname_outcome blobname_component(const char *component, size_t len_bytes, struct buf *out,
					 char reason[BLOBNAME_REASON_BYTES])
{
	if (reason)
		reason[0] = '\0';
	if (!needs_encoding(component, len_bytes)) {
		buf_put(out, component, len_bytes);
		return BLOBNAME_SAME;
	}
	encode(component, len_bytes, out);
	if (reason)
		explain(component, len_bytes, reason);
	return BLOBNAME_ENCODED;
}

enum blobname_outcome blobname_check_size(size_t units, size_t segments,
					  char reason[BLOBNAME_REASON_BYTES])
{
	if (units > BLOBNAME_MAX_UNITS) {
		(void)snprintf(reason, BLOBNAME_REASON_BYTES,
			       "blob name: %zu characters, at most %d are allowed", units,
			       BLOBNAME_MAX_UNITS);
		return BLOBNAME_REFUSED;
	}
	if (segments > BLOBNAME_MAX_SEGMENTS) {
		(void)snprintf(reason, BLOBNAME_REASON_BYTES,
			       "blob name: %zu path segments, at most %d are allowed", segments,
			       BLOBNAME_MAX_SEGMENTS);
		return BLOBNAME_REFUSED;
	}
	reason[0] = '\0';
	return BLOBNAME_SAME;
}

static size_t count_segments(const char *name)
{
	size_t n = 1;

	for (; *name; name++)
		n += *name == '/';
	return n;
}

int blobname_from_path(const char *path, const char *prefix, struct buf *out,
		       enum blobname_outcome *ret_outcome, char reason[BLOBNAME_REASON_BYTES])
{
	enum blobname_outcome outcome = BLOBNAME_SAME;
	char refusal[BLOBNAME_REASON_BYTES];
	size_t start = out->len_bytes;

	reason[0] = '\0';
	if (prefix[0])
		buf_printf(out, "%s/", prefix);
	for (;;) {
		size_t n = strcspn(path, "/");
		bool first = outcome == BLOBNAME_SAME;

		if (blobname_component(path, n, out, first ? reason : NULL) == BLOBNAME_ENCODED)
			outcome = BLOBNAME_ENCODED;
		if (!path[n])
			break;
		buf_puts(out, "/");
		path += n + 1;
	}
	if (buf_error(out) < 0)
		return -ENOMEM;
	if (blobname_check_size(utf16_units(buf_text(out) + start, out->len_bytes - start),
				count_segments(buf_text(out) + start),
				refusal) == BLOBNAME_REFUSED) {
		outcome = BLOBNAME_REFUSED;
		memcpy(reason, refusal, sizeof(refusal));
	}
	*ret_outcome = outcome;
	return 0;
}

int blobname_to_path(const char *name, struct buf *out)
{
	char inner[COMPONENT_MAX_BYTES];
	size_t inner_bytes;

	for (;;) {
		size_t n = strcspn(name, "/");

		if (invert(name, n, inner, &inner_bytes) && needs_encoding(inner, inner_bytes))
			buf_put(out, inner, inner_bytes);
		else
			buf_put(out, name, n);
		if (!name[n])
			break;
		buf_puts(out, "/");
		name += n + 1;
	}
	return buf_error(out);
}
