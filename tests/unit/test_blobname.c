/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blob names from staged paths, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/ext/utf16.h"
#include "exporter/plan/blobname.h"

static void expect(const char *path, const char *name, const char *why)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT, back = BUF_INIT;
	char reason[BLOBNAME_REASON_BYTES];
	enum blobname_outcome outcome;

	assert_int_equal(blobname_from_path(path, "", &out, &outcome, reason), 0);
	assert_string_equal(buf_text(&out), name);
	assert_string_equal(reason, why);
	assert_int_equal(outcome, why[0] ? BLOBNAME_ENCODED : BLOBNAME_SAME);
	assert_true(utf8_valid(buf_text(&out), out.len_bytes));
	assert_int_equal(blobname_to_path(name, &back), 0);
	assert_string_equal(buf_text(&back), path);
}

static void test_names_that_stay(void **state)
{
	(void)state;
	expect("a", "a", "");
	expect("a/b/c.vhd", "a/b/c.vhd", "");
	expect(".hidden/..x/a.b.c", ".hidden/..x/a.b.c", "");
	expect("100%", "100%", "");
	expect("100%25.txt", "100%25.txt", "");
	expect("a%20b", "a%20b", "");
	expect("%2E%2E", "%2E%2E", "");
	expect("%e9", "%e9", "");
	expect("%00", "%00", "");
	expect("a%2Fb", "a%2Fb", "");
	expect("Gr\xc3\xb6\xc3\x9f"
	       "e \xe2\x82\xac \xf0\x9f\x92\xbe",
	       "Größe € \xf0\x9f\x92\xbe", "");
	expect("a b?c#d:e*f|g\"h<i>j", "a b?c#d:e*f|g\"h<i>j", "");
}

static void test_names_that_are_encoded(void **state)
{
	(void)state;
	expect("caf\xe9", "caf%E9", "blob name: byte 0xE9 is not UTF-8, encoded as %E9");
	expect("d\xe9/caf\xe9/x%", "d%E9/caf%E9/x%",
	       "blob name: byte 0xE9 is not UTF-8, encoded as %E9");
	expect("50%\xff", "50%25%FF", "blob name: byte 0xFF is not UTF-8, encoded as %FF");
	expect("a\nb", "a%0Ab", "blob name: character U+000A is not allowed, encoded as %0A");
	expect("a\x7f", "a%7F", "blob name: character U+007F is not allowed, encoded as %7F");
	expect("\xc2\x81", "%C2%81",
	       "blob name: character U+0081 is not allowed, encoded as %C2%81");
	expect("a\\b", "a%5Cb", "blob name: character U+005C is not allowed, encoded as %5C");
	expect("\xee\x80\x80", "%EE%80%80",
	       "blob name: character U+E000 is not allowed, encoded as %EE%80%80");
	expect("\xef\xbf\xbf", "%EF%BF%BF",
	       "blob name: character U+FFFF is not allowed, encoded as %EF%BF%BF");
	expect("\xf4\x8f\xbf\xbd", "%F4%8F%BF%BD",
	       "blob name: character U+10FFFD is not allowed, encoded as %F4%8F%BF%BD");
	expect("dir./b", "dir%2E/b",
	       "blob name: a path segment must not end in '.', encoded as %2E");
	expect("...", "..%2E", "blob name: a path segment must not end in '.', encoded as %2E");
	/* Surrogates and overlong forms are not UTF-8, byte by byte. */
	expect("\xed\xa0\x80", "%ED%A0%80", "blob name: byte 0xED is not UTF-8, encoded as %ED");
	expect("\xc0\xaf", "%C0%AF", "blob name: byte 0xC0 is not UTF-8, encoded as %C0");
}

static void test_names_that_look_encoded(void **state)
{
	static const char why[] = "blob name: looks like an encoded name, so '%' is encoded as %25";

	(void)state;
	expect("caf%E9", "caf%25E9", why);
	expect("caf%25E9", "caf%2525E9", why);
	expect("caf%2525E9", "caf%252525E9", why);
	expect("a%2E", "a%252E", why);
	/* Not what the encoding would write, so they stay. */
	expect("a%2Eb", "a%2Eb", "");
	expect("caf%e9", "caf%e9", "");
	expect("caf%E9%20", "caf%E9%20", "");
}

/* Every string of up to five of these pieces: names must differ, be valid, and lead back. */
static const char *const pieces[] = {"%", "2", "5", "E", ".", "\xe9", "%25", "%2E", "%E9", "a"};

static void make_path(unsigned number, char out[32])
{
	out[0] = '\0';
	for (int i = 0; i < 5; i++) {
		unsigned digit = number % (ARRAY_SIZE(pieces) + 1);

		if (digit)
			strcat(out, pieces[digit - 1]);
		number /= ARRAY_SIZE(pieces) + 1;
	}
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct pair {
	char *name;
	char *path;
};

static void test_no_two_paths_share_a_name(void **state)
{
	const unsigned count = 11 * 11 * 11 * 11 * 11;
	struct pair *pairs = calloc(count, sizeof(*pairs));

	(void)state;
	assert_non_null(pairs);
	for (unsigned i = 1; i < count; i++) {
		_cleanup_(buf_done) struct buf out = BUF_INIT, back = BUF_INIT;
		char path[32];

		make_path(i, path);
		(void)blobname_component(path, strlen(path), &out, NULL);
		assert_false(blobname_to_path(buf_text(&out), &back));
		if (strcmp(buf_text(&back), path) != 0)
			fail_msg("'%s' -> '%s' -> '%s'", path, buf_text(&out), buf_text(&back));
		pairs[i] = (struct pair){buf_take_text(&out), strdup(path)};
		assert_non_null(pairs[i].name);
		assert_non_null(pairs[i].path);
	}
	qsort(pairs + 1, count - 1, sizeof(*pairs), compare_texts);
	for (unsigned i = 2; i < count; i++) {
		if (strcmp(pairs[i - 1].name, pairs[i].name) == 0)
			assert_string_equal(pairs[i - 1].path, pairs[i].path);
	}
	for (unsigned i = 1; i < count; i++) {
		free(pairs[i].name);
		free(pairs[i].path);
	}
	free(pairs);
}

static void test_every_byte(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		_cleanup_(buf_done) struct buf out = BUF_INIT;
		char path[] = {'a', (char)byte, 'b', '\0'}, code[16];
		bool kept = byte >= 0x20 && byte < 0x7f && byte != '\\';

		(void)snprintf(code, sizeof(code), "a%%%02Xb", (unsigned)byte);
		(void)blobname_component(path, 3, &out, NULL);
		assert_string_equal(buf_text(&out), kept ? path : code);
	}
}

static void test_sizes(void **state)
{
	char reason[BLOBNAME_REASON_BYTES], path[2048];
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	enum blobname_outcome outcome;

	(void)state;
	memset(path, 'a', 1024);
	path[1024] = '\0';
	assert_int_equal(blobname_from_path(path, "", &out, &outcome, reason), 0);
	assert_int_equal(outcome, BLOBNAME_SAME);
	buf_reset(&out);
	assert_int_equal(blobname_from_path(path, "p", &out, &outcome, reason), 0);
	assert_int_equal(outcome, BLOBNAME_REFUSED);
	assert_string_equal(reason, "blob name: 1026 characters, at most 1024 are allowed");
	/* A character beyond U+FFFF counts twice: 512 of them are just right. */
	path[0] = '\0';
	for (int i = 0; i < 512; i++)
		memcpy(path + 4 * i, "\xf0\x9f\x92\xbe", 4);
	assert_int_equal(blobname_check_size(utf16_units(path, 2048), 1, reason), BLOBNAME_SAME);
	/* Encoding makes it longer. */
	memset(path, '\xff', 342);
	path[342] = '\0';
	buf_reset(&out);
	assert_int_equal(blobname_from_path(path, "", &out, &outcome, reason), 0);
	assert_string_equal(reason, "blob name: 1026 characters, at most 1024 are allowed");
}

static void test_segments(void **state)
{
	char reason[BLOBNAME_REASON_BYTES], path[600];
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	enum blobname_outcome outcome;

	(void)state;
	for (int i = 0; i < 254; i++)
		memcpy(path + 2 * i, "a/", 2);
	path[507] = '\0';
	assert_int_equal(blobname_from_path(path, "", &out, &outcome, reason), 0);
	assert_int_equal(outcome, BLOBNAME_SAME);
	buf_reset(&out);
	assert_int_equal(blobname_from_path(path, "p/q", &out, &outcome, reason), 0);
	assert_int_equal(outcome, BLOBNAME_REFUSED);
	assert_string_equal(reason, "blob name: 256 path segments, at most 254 are allowed");
}

static void test_prefix(void **state)
{
	char reason[BLOBNAME_REASON_BYTES];
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	enum blobname_outcome outcome;

	(void)state;
	assert_int_equal(blobname_from_path("a/b", "x/y", &out, &outcome, reason), 0);
	assert_string_equal(buf_text(&out), "x/y/a/b");
	assert_int_equal(outcome, BLOBNAME_SAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_that_stay),
		cmocka_unit_test(test_names_that_are_encoded),
		cmocka_unit_test(test_names_that_look_encoded),
		cmocka_unit_test(test_no_two_paths_share_a_name),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
