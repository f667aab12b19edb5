/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The views of index.db for people: right numbers, whatever the tree looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_fixture.h"

/* One row as text: columns joined by '|'. */
static void check_row(struct maker *m, const char *query, const char *expected)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_free_ char *wrapped = NULL;

	assert_true(asprintf(&wrapped, "SELECT group_concat(line, ' ; ') FROM (%s)", query) > 0);
	assert_int_equal(sql_prepare(m->db, wrapped, &s, NULL), 0);
	assert_int_equal(sql_step(s, NULL), 1);
	assert_string_equal(sql_col_text(s, 0) ? sql_col_text(s, 0) : "", expected);
}

static void make_view_tree(struct maker *m)
{
	add_dir(m, 1, "d", 2);
	add_dir(m, 2, "e", 3);
	add_dir(m, 1, "empty", 4);
	add_file(m, 1, "top", 5, 1000);
	add_file(m, 2, "mid", 6, 300);
	add_file(m, 3, "deep", 7, 50);
	add_name(m, 3, "hard", 5); /* top again */
	add_inode(m, 8, S_IFLNK | 0777, 3);
	add_name(m, 2, "link", 8);
	run_sql(m,
		"INSERT INTO symlink VALUES (8, 'mid'); UPDATE inode SET nlink = 2 WHERE ino = 5;"
		"UPDATE inode SET stored_bytes = 250 WHERE ino = 5;"
		"UPDATE inode SET stored_bytes = 30 WHERE ino = 6;"
		"INSERT INTO pack VALUES (1, 1000, 280, 50, 1), (2, 0, 0, 0, 0);"
		"UPDATE store SET committed_ns = 1700000000000000000");
	/* Unlinked but still open. */
	add_inode(m, 9, S_IFREG | 0600, 7777);
	run_sql(m, "UPDATE inode SET nlink = 0 WHERE ino = 9; INSERT INTO orphan VALUES (9)");
}

static void test_view_files(void **state)
{
	struct maker *m = *state;

	make_view_tree(m);
	check_row(m,
		  "SELECT path || '|' || size || '|' || stored || '|' || coalesce(ratio, '') || "
		  "'|' ||"
		  " nlink || '|' || mode || '|' || uid || '|' || gid || '|' || ino AS line"
		  " FROM files ORDER BY path",
		  "d/e/deep|50|0||1|640|10|20|7 ; d/e/hard|1000|250|4.0|2|640|10|20|5 ; "
		  "d/mid|300|30|10.0|1|640|10|20|6 ; top|1000|250|4.0|2|640|10|20|5");
	check_row(m, "SELECT modified || '|' || changed AS line FROM files WHERE path = 'top'",
		  "2023-11-14 22:13:20|1970-01-01 00:00:00");
}

static void test_view_directories(void **state)
{
	struct maker *m = *state;

	make_view_tree(m);
	check_row(m,
		  "SELECT path || '|' || files || '|' || size || '|' || stored || '|' ||"
		  " coalesce(ratio, '') AS line FROM directories ORDER BY path",
		  "|4|2350|530|4.43 ; d|3|1350|280|4.82 ; d/e|2|1050|250|4.2 ; empty|0|0|0|");
}

static void test_view_packs(void **state)
{
	struct maker *m = *state;

	make_view_tree(m);
	check_row(
		m,
		"SELECT file || '|' || size || '|' || live || '|' || coalesce(live_percent, '') ||"
		" '|' || sealed AS line FROM packs ORDER BY file",
		"00000001.pack|1000|280|28.0|1 ; 00000002.pack|0|0||0");
}

/* A file counts once, whatever number of names it has; one without any name does not count. */
static void test_view_summary(void **state)
{
	struct maker *m = *state;

	make_view_tree(m);
	check_row(m,
		  "SELECT files || '|' || directories || '|' || size || '|' || stored || '|' || "
		  "ratio ||"
		  " '|' || packs || '|' || committed AS line FROM summary",
		  "3|4|1350|280|4.82|1000|2023-11-14 22:13:20");
}

static void test_views_of_nothing(void **state)
{
	struct maker *m = *state;

	check_row(m, "SELECT path AS line FROM files", "");
	check_row(m, "SELECT path || '|' || files || '|' || size AS line FROM directories", "|0|0");
	check_row(m, "SELECT file AS line FROM packs", "");
	check_row(m,
		  "SELECT files || '|' || directories || '|' || size || '|' || stored || '|' ||"
		  " coalesce(ratio, 'none') AS line FROM summary",
		  "0|1|0|0|none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_view_files),	   STORE_TEST(test_view_directories),
		STORE_TEST(test_view_packs),	   STORE_TEST(test_view_summary),
		STORE_TEST(test_views_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
