/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows' rules for file names, and aliases for names that break them. */
#include "exporter/plan/drivename.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/cleanup.h"
#include "common/ext/utf16.h"
#include "common/base/hashmap.h"

#define ALIAS_TAIL_UNITS 9 /* "~" and 8 hex digits */

/* Windows' own list, and what XML 1.0 cannot hold or a console would act upon. */
static bool is_forbidden(uint32_t c)
{
	if (c < 0x80)
		return c < 0x20 || c == 0x7f || strchr("<>:\"/\\|?*", (int)c);
	return c < 0xa0 || c == 0xfffe || c == 0xffff;
}

static bool ends_badly(const char *name, size_t len_bytes)
{
	return len_bytes && (name[len_bytes - 1] == '.' || name[len_bytes - 1] == ' ');
}

/* COM1 to COM9 and LPT1 to LPT9, with 0 and the superscripts 1 to 3 to be safe. */
static bool is_port(const char *s, size_t len_bytes)
{
	static const char *const superscripts[] = {"\u00b9", "\u00b2", "\u00b3"};

	if (len_bytes < 4 || (strncasecmp(s, "com", 3) != 0 && strncasecmp(s, "lpt", 3) != 0))
		return false;
	if (len_bytes == 4)
		return s[3] >= '0' && s[3] <= '9';
	for (size_t i = 0; i < ARRAY_SIZE(superscripts); i++) {
		if (len_bytes == 5 && memcmp(s + 3, superscripts[i], 2) == 0)
			return true;
	}
	return false;
}

/* Device names count with any extension, and with spaces before it. */
static bool is_device(const char *name)
{
	static const char *const devices[] = {"con", "prn", "aux", "nul", "conin$", "conout$"};
	size_t n = strcspn(name, ".");

	while (n && name[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (strlen(devices[i]) == n && strncasecmp(name, devices[i], n) == 0)
			return true;
	}
	return is_port(name, n);
}

const char *drivename_objection(const char *name)
{
	size_t len = strlen(name), units = 0;

	for (const char *p = name; *p;) {
		uint32_t c;
		size_t n = utf8_decode(p, len - (size_t)(p - name), &c);

		if (n == 0)
			return "not UTF-8";
		if (is_forbidden(c))
			return "a name with a character that Windows forbids";
		units += c >= 0x10000 ? 2 : 1;
		p += n;
	}
	if (len == 0)
		return "an empty name";
	if (units > DRIVENAME_MAX_UNITS)
		return "a name of more than 255 characters";
	if (ends_badly(name, len))
		return "a name that ends in '.' or a space";
	return is_device(name) ? "a device name reserved by Windows" : NULL;
}

/* Appends what can be kept of name: at most max_units, '_' in place of what Windows forbids. */
static void sanitise(const char *name, size_t max_units, struct buf *out)
{
	size_t left = strlen(name), units = 0;

	/* The alias keeps any extension, and with it a device stays a device. */
	if (is_device(name)) {
		buf_puts(out, "_");
		units = 1;
	}
	while (left) {
		uint32_t c = 0;
		size_t n = utf8_decode(name, left, &c);
		bool kept = n && !is_forbidden(c);

		if (n == 0)
			n = 1;
		units += kept && c >= 0x10000 ? 2 : 1;
		if (units > max_units)
			return;
		buf_put(out, kept ? name : "_", kept ? n : 1);
		name += n;
		left -= n;
	}
}

int drivename_alias(const char *name, uint64_t seed, size_t max_units, struct buf *out)
{
	uint64_t hash = hash_bytes(hash_u64(HASH_START, seed), name, strlen(name));

	sanitise(name, max_units - ALIAS_TAIL_UNITS, out);
	buf_printf(out, "~%08" PRIx32, (uint32_t)hash);
	return buf_error(out);
}

int drivename_key(uint32_t dir, const char *name, uint64_t *ret)
{
	uint64_t hash = hash_u64(HASH_START, dir);
	_cleanup_free_ char *folded = NULL;
	const char *p;

	/* Most names are ASCII, and folding them needs no memory. */
	for (p = name; *p && (unsigned char)*p < 0x80; p++) {
		char lower = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;

		hash = hash_bytes(hash, &lower, 1);
	}
	if (*p) {
		folded = utf8_fold(name);
		if (!folded)
			return -ENOMEM;
		hash = hash_bytes(hash_u64(HASH_START, dir), folded, strlen(folded));
	}
	*ret = hash_mix(hash);
	return 0;
}
