/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups of a thread: those that getgroups(2) tells of this one, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/groups.h"

static void test_own_groups(void **state)
{
	gid_t groups[256], absent = 0x7ffffff0;
	int n = getgroups(256, groups);

	(void)state;
	assert_true(n >= 0);
	for (int i = 0; i < n; i++)
		assert_true(groups_have(gettid(), groups[i]));
	assert_false(groups_have(gettid(), absent));
}

static void test_no_such_thread(void **state)
{
	(void)state;
	assert_false(groups_have(0x3fffffff, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_groups),
		cmocka_unit_test(test_no_such_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
