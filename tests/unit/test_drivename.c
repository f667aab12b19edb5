/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows' rules for names on the drive, and aliases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/ext/utf16.h"
#include "exporter/plan/drivename.h"

#define DEVICE	  "a device name reserved by Windows"
#define CHARACTER "a name with a character that Windows forbids"
#define ENDING	  "a name that ends in '.' or a space"

static void test_allowed(void **state)
{
	static const char *const names[] = {
		"a",
		" a",
		".a",
		"a.b.c",
		"file.vhd",
		"console",
		"con1",
		"com",
		"com10",
		"nul_",
		"lpt",
		"conin",
		"clock$",
		"a con",
		"x.con",
		"na\xc3\xafve",
		"\xe2\x82\xac",
		"\xf0\x9f\x92\xbe",
		"a'b&c%d",
		"com\xc2\xb5",
		"$MFT",
		"~long",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (drivename_objection(names[i]))
			fail_msg("'%s': %s", names[i], drivename_objection(names[i]));
	}
}

static void test_forbidden(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{"con", DEVICE},	  {"CON", DEVICE},
		{"Con.txt", DEVICE},	  {"con .txt", DEVICE},
		{"nul.tar.gz", DEVICE},	  {"prn", DEVICE},
		{"aux.c", DEVICE},	  {"com0", DEVICE},
		{"COM9.log", DEVICE},	  {"lpt1", DEVICE},
		{"com\xc2\xb9", DEVICE},  {"LPT\xc2\xb2.x", DEVICE},
		{"lpt\xc2\xb3", DEVICE},  {"CONIN$", DEVICE},
		{"conout$.txt", DEVICE},  {"a<b", CHARACTER},
		{"a>b", CHARACTER},	  {"a:b", CHARACTER},
		{"a\"b", CHARACTER},	  {"a|b", CHARACTER},
		{"a?b", CHARACTER},	  {"a*b", CHARACTER},
		{"a\\b", CHARACTER},	  {"a/b", CHARACTER},
		{"a\tb", CHARACTER},	  {"a\x7f", CHARACTER},
		{"a\xc2\x85", CHARACTER}, {"a\xef\xbf\xbe", CHARACTER},
		{"a.", ENDING},		  {"a ", ENDING},
		{"...", ENDING},	  {"a\xe9", "not UTF-8"},
		{"", "an empty name"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *why = drivename_objection(rows[i].name);

		if (!why || strcmp(why, rows[i].why) != 0)
			fail_msg("'%s': %s", rows[i].name, why);
	}
}

static void test_length(void **state)
{
	char name[1200];

	(void)state;
	memset(name, 'a', 256);
	name[255] = '\0';
	assert_null(drivename_objection(name));
	name[255] = 'a';
	name[256] = '\0';
	assert_string_equal(drivename_objection(name), "a name of more than 255 characters");
	/* 128 characters of two units each. */
	for (int i = 0; i < 128; i++)
		memcpy(name + 4 * i, "\xf0\x9f\x92\xbe", 4);
	name[4 * 128] = '\0';
	assert_string_equal(drivename_objection(name), "a name of more than 255 characters");
	name[4 * 127] = '\0';
	assert_null(drivename_objection(name));
}

static char *alias_of(const char *name, uint64_t seed, size_t max_units)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT;

	assert_int_equal(drivename_alias(name, seed, max_units, &out), 0);
	assert_null(drivename_objection(buf_text(&out)));
	assert_true(utf16_units(buf_text(&out), out.len_bytes) <= max_units);
	return buf_take_text(&out);
}

static void expect_alias(const char *name, const char *alias)
{
	_cleanup_free_ char *out = alias_of(name, 0, DRIVENAME_MAX_UNITS);

	assert_string_equal(out, alias);
}

/* Golden: an alias must be the same in every release, for a drive half made by an older one. */
static void test_alias(void **state)
{
	(void)state;
	expect_alias("a", "a~248ff1ac");
	expect_alias("a:b?.txt", "a_b_.txt~07ad5f6b");
	expect_alias("caf\xe9", "caf_~8772587c");
	expect_alias("con.txt", "_con.txt~8251e1ed");
	expect_alias("...", "...~be8dd0b9");
}

static void test_alias_depends_on_seed(void **state)
{
	_cleanup_free_ char *one = alias_of("x", 1, 255), *two = alias_of("x", 2, 255);
	_cleanup_free_ char *again = alias_of("x", 1, 255);

	(void)state;
	assert_string_not_equal(one, two);
	assert_string_equal(one, again);
}

static void test_alias_is_cut(void **state)
{
	_cleanup_free_ char *alias = NULL, *wide = NULL, *device = NULL;
	char name[1200];

	(void)state;
	memset(name, 'n', 300);
	name[300] = '\0';
	alias = alias_of(name, 0, DRIVENAME_MAX_UNITS);
	assert_int_equal(strlen(alias), 255);
	/* Never in the middle of a character: 15 characters of two units and the hash. */
	for (int i = 0; i < 200; i++)
		memcpy(name + 4 * i, "\xf0\x9f\x92\xbe", 4);
	name[800] = '\0';
	wide = alias_of(name, 0, 40);
	assert_int_equal(utf16_units(wide, strlen(wide)), 39);
	memcpy(name, "con.", 4);
	memset(name + 4, 'x', 300);
	name[304] = '\0';
	device = alias_of(name, 0, 32);
	assert_int_equal(strlen(device), 32);
}

static uint64_t key(uint32_t dir, const char *name)
{
	uint64_t ret;

	assert_int_equal(drivename_key(dir, name, &ret), 0);
	return ret;
}

static void test_key(void **state)
{
	(void)state;
	assert_int_equal(key(1, "Readme.TXT"), key(1, "README.txt"));
	assert_int_equal(key(1, "\xc3\x89t\xc3\xa9"), key(1, "\xc3\xa9T\xc3\x89"));
	/* KELVIN SIGN and LATIN SMALL LETTER LONG S: not ASCII, but their other case is. */
	assert_int_equal(key(1, "\xe2\x84\xaa"), key(1, "k"));
	assert_int_equal(key(1, "\xc5\xbf"), key(1, "S"));
	assert_int_not_equal(key(1, "a"), key(2, "a"));
	assert_int_not_equal(key(1, "a"), key(1, "b"));
	assert_int_not_equal(key(1, "[\\"), key(1, "{|"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_alias_depends_on_seed),
		cmocka_unit_test(test_alias_is_cut),
		cmocka_unit_test(test_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
