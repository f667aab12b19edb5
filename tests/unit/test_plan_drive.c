/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a plan puts files on the drive: aliases, case, long paths, hard links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/plan_fixture.h"

static void test_names_windows_refuses(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;

	(void)state;
	add_dir(b, "aux");
	add_file(b, "aux/con.txt", 1);
	add_file(b, "aux/what?", 1);
	add_file(b, "caf\xe9", 1);
	p = finish(b);
	expect_names(p, 0, "aux/con.txt", "backup/aux/con.txt",
		     "\\session#1\\_aux~62333459\\_con.txt~8251e1ed");
	expect_names(p, 1, "aux/what?", "backup/aux/what?",
		     "\\session#1\\_aux~62333459\\what_~a08a0bb0");
	expect_names(p, 2, "caf\xe9", "backup/caf%E9", "\\session#1\\caf_~8772587c");
	expect_omissions(p, "renamed caf\xe9: blob name: byte 0xE9 is not UTF-8, encoded as %E9\n");
	assert_int_equal(plan_totals(p)->renamed, 1);
	assert_int_equal(plan_totals(p)->not_shipped, 0);
}

static void test_names_that_differ_in_case(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct placement file;

	(void)state;
	add_dir(b, "Dir");
	add_file(b, "Dir/x", 1);
	add_file(b, "README", 1);
	add_file(b, "Readme", 1);
	add_dir(b, "dir");
	add_file(b, "dir/x", 1);
	add_file(b, "readme", 1);
	add_file(b, "\xc3\x89", 1);
	add_file(b, "\xc3\xa9", 1);
	p = finish(b);
	/* The first keeps its name. */
	expect_names(p, 1, "README", "backup/README", "\\session#1\\README");
	plan_get(p, 2, &file);
	assert_memory_equal(file.drive_name, "Readme~", 7);
	expect_names(p, 0, "Dir/x", "backup/Dir/x", "\\session#1\\Dir\\x");
	expect_sound_drive(p);
	/* Blobs know case: nothing is renamed there. */
	expect_omissions(p, "");
}

static void test_alias_that_is_taken(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	_cleanup_(buf_done) struct buf alias = BUF_INIT;
	struct placement file;

	(void)state;
	assert_int_equal(drivename_alias("a?", 0, DRIVENAME_MAX_UNITS, &alias), 0);
	/* A file of the very name that the next one would get. */
	add_file(b, buf_text(&alias), 1);
	add_file(b, "a?", 1);
	/* And one that comes after its alias was given away. */
	buf_reset(&alias);
	assert_int_equal(drivename_alias("a?", 1, DRIVENAME_MAX_UNITS, &alias), 0);
	add_file(b, buf_text(&alias), 1);
	p = finish(b);
	plan_get(p, 1, &file);
	assert_string_equal(file.drive_name, buf_text(&alias));
	expect_sound_drive(p);
}

/* Names are remembered however many there are: files, directories and aliases. */
static void test_many_names(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	const uint32_t n = 5000;
	char name[32];

	(void)state;
	add_dir(b, "Sub");
	for (uint32_t i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), i % 10 ? "Sub/x%u" : "Sub/x%u?", i);
		add_file(b, name, 1);
	}
	add_dir(b, "sub");
	add_file(b, "sub/y", 1);
	for (uint32_t i = 0; i < n; i++) {
		if (i % 10 == 0)
			continue;
		(void)snprintf(name, sizeof(name), "Sub/X%u", i);
		add_file(b, name, 1);
	}
	p = finish(b);
	for (uint32_t i = 0; i < plan_count(p); i++) {
		struct placement file;
		struct plan_dir dir;

		plan_get(p, i, &file);
		plan_get_dir(p, file.drive_dir, &dir);
		assert_int_equal(strchr(file.drive_name, '~') != NULL,
				 strchr(file.name, '?') != NULL || file.name[0] == 'X');
		assert_int_equal(strchr(dir.drive_name, '~') != NULL, dir.name[0] == 's');
	}
}

static void test_own_directory_is_not_taken(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct placement file;
	struct plan_dir dir;

	(void)state;
	add_dir(b, "~LONG");
	add_file(b, "~LONG/x", 1);
	p = finish(b);
	plan_get(p, 0, &file);
	assert_int_equal(file.drive_dir, PLAN_DIR_FLAT + 1);
	plan_get_dir(p, file.drive_dir, &dir);
	assert_memory_equal(dir.drive_name, "~LONG~", 6);
}

static void test_long_paths_go_flat(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	char name[300];
	struct placement file;
	struct plan_dir dir;

	(void)state;
	/* 10 + 1 + 99 + 1 + 129 = 240 are just right. */
	memset(name, 'd', 99);
	name[99] = '\0';
	add_dir(b, name);
	for (int n = 128; n <= 130; n++) {
		buf_reset(&path);
		buf_printf(&path, "%s/", name);
		for (int i = 0; i < n; i++)
			buf_puts(&path, "f");
		add_file(b, buf_text(&path), 1);
	}
	buf_reset(&path);
	buf_printf(&path, "%s/deep", name);
	for (int i = 0; i < 12; i++) {
		add_dir(b, buf_text(&path));
		buf_puts(&path, "/dir23456789");
	}
	add_file(b, buf_text(&path), 1);
	memset(name, 'n', 255);
	name[255] = '\0';
	add_file(b, name, 1);
	p = finish(b);

	plan_get(p, 0, &file);
	assert_int_equal(file.drive_dir, file.dir);
	plan_get(p, 1, &file);
	assert_int_equal(file.drive_dir, file.dir);
	plan_get(p, 2, &file);
	assert_int_equal(file.drive_dir, PLAN_DIR_FLAT);
	assert_int_not_equal(file.dir, PLAN_DIR_FLAT);
	/* Directories that only lead there are not made. */
	plan_get(p, 3, &file);
	assert_int_equal(file.drive_dir, PLAN_DIR_FLAT);
	plan_get_dir(p, file.dir, &dir);
	assert_true(dir.has_files);
	assert_false(dir.on_drive);
	plan_get(p, 4, &file);
	assert_int_equal(file.drive_dir, PLAN_DIR_FLAT);
	assert_int_equal(plan_totals(p)->dirs, 3);
	expect_sound_drive(p);
	expect_omissions(p, "");
}

static void test_hard_links(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	const struct plan_totals *t;
	struct placement file;

	(void)state;
	add_link(b, "a", 5, 1000);
	add_file(b, "b", 10);
	add_dir(b, "d");
	add_link(b, "d/c", 5, 1000);
	add_link(b, "e", 5, 1000);
	add_link(b, "f", 6, 1);
	p = finish(b);
	assert_int_equal(plan_count(p), 5);
	plan_get(p, 0, &file);
	assert_int_equal(file.link_of, PLAN_NO_LINK);
	plan_get(p, 2, &file);
	assert_int_equal(file.link_of, 0);
	assert_int_equal(file.size_bytes, 1000);
	plan_get(p, 3, &file);
	assert_int_equal(file.link_of, 0);
	plan_get(p, 4, &file);
	assert_int_equal(file.link_of, PLAN_NO_LINK);
	t = plan_totals(p);
	assert_int_equal(t->files, 5);
	assert_int_equal(t->links, 2);
	assert_int_equal(t->drive_bytes, 1011);
	assert_int_equal(t->blob_bytes, 3011);
	assert_int_equal(t->not_shipped, 0);
	expect_omissions(p,
			 "hard-link d/c: hard link to 'a': shipped as a blob of its own with the "
			 "same content\n"
			 "hard-link e: hard link to 'a': shipped as a blob of its own with the "
			 "same content\n");
}

static void test_more_links_than_ntfs_has(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct placement file;
	char name[16];

	(void)state;
	for (int i = 0; i < PLAN_LINKS_PER_FILE + 2; i++) {
		(void)snprintf(name, sizeof(name), "%05d", i);
		add_link(b, name, 9, 10);
	}
	p = finish(b);
	plan_get(p, PLAN_LINKS_PER_FILE - 1, &file);
	assert_int_equal(file.link_of, 0);
	plan_get(p, PLAN_LINKS_PER_FILE, &file);
	assert_int_equal(file.link_of, PLAN_NO_LINK);
	plan_get(p, PLAN_LINKS_PER_FILE + 1, &file);
	assert_int_equal(file.link_of, PLAN_LINKS_PER_FILE);
	assert_int_equal(plan_totals(p)->drive_bytes, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_windows_refuses),
		cmocka_unit_test(test_names_that_differ_in_case),
		cmocka_unit_test(test_alias_that_is_taken),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_own_directory_is_not_taken),
		cmocka_unit_test(test_long_paths_go_flat),
		cmocka_unit_test(test_hard_links),
		cmocka_unit_test(test_more_links_than_ntfs_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
