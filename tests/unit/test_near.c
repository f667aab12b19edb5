/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Serving near the asker: bound after a streak, free again when requests are long or come from others. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/near.h"

#define STREAK 100

static int count_processors(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	return CPU_COUNT(&set);
}

static void begin(struct near *n)
{
	cpu_set_t allowed;

	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	near_init(n, &allowed);
}

static void note_many(struct near *n, pid_t tid, bool is_short)
{
	for (int i = 0; i < STREAK; i++)
		near_note(n, tid, is_short);
}

static void test_bound_and_free(void **state)
{
	int all = count_processors();
	struct near n;

	(void)state;
	begin(&n);
	note_many(&n, gettid(), true);
	assert_int_equal(count_processors(), 1);
	near_note(&n, 0, true); /* nobody waits for it: says nothing */
	assert_int_equal(count_processors(), 1);
	near_note(&n, gettid(), false);
	assert_int_equal(count_processors(), all);
	note_many(&n, gettid(), true);
	assert_int_equal(count_processors(), 1);
	near_note(&n, getppid(), true);
	assert_int_equal(count_processors(), all);
	note_many(&n, gettid(), true);
	near_forget(&n);
	assert_int_equal(count_processors(), all);
}

static void test_long_requests_and_strangers(void **state)
{
	int all = count_processors();
	struct near n;

	(void)state;
	begin(&n);
	note_many(&n, gettid(), false);
	assert_int_equal(count_processors(), all);
	note_many(&n, 0x3fffffff, true); /* no such thread */
	assert_int_equal(count_processors(), all);
	for (int i = 0; i < STREAK; i++)
		near_note(&n, i % 2 ? gettid() : getppid(), true);
	assert_int_equal(count_processors(), all);
	near_forget(&n);
}

/* A thread that was made by a bound one is not bound. */
static void test_free_from_the_start(void **state)
{
	int all = count_processors();
	struct near maker, made;
	cpu_set_t allowed;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	near_init(&maker, &allowed);
	note_many(&maker, gettid(), true);
	assert_int_equal(count_processors(), 1);
	near_init(&made, &allowed);
	assert_int_equal(count_processors(), all);
}

/* Where an administrator wants it to stay, it stays. */
static void test_never_beyond_what_is_allowed(void **state)
{
	cpu_set_t all, one, now;
	int first = 0;
	struct near n;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(first, &all))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	begin(&n);
	note_many(&n, gettid(), true);
	near_forget(&n);
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_true(CPU_EQUAL(&now, &one));
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound_and_free),
		cmocka_unit_test(test_long_requests_and_strangers),
		cmocka_unit_test(test_free_from_the_start),
		cmocka_unit_test(test_never_beyond_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
