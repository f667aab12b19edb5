/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ACLs against acl(5): which mode they make, what chmod does to them, what a new file inherits. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/le.h"
#include "fs/acl.h"

#define N_MAX 8

struct built {
	uint8_t bytes[4 + N_MAX * 8];
	size_t len;
};

/* From triples of tag, permissions, id; a tag of 0 ends them. */
static struct built build(const unsigned *entries)
{
	struct built a = {.len = 4};

	le32_store(a.bytes, 2);
	for (; entries[0]; entries += 3, a.len += 8) {
		le16_store(a.bytes + a.len, (uint16_t)entries[0]);
		le16_store(a.bytes + a.len + 2, (uint16_t)entries[1]);
		le32_store(a.bytes + a.len + 4, entries[2]);
	}
	return a;
}

#define ACL(...)      build((const unsigned[]){__VA_ARGS__, 0})
#define NONE	      UINT32_MAX
#define MINIMAL	      ACL(1, 7, NONE, 4, 5, NONE, 32, 4, NONE)
#define WITH_USER     ACL(1, 7, NONE, 2, 6, 1000, 4, 5, NONE, 16, 7, NONE, 32, 4, NONE)
#define permission(n) le16_load(a.bytes + 4 + (n)*8 + 2)

static void test_valid(void **state)
{
	struct built a = WITH_USER;

	(void)state;
	assert_true(acl_valid(a.bytes, a.len));
	for (size_t n = 0; n < a.len; n++)
		assert_false(acl_valid(a.bytes, n)); /* OTHER comes last */
	a.bytes[0] = 3;
	assert_false(acl_valid(a.bytes, a.len));
	a = ACL(1, 7, NONE, 3, 7, NONE, 4, 7, NONE, 32, 7, NONE);
	assert_false(acl_valid(a.bytes, a.len));
	a = ACL(1, 7, NONE, 64, 7, NONE, 4, 7, NONE, 32, 7, NONE);
	assert_false(acl_valid(a.bytes, a.len));
	a = ACL(1, 7, NONE, 32, 7, NONE);
	assert_false(acl_valid(a.bytes, a.len));
}

static void test_mode(void **state)
{
	struct built a = MINIMAL;
	uint32_t mode = 0102011;

	(void)state;
	assert_true(acl_to_mode(a.bytes, a.len, &mode));
	assert_int_equal(mode, 0102754);
	a = WITH_USER; /* the group's digit is the mask */
	assert_false(acl_to_mode(a.bytes, a.len, &mode));
	assert_int_equal(mode, 0102774);
}

static void test_chmod(void **state)
{
	struct built a = WITH_USER;

	(void)state;
	acl_set_mode(a.bytes, a.len, 0100421);
	assert_int_equal(permission(0), 4);
	assert_int_equal(permission(1), 6); /* named entries stay */
	assert_int_equal(permission(2), 5);
	assert_int_equal(permission(3), 2); /* the mask */
	assert_int_equal(permission(4), 1);
}

static void test_inherit(void **state)
{
	struct built a = WITH_USER;
	uint32_t mode = 0100660;

	(void)state;
	assert_false(acl_inherit(a.bytes, a.len, &mode));
	assert_int_equal(mode, 0100660);
	assert_int_equal(permission(0), 6);
	assert_int_equal(permission(1), 6);
	assert_int_equal(permission(2), 5);
	assert_int_equal(permission(3), 6);
	assert_int_equal(permission(4), 0);
	a = MINIMAL;
	mode = 0100666;
	assert_true(acl_inherit(a.bytes, a.len, &mode));
	assert_int_equal(mode, 0100644);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_chmod),
		cmocka_unit_test(test_inherit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
