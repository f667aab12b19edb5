/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One record of a journal: what goes in comes out, and what cannot is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/ext/secret.h"
#include "exporter/journal/record.h"
#include "tests/lib/expect.h"

/* 2016-11-02 18:24:14.735 UTC */
#define T0 UINT64_C(1478111054735000000)

static void expect_round_trip(const char *value)
{
	struct record record = {.time_ns = T0, .type = "T"}, seen;
	_cleanup_secret_ char *text = NULL;
	struct err e = {0};
	unsigned lines;
	size_t n, used;

	record_add(&record, "K1", value);
	record_add(&record, "K2", "after");
	expect_ok(record_encode(&record, &text, &n, &e), &e);
	assert_int_equal(strlen(text), n);
	assert_int_equal(record_decode(text, n, &seen, &used, &lines), 0);
	assert_int_equal(used, n);
	assert_int_equal(seen.time_ns, T0);
	assert_string_equal(seen.type, "T");
	assert_int_equal(seen.n_fields, 2);
	assert_string_equal(record_get(&seen, "K1"), value);
	assert_string_equal(record_get(&seen, "K2"), "after");
	assert_null(record_get(&seen, "K3"));
}

static void test_round_trips(void **state)
{
	(void)state;
	expect_round_trip("");
	expect_round_trip(" two  blanks ");
	expect_round_trip("a: b: [c]\t");
	expect_round_trip("[BeginValue]");
	expect_round_trip("\n");
	expect_round_trip("one\ntwo\n\nfour\n");
	expect_round_trip("a\n[EndUpdateRecord] \n[BeginUpdateRecord]\n[BeginValue]");
	expect_round_trip("Grüße");
}

static void test_values_without_a_text_form(void **state)
{
	static const char *const refused[] = {"a\rb", "a\001", "x\n[EndValue]", "[EndValue]",
					      "[EndUpdateRecord]\ny"};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct record record = {.type = "T"};
		char *text = NULL;
		size_t n;

		record_add(&record, "K", refused[i]);
		assert_int_equal(record_encode(&record, &text, &n, &e), -EINVAL);
		assert_null(text);
	}
}

static int decode(const char *text, unsigned *ret_lines)
{
	_cleanup_free_ char *copy = strdup(text);
	struct record record;
	size_t used;

	return record_decode(copy, strlen(copy), &record, &used, ret_lines);
}

static void test_what_is_no_record(void **state)
{
	unsigned lines;

	(void)state;
	assert_int_equal(decode("", &lines), -ENODATA);
	assert_int_equal(decode("\n\r\n", &lines), -ENODATA);
	assert_int_equal(decode("[Begin", &lines), -ENODATA);
	assert_int_equal(decode("[Begun", &lines), -EBADMSG);
	assert_int_equal(decode("\n\nx", &lines), -EBADMSG);
	assert_int_equal(lines, 3);
	assert_int_equal(decode("[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:]\n", &lines),
			 -EBADMSG);
	assert_int_equal(decode("[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:A] \n", &lines),
			 -EBADMSG);
	assert_int_equal(decode("[BeginUpdateRecord][1916/11/02 18:24:14.735][Type:A]\n", &lines),
			 -EBADMSG);
	assert_int_equal(decode("[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:A]\n", &lines),
			 -ENODATA);
	assert_int_equal(
		decode("[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:A]\n: v\n", &lines),
		-EBADMSG);
	assert_int_equal(lines, 2);
	assert_int_equal(decode("[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:A]\n"
				"[EndUpdateRecord]",
				&lines),
			 0);
	assert_int_equal(lines, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_values_without_a_text_form),
		cmocka_unit_test(test_what_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
