/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan is stored in: the hash map, the set of names, the sequence of records. */
#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hashmap.h"
#include "exporter/plan/nameset.h"
#include "exporter/plan/records.h"

static void test_map_of_values(void **state)
{
	struct hashmap m = {0};
	const uint64_t n = 20000;
	bool added;

	(void)state;
	assert_null(hashmap_find(&m, 7));
	for (uint64_t i = 1; i <= n; i++) {
		assert_int_equal(hashmap_add(&m, i * 3, i, &added), 0);
		assert_true(added);
	}
	assert_int_equal(m.count, n);
	for (uint64_t i = 1; i <= n; i++) {
		assert_int_equal(*hashmap_find(&m, i * 3), i);
		assert_null(hashmap_find(&m, i * 3 + 1));
	}
	/* A key that is there keeps its value. */
	assert_int_equal(hashmap_add(&m, 3, 99, &added), 0);
	assert_false(added);
	assert_int_equal(*hashmap_find(&m, 3), 1);
	*hashmap_find(&m, 3) = 99;
	assert_int_equal(*hashmap_find(&m, 3), 99);
	hashmap_done(&m);
	assert_null(hashmap_find(&m, 3));
}

static void test_keys_at_the_ends(void **state)
{
	struct hashmap m = {0};
	bool added;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		assert_int_equal(hashmap_add(&m, UINT64_MAX - i, i, &added), 0);
		assert_true(added);
	}
	assert_int_equal(*hashmap_find(&m, UINT64_MAX - 999), 999);
	assert_null(hashmap_find(&m, 5));
	/* Keys 0 and 1 are one. */
	assert_int_equal(hashmap_add(&m, 0, 7, &added), 0);
	assert_true(added);
	assert_int_equal(hashmap_add(&m, 1, 8, &added), 0);
	assert_false(added);
	assert_int_equal(*hashmap_find(&m, 0), 7);
	hashmap_done(&m);
}

static void test_set_of_names(void **state)
{
	struct nameset s = {0};
	size_t room = 0;

	(void)state;
	assert_true(nameset_is_full(&s));
	for (int round = 0; round < 4; round++) {
		size_t n = 0;

		assert_int_equal(nameset_enlarge(&s), 0);
		assert_int_equal(s.count, 0);
		for (; !nameset_is_full(&s); n++)
			assert_true(nameset_add(&s, hash_mix(n)));
		assert_true(n > room);
		room = n;
		/* All are there; what has other lower bits is another one. */
		for (size_t i = 0; i < n; i++)
			assert_false(nameset_add(&s, hash_mix(i)));
		assert_int_equal(s.count, n);
	}
	nameset_done(&s);
	assert_true(nameset_is_full(&s));
}

/* Hashes that all belong at the end of the table go on at its beginning. */
static void test_set_wraps_around(void **state)
{
	struct nameset s = {0};

	(void)state;
	assert_int_equal(nameset_enlarge(&s), 0);
	for (uint64_t i = 0; i < 100; i++)
		assert_true(nameset_add(&s, UINT64_MAX - i));
	for (uint64_t i = 0; i < 100; i++)
		assert_false(nameset_add(&s, UINT64_MAX - i));
	assert_true(nameset_add(&s, 5));
	/* Tag 0 means free, so it is kept as 1. */
	assert_true(nameset_add(&s, UINT64_C(0xfff) << 52));
	assert_false(nameset_add(&s, UINT64_C(0xfff) << 52));
	nameset_done(&s);
}

/* Record i is i bytes (1 to 300) of i; so they straddle every place a segment may end. */
static size_t make_record(uint64_t i, uint8_t out[300])
{
	size_t len = i % 300 + 1;

	memset(out, (int)i, len);
	out[0] = (uint8_t)(i >> 8);
	return len;
}

static void test_records(void **state)
{
	struct records r = {0};
	const uint64_t n = 10000;
	const uint8_t *first = NULL;
	uint8_t want[300];

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		size_t len = make_record(i, want);

		assert_int_equal(records_append(&r, want, len, i == 0 ? &first : NULL), 0);
	}
	assert_int_equal(r.count, n);
	assert_true(r.n_segments > 4);
	for (uint64_t i = 0; i < n; i++) {
		size_t len = make_record(i, want);

		assert_memory_equal(records_get(&r, i), want, len);
	}
	/* Records do not move. */
	assert_ptr_equal(records_get(&r, 0), first);
	records_done(&r);
	assert_int_equal(r.count, 0);
}

static void test_record_sizes(void **state)
{
	static uint8_t data[RECORDS_MAX_BYTES + 1];
	struct records r = {0};

	(void)state;
	assert_int_equal(records_append(&r, data, 0, NULL), -EOVERFLOW);
	assert_int_equal(records_append(&r, data, sizeof(data), NULL), -EOVERFLOW);
	assert_int_equal(r.count, 0);
	/* 16 of them fill a segment but for the prefixes, so the last one is in the next. */
	for (int i = 0; i < 40; i++) {
		memset(data, i, sizeof(data));
		assert_int_equal(records_append(&r, data, RECORDS_MAX_BYTES, NULL), 0);
	}
	for (int i = 0; i < 40; i++) {
		assert_int_equal(records_get(&r, (uint64_t)i)[0], i);
		assert_int_equal(records_get(&r, (uint64_t)i)[RECORDS_MAX_BYTES - 1], i);
	}
	records_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_of_values), cmocka_unit_test(test_keys_at_the_ends),
		cmocka_unit_test(test_set_of_names),  cmocka_unit_test(test_set_wraps_around),
		cmocka_unit_test(test_records),	      cmocka_unit_test(test_record_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
