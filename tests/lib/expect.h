/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Assertions on bytes, for cmocka tests; include behind cmocka.h. */
#ifndef SEEDSHIP_TESTS_EXPECT_H
#define SEEDSHIP_TESTS_EXPECT_H

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/ext/digest.h"

/* The bytes are those that hex spells; blanks in hex are for the reader. */
static inline void expect_hex(const void *data, size_t len_bytes, const char *hex)
{
	_cleanup_free_ char *seen = malloc(2 * len_bytes + 1);
	_cleanup_free_ char *want = malloc(strlen(hex) + 1);
	char *p = want;

	assert_true(seen && want);
	for (; *hex; hex++) {
		if (*hex != ' ')
			*p++ = *hex;
	}
	*p = '\0';
	assert_string_equal(format_hex(data, len_bytes, 0, seen), want);
}

static inline void expect_sha256(const void *data, size_t len_bytes, const char *hex)
{
	_cleanup_(digest_freep) struct digest *d = NULL;
	uint8_t hash[SHA256_BYTES];

	assert_int_equal(digest_new(DIGEST_SHA256, &d, NULL), 0);
	assert_int_equal(digest_once(d, data, len_bytes, hash), 0);
	expect_hex(hash, sizeof(hash), hex);
}

/* A call succeeded, or this is why not. */
static inline void expect_ok(int r, const struct err *e)
{
	if (r < 0)
		fail_msg("%d: %s", r, e->text);
}

/* A call failed with this code, this class and a story that has text in it. */
static inline void expect_err(int r, const struct err *e, int code, enum err_class class,
			      const char *text)
{
	if (r != -code || e->code != code || e->class != class || !strstr(e->text, text))
		fail_msg("returned %d, code %d, class %d, '%s'; wanted %d, class %d, '%s'", r,
			 e->code, (int)e->class, e->text, -code, (int)class, text);
}

#endif
