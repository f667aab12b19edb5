/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ordered pool: results in the order of the work, backpressure, the serial twin, closing. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/base/pool.h"

#define ITEMS 5000

struct item {
	unsigned n;
	unsigned result;
};

static void square(void *arg, void *state _unused_)
{
	struct item *item = arg;

	if (item->n % 97 == 0)
		(void)usleep(300); /* some are slow, so that others overtake them */
	item->result = item->n * item->n;
}

static struct pool *make_pool(unsigned n_workers, size_t depth)
{
	struct pool_desc desc = {
		.name = "test", .n_workers = n_workers, .depth = depth, .work = square};
	struct pool *p = NULL;

	assert_int_equal(pool_new(&desc, &p, NULL), 0);
	return p;
}

static struct item items[ITEMS];

static void *feed(void *arg)
{
	struct pool *p = arg;

	for (unsigned i = 0; i < ITEMS; i++) {
		items[i] = (struct item){.n = i};
		/* Every third needs no work and must still come in its turn. */
		if ((i % 3 ? pool_submit(p, &items[i], 1) : pool_submit_ready(p, &items[i], 1)) < 0)
			abort();
	}
	pool_close(p);
	return NULL;
}

static void run_ordered(unsigned n_workers, size_t depth)
{
	struct pool *p = make_pool(n_workers, depth);
	pthread_t feeder;
	unsigned n = 0;
	void *item;

	assert_int_equal(pthread_create(&feeder, NULL, feed, p), 0);
	while (pool_next(p, &item)) {
		struct item *it = item;

		assert_int_equal(it->n, n);
		assert_int_equal(it->result, n % 3 ? n * n : 0);
		n++;
	}
	assert_int_equal(n, ITEMS);
	assert_int_equal(pthread_join(feeder, NULL), 0);
	pool_free(p);
}

static void test_order(void **state _unused_)
{
	run_ordered(4, 16);
	run_ordered(1, 1);
}

static void test_serial_twin(void **state _unused_)
{
	run_ordered(0, 16);
}

static void test_deadline(void **state _unused_)
{
	struct pool *p = make_pool(1, 4);
	void *item = &items[0];

	assert_true(pool_next_until(p, 0, &item));
	assert_null(item);
	assert_true(pool_next_until(p, clock_monotonic_ns() + 1000000, &item));
	assert_null(item);
	pool_close(p);
	assert_false(pool_next(p, &item));
	assert_int_equal(pool_submit(p, &items[0], 1), -ECANCELED);
	pool_free(p);
}

/* A taker that lets items gather still gets every one, in order and without anybody hurrying it. */
static void *feed_slowly(void *arg)
{
	struct pool *p = arg;

	for (unsigned i = 0; i < 200; i++) {
		items[i] = (struct item){.n = i};
		if ((i % 3 ? pool_submit(p, &items[i], i % 7)
			   : pool_submit_ready(p, &items[i], 1)) < 0)
			abort();
		if (i % 20 == 0)
			(void)usleep(5000);
	}
	return NULL;
}

static void test_gathering(void **state _unused_)
{
	struct pool_desc desc = {.name = "test",
				 .n_workers = 2,
				 .depth = 64,
				 .small_cost = 3,
				 .gather_ms = 2,
				 .work = square};
	struct pool *p = NULL;
	pthread_t feeder;
	void *item;

	assert_int_equal(pool_new(&desc, &p, NULL), 0);
	assert_int_equal(pthread_create(&feeder, NULL, feed_slowly, p), 0);
	for (unsigned n = 0; n < 200; n++) {
		assert_true(pool_next(p, &item));
		assert_int_equal(((struct item *)item)->n, n);
		assert_int_equal(((struct item *)item)->result, n % 3 ? n * n : 0);
	}
	assert_int_equal(pthread_join(feeder, NULL), 0);
	pool_free(p);
}

/* Without a hurry the taker waits for more; with one it does not. */
static void test_hurry(void **state _unused_)
{
	struct pool_desc desc = {
		.name = "test", .n_workers = 0, .depth = 64, .gather_ms = 3600000, .work = square};
	struct pool *p = NULL;
	void *item;

	assert_int_equal(pool_new(&desc, &p, NULL), 0);
	assert_int_equal(pool_submit(p, &items[0], 1), 0);
	pool_hurry(p);
	assert_true(pool_next(p, &item));
	assert_ptr_equal(item, &items[0]);
	pool_free(p);
}

static void test_in_flight(void **state _unused_)
{
	struct pool *p = make_pool(0, 4);
	void *item;

	assert_int_equal(pool_submit(p, &items[0], 1), 0);
	assert_int_equal(pool_submit_ready(p, &items[1], 1), 0);
	assert_int_equal(pool_in_flight(p), 2);
	assert_true(pool_next(p, &item));
	assert_ptr_equal(item, &items[0]);
	assert_int_equal(pool_in_flight(p), 1);
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	  cmocka_unit_test(test_serial_twin),
		cmocka_unit_test(test_deadline),  cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_gathering), cmocka_unit_test(test_hurry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
