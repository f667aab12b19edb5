/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of a store: a small one made by SQL, walked by the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/ext/sql.h"
#include "common/store/reader.h"
#include "tests/unit/plan_fixture.h"

static char store_dir[64];

/* Names: d/file (TEXT), d/caf? (BLOB, not UTF-8), other (a second name of d/file), link, empty. */
static const char store_sql[] =
	"INSERT INTO store (id, uuid, created_ns, chunk_bytes, pack_bytes)"
	" VALUES (1, x'000102030405060708090A0B0C0D0E0F', 0, 131072, 1000000);"
	"INSERT INTO inode (ino, mode, nlink, uid, gid, size_bytes, atime_ns, mtime_ns, ctime_ns,"
	" btime_ns, content_version) VALUES"
	" (1, 0x41ed, 3, 0, 0, 0, 0, 0, 0, 0, 0),"
	" (2, 0x41ed, 2, 0, 0, 0, 0, 0, 0, 0, 0),"
	" (3, 0x81a4, 2, 0, 0, 5000, 0, 77, 0, 0, 9),"
	" (4, 0x81a4, 1, 0, 0, 1, 0, 0, 0, 0, 1),"
	" (5, 0xa1ff, 1, 0, 0, 6, 0, 0, 0, 0, 0),"
	" (6, 0x41ed, 2, 0, 0, 0, 0, 0, 0, 0, 0);"
	"INSERT INTO symlink (ino, target) VALUES (5, 'd/file');"
	"INSERT INTO dentry (parent, name, ino) VALUES"
	" (1, 'other', 3), (1, 'd', 2), (2, 'file', 3), (2, CAST(x'636166E9' AS BLOB), 4),"
	" (1, 'link', 5), (1, 'empty', 6)";

static int make_store(void **state)
{
	_cleanup_(sql_closep) struct sql *db = NULL;
	char path[128];

	(void)state;
	(void)strcpy(store_dir, "/tmp/test_plan_store.XXXXXX");
	assert_non_null(mkdtemp(store_dir));
	(void)snprintf(path, sizeof(path), "%s/packs", store_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/index.db", store_dir);
	assert_int_equal(sql_open(path, SQL_CREATE, &db, NULL), 0);
	assert_int_equal(sql_migrate(db, path, &schema_index, NULL), 0);
	assert_int_equal(sql_exec(db, store_sql, NULL), 0);
	return 0;
}

static int drop_store(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r '%s'", store_dir);
	return system(command);
}

static void test_plan_of_store(void **state)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct placement file;
	struct err e = {0};

	(void)state;
	assert_int_equal(reader_open(store_dir, &reader, NULL), 0);
	if (plan_from_store(reader, &plain, &p, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(plan_count(p), 3);
	expect_names(p, 1, "d/file", "backup/d/file", "\\session#1\\d\\file");
	expect_names(p, 2, "other", "backup/other", "\\session#1\\other");
	plan_get(p, 1, &file);
	assert_int_equal(file.ino, 3);
	assert_int_equal(file.size_bytes, 5000);
	assert_int_equal(file.content_version, 9);
	assert_int_equal(file.mtime_ns, 77);
	plan_get(p, 2, &file);
	assert_int_equal(file.link_of, 1);
	expect_omissions(
		p, "NOT symlink link: symbolic link to 'd/file': a blob cannot be a link\n"
		   "NOT empty-directory empty: no file is shipped from this directory: a container "
		   "has no directories of its own\n"
		   "renamed d/caf\xe9: blob name: byte 0xE9 is not UTF-8, encoded as %E9\n"
		   "hard-link other: hard link to 'd/file': shipped as a blob of its own with the "
		   "same content\n");
	expect_sound_drive(p);
}

static void test_damaged_store(void **state)
{
	_cleanup_(sql_closep) struct sql *db = NULL;
	_cleanup_(reader_freep) struct reader *reader = NULL;
	struct plan *p = NULL;
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/index.db", store_dir);
	assert_int_equal(sql_open(path, SQL_READ_WRITE, &db, NULL), 0);
	assert_int_equal(
		sql_exec(db, "INSERT INTO dentry (parent, name, ino) VALUES (2, 'a/b', 4)", NULL),
		0);
	assert_int_equal(reader_open(store_dir, &reader, NULL), 0);
	assert_int_equal(plan_from_store(reader, &plain, &p, NULL), -EBADMSG);
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plan_of_store, make_store, drop_store),
		cmocka_unit_test_setup_teardown(test_damaged_store, make_store, drop_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
