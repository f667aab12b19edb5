/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the stage makes of rarely used names, files without one, attributes and times at the edges. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "fs/acl.h"
#include "fs/stage_priv.h"
#include "tests/unit/stage_fixture.h"

struct fixture {
	char dir[64];
	struct stage *stage;
};

static const struct stage_caller user = {.uid = 1000, .gid = 1000, .umask = 022};

static void open_stage(struct fixture *f)
{
	struct store_options so = {.create = true};
	struct stage_options options = {
		.writer = {.n_workers = 1, .queue_depth = 16, .commit_ms = 1000},
		.dirty_age_ms = 1000,
		.memory_bytes = 64 << 20,
	};

	f->stage = make_stage(f->dir, &so, &options);
}

static void reopen(struct fixture *f)
{
	assert_int_equal(stage_close(f->stage, NULL), 0);
	open_stage(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_stage_names.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	open_stage(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	(void)stage_close(f->stage, NULL);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* Where memory believes an inode to stand. */
static void expect_path(struct stage *s, uint64_t ino, const char *path)
{
	_cleanup_free_ char *found = stage_path(s, ino);

	assert_non_null(found);
	assert_string_equal(found, path);
}

static void test_dots(void **state)
{
	struct stage *s = ((struct fixture *)*state)->stage;
	struct stat outer, inner, file, st;

	assert_int_equal(stage_mkdir(s, &user, STAGE_ROOT_INO, "outer", 0755, &outer), 0);
	assert_int_equal(stage_mkdir(s, &user, outer.st_ino, "inner", 0755, &inner), 0);
	assert_int_equal(stage_mknod(s, &user, inner.st_ino, "file", S_IFREG | 0644, 0, &file), 0);
	assert_int_equal(stage_lookup(s, inner.st_ino, "..", &st), 0);
	assert_int_equal(st.st_ino, outer.st_ino);
	assert_int_equal(stage_lookup(s, outer.st_ino, "..", &st), 0);
	assert_int_equal(st.st_ino, STAGE_ROOT_INO);
	assert_int_equal(stage_lookup(s, inner.st_ino, ".", &st), 0);
	assert_int_equal(st.st_ino, inner.st_ino);
	assert_int_equal(stage_lookup(s, file.st_ino, ".", &st), 0); /* file handles ask so */
	assert_int_equal(st.st_ino, file.st_ino);
	/* They do not count as names. */
	expect_path(s, inner.st_ino, "outer/inner");
	expect_path(s, file.st_ino, "outer/inner/file");
}

static void test_dots_after_reopening(void **state)
{
	struct fixture *f = *state;
	struct stat outer, inner, st;

	assert_int_equal(stage_mkdir(f->stage, &user, STAGE_ROOT_INO, "outer", 0755, &outer), 0);
	assert_int_equal(stage_mkdir(f->stage, &user, outer.st_ino, "inner", 0755, &inner), 0);
	reopen(f);
	assert_int_equal(stage_lookup(f->stage, inner.st_ino, "..", &st), 0);
	assert_int_equal(st.st_ino, outer.st_ino);
	assert_int_equal(stage_rmdir(f->stage, outer.st_ino, "inner"), 0);
	assert_int_equal(stage_lookup(f->stage, inner.st_ino, ".", &st), -ENOENT);
}

static void test_tmpfile(void **state)
{
	struct fixture *f = *state;
	struct stat kept, lost, st;

	assert_int_equal(stage_tmpfile(f->stage, &user, STAGE_ROOT_INO, 0666, &kept), 0);
	assert_int_equal(kept.st_nlink, 0);
	assert_int_equal(kept.st_mode, S_IFREG | 0644);
	assert_int_equal(stage_tmpfile(f->stage, &user, STAGE_ROOT_INO, 0666, &lost), 0);
	assert_int_equal(stage_write(f->stage, kept.st_ino, "kept", 4, 0, 0), 4);
	assert_int_equal(stage_write(f->stage, lost.st_ino, "lost", 4, 0, 0), 4);
	assert_int_equal(stage_link(f->stage, kept.st_ino, STAGE_ROOT_INO, "name", &st), 0);
	assert_int_equal(st.st_nlink, 1);
	reopen(f);
	assert_int_equal(stage_lookup(f->stage, STAGE_ROOT_INO, "name", &st), 0);
	assert_int_equal(st.st_ino, kept.st_ino);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(stage_lookup(f->stage, lost.st_ino, ".", &st), -ENOENT);
}

static void test_xattr_namespaces(void **state)
{
	struct stage *s = ((struct fixture *)*state)->stage;
	static const struct {
		const char *name;
		int expected;
	} cases[] = {
		{"user.a", 0},
		{"trusted.a", 0},
		{"security.a", 0},
		{"user.", -EINVAL},
		{"nodot", -EOPNOTSUPP},
		{"system.posix_acl_foo", -EOPNOTSUPP},
		{"other.a", -EOPNOTSUPP},
		{ACL_ACCESS_NAME, -EINVAL},
	};
	struct stat st;
	char list[256];

	assert_int_equal(stage_mknod(s, &user, STAGE_ROOT_INO, "f", S_IFREG | 0644, 0, &st), 0);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		assert_int_equal(stage_setxattr(s, st.st_ino, cases[n].name, "v", 1, 0),
				 cases[n].expected);
	assert_int_equal(stage_listxattr(s, st.st_ino, true, list, sizeof(list)),
			 sizeof("user.a") + sizeof("trusted.a") + sizeof("security.a"));
	assert_int_equal(stage_listxattr(s, st.st_ino, false, list, sizeof(list)),
			 sizeof("user.a") + sizeof("security.a"));
	assert_int_equal(stage_removexattr(s, st.st_ino, ACL_ACCESS_NAME), 0);
	assert_int_equal(stage_removexattr(s, st.st_ino, "user.b"), -ENODATA);
}

static void test_default_acl(void **state)
{
	/* user::rwx user:1001:rwx group::r-x mask::rwx other::--- */
	static const uint8_t acl[] = {2,   0,	0,   0,	   1,	0,   7,	   0,	255, 255, 255,
				      255, 2,	0,   7,	   0,	233, 3,	   0,	0,   4,	  0,
				      5,   0,	255, 255,  255, 255, 0x10, 0,	7,   0,	  255,
				      255, 255, 255, 0x20, 0,	0,   0,	   255, 255, 255, 255};
	struct fixture *f = *state;
	struct stat dir, file, sub, st;
	uint8_t value[64];

	assert_int_equal(stage_mkdir(f->stage, &user, STAGE_ROOT_INO, "d", 0755, &dir), 0);
	assert_int_equal(
		stage_setxattr(f->stage, dir.st_ino, ACL_DEFAULT_NAME, acl, sizeof(acl), 0), 0);
	reopen(f);
	assert_int_equal(stage_create(f->stage, &user, dir.st_ino, "file", 0666, &file), 0);
	assert_int_equal(file.st_mode, S_IFREG | 0660); /* not the umask */
	assert_int_equal(
		stage_getxattr(f->stage, file.st_ino, ACL_ACCESS_NAME, value, sizeof(value)),
		sizeof(acl));
	assert_int_equal(stage_getxattr(f->stage, file.st_ino, ACL_DEFAULT_NAME, value, 64),
			 -ENODATA);
	assert_int_equal(stage_mkdir(f->stage, &user, dir.st_ino, "sub", 0777, &sub), 0);
	assert_int_equal(stage_getxattr(f->stage, sub.st_ino, ACL_DEFAULT_NAME, value, 64),
			 sizeof(acl));
	assert_memory_equal(value, acl, sizeof(acl));
	assert_int_equal(
		stage_setxattr(f->stage, file.st_ino, ACL_DEFAULT_NAME, acl, sizeof(acl), 0),
		-EACCES);
	st.st_mode = 0600; /* chmod changes the mask */
	assert_int_equal(stage_setattr(f->stage, file.st_ino, &st, STAGE_SET_MODE, &st), 0);
	assert_int_equal(stage_getxattr(f->stage, file.st_ino, ACL_ACCESS_NAME, value, 64),
			 sizeof(acl));
	assert_int_equal(value[4 + 3 * 8 + 2], 0);
}

static void test_times(void **state)
{
	static const struct timespec given[] = {{-1, 999999999},
						{0, 0},
						{-2147483648, 1},
						{4294967296, 123456789},
						{9223372035, 999999999}};
	struct fixture *f = *state;
	struct stat file, st = {0};

	assert_int_equal(stage_create(f->stage, &user, STAGE_ROOT_INO, "f", 0666, &file), 0);
	for (size_t n = 0; n < ARRAY_SIZE(given); n++) {
		st.st_mtim = st.st_atim = given[n];
		assert_int_equal(stage_setattr(f->stage, file.st_ino, &st,
					       STAGE_SET_ATIME | STAGE_SET_MTIME, &st),
				 0);
		reopen(f);
		assert_int_equal(stage_getattr(f->stage, file.st_ino, &st), 0);
		assert_memory_equal(&st.st_mtim, &given[n], sizeof(given[n]));
		assert_memory_equal(&st.st_atim, &given[n], sizeof(given[n]));
	}
	/* The year 2446, until which ext4 goes: the latest that the index can hold. */
	st.st_mtim = (struct timespec){15032385535, 0};
	assert_int_equal(stage_setattr(f->stage, file.st_ino, &st, STAGE_SET_MTIME, &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, INT64_MAX / INT64_C(1000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dots_after_reopening, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tmpfile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xattr_namespaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_default_acl, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
