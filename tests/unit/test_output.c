/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One result, two forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/cli/output.h"
#include "common/ext/json.h"

static void fill(struct output *o)
{
	output_text(o, "name", "nightly");
	output_text(o, "blob_prefix", NULL);
	output_bool(o, "ready", true);
	output_time(o, "created", UINT64_C(1795316400) * 1000000000);
	output_time(o, "shipped", 0);
	output_open_group(o, "return_address");
	output_text(o, "city", "Köln");
	output_text(o, "postal_code", "1");
	output_close(o);
	output_open_table(o, "drives");
	output_open_row(o);
	output_text(o, "drive_id", "Ö1");
	output_size(o, "size_bytes", UINT64_C(3) << 30);
	output_number(o, "files", 7);
	output_percent(o, "percent", 1, 3);
	output_close(o);
	output_open_row(o);
	output_text(o, "drive_id", "WX12A");
	output_size(o, "size_bytes", 5);
	output_number(o, "files", 1234);
	output_percent(o, "percent", 3, 3);
	output_close(o);
	output_close(o);
	output_open_table(o, "none");
	output_close(o);
}

static char *print(const struct output *o, bool json)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	struct err e;

	assert_int_equal(output_print(o, json, out, &e), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_text(void **state)
{
	static const char want[] = "Name:         nightly\n"
				   "Blob prefix:  -\n"
				   "Ready:        yes\n"
				   "Created:      2026-11-22T03:00:00Z\n"
				   "Shipped:      -\n"
				   "\n"
				   "Return address:\n"
				   "  City:         Köln\n"
				   "  Postal code:  1\n"
				   "\n"
				   "Drives:\n"
				   "  DRIVE ID      SIZE  FILES  PERCENT\n"
				   "  Ö1        3.00 GiB      7     33 %\n"
				   "  WX12A          5 B   1234    100 %\n"
				   "\n"
				   "None:\n"
				   "  (none)\n";
	_cleanup_(output_freep) struct output *o = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(output_new("test.thing/1", &o, NULL), 0);
	fill(o);
	text = print(o, false);
	assert_string_equal(text, want);
}

static void test_json(void **state)
{
	_cleanup_(output_freep) struct output *o = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *root = NULL;
	const char *schema, *name, *created, *city, *id;
	json_int_t size, files, percent;
	int ready;

	(void)state;
	assert_int_equal(output_new("test.thing/1", &o, NULL), 0);
	fill(o);
	text = print(o, true);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_int_equal(
		json_unpack(
			root,
			"{s:s, s:s, s:n, s:b, s:s, s:n, s:{s:s, s:s}, s:[{s:s, s:I, s:I, s:I}, o],"
			" s:[!] !}",
			"schema", &schema, "name", &name, "blob_prefix", "ready", &ready, "created",
			&created, "shipped", "return_address", "city", &city, "postal_code", &id,
			"drives", "drive_id", &id, "size_bytes", &size, "files", &files, "percent",
			&percent, &(json_t *){NULL}, "none"),
		0);
	assert_string_equal(schema, "test.thing/1");
	assert_string_equal(name, "nightly");
	assert_string_equal(created, "2026-11-22T03:00:00Z");
	assert_string_equal(city, "Köln");
	assert_true(ready);
	assert_int_equal(size, INT64_C(3) << 30);
	assert_int_equal(files, 7);
	assert_int_equal(percent, 33);
	/* The schema comes first: a reader that streams knows what follows. */
	assert_int_equal(strncmp(text, "{\n  \"schema\": ", 14), 0);
}

static void test_lone_table(void **state)
{
	_cleanup_(output_freep) struct output *o = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(output_new("test.list/1", &o, NULL), 0);
	output_open_table(o, "jobs");
	output_open_row(o);
	output_text(o, "name", "a");
	output_close(o);
	output_close(o);
	text = print(o, false);
	assert_string_equal(text, "NAME\na\n");
}

/* File names are bytes: nothing in them may steer a terminal or break the JSON. */
static void test_hostile_text(void **state)
{
	_cleanup_(output_freep) struct output *o = NULL;
	_cleanup_free_ char *text = NULL, *json = NULL;
	_cleanup_json_ json_t *root = NULL;

	(void)state;
	assert_int_equal(output_new("test.name/1", &o, NULL), 0);
	output_text(o, "path", "a\033[2J\n\xff\xc2\x9b\xc3\xa9");
	text = print(o, false);
	assert_string_equal(text, "Path:  a\\x1B[2J\\x0A\\xFF\\xC2\\x9Bé\n");
	json = print(o, true);
	root = json_loads(json, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(root, "path")),
			    "a\033[2J\n\\xFF\xc2\x9b\xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_lone_table),
		cmocka_unit_test(test_hostile_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
