/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct hashmap against a plain array: many adds and removals, in tables that grow, shrink and collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hashmap.h"

#define KEYS 5000

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void check_all(struct hashmap *m, const uint64_t *want)
{
	size_t n = 0;

	for (uint64_t key = 1; key < KEYS; key++) {
		const uint64_t *value = hashmap_find(m, key * 3);

		assert_true(!value == !want[key]);
		if (value)
			assert_int_equal(*value, want[key]);
		n += value != NULL;
	}
	assert_int_equal(m->count, n);
}

static void test_like_an_array(void **state)
{
	static uint64_t want[KEYS];
	struct hashmap m = {0};
	uint32_t seed = 1;
	size_t largest = 0;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		/* Rounds that mostly add, then rounds that mostly remove. */
		unsigned adds = round % 10 < 5 ? 90 : 10;

		for (unsigned i = 0; i < 20000; i++) {
			uint64_t key = 1 + next_random(&seed) % (KEYS - 1);
			bool added;

			if (next_random(&seed) % 100 < adds) {
				assert_int_equal(hashmap_add(&m, key * 3, i + 1, &added), 0);
				assert_true(added == !want[key]);
				if (added)
					want[key] = i + 1;
			} else {
				hashmap_remove(&m, key * 3);
				want[key] = 0;
			}
		}
		largest = m.capacity > largest ? m.capacity : largest;
		check_all(&m, want);
	}
	for (uint64_t key = 1; key < KEYS; key++)
		hashmap_remove(&m, key * 3);
	assert_int_equal(m.count, 0);
	assert_true(m.capacity < largest);
	hashmap_done(&m);
}

static void test_empty(void **state)
{
	struct hashmap m = {0};

	(void)state;
	assert_null(hashmap_find(&m, 1));
	hashmap_remove(&m, 1);
	hashmap_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_an_array),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
