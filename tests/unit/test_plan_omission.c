/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan tells of entries that are not shipped, or not as they stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/plan_fixture.h"

static void test_what_no_blob_can_be(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;

	(void)state;
	add_dir(b, "empty");
	add_dir(b, "empty/too");
	add_dir(b, "only");
	add(b,
	    &(struct staged_entry){.mode = S_IFLNK | 0777, .nlink = 1, .symlink_target = "../x y"},
	    "only/link");
	add(b, &(struct staged_entry){.mode = S_IFCHR, .nlink = 1}, "null");
	add(b, &(struct staged_entry){.mode = S_IFBLK, .nlink = 1}, "sda");
	add(b, &(struct staged_entry){.mode = S_IFIFO, .nlink = 1}, "pipe");
	add(b, &(struct staged_entry){.mode = S_IFSOCK, .nlink = 1}, "sock");
	p = finish(b);
	assert_int_equal(plan_count(p), 0);
	expect_omissions(
		p, "NOT symlink only/link: symbolic link to '../x y': a blob cannot be a link\n"
		   "NOT special null: device: a blob cannot be one\n"
		   "NOT special sda: device: a blob cannot be one\n"
		   "NOT special pipe: FIFO: a blob cannot be one\n"
		   "NOT special sock: socket: a blob cannot be one\n"
		   "NOT empty-directory empty: no file is shipped from this directory: a container "
		   "has no directories of its own\n"
		   "NOT empty-directory empty/too: no file is shipped from this directory: a "
		   "container has no directories of its own\n"
		   "NOT empty-directory only: no file is shipped from this directory: a container "
		   "has no directories of its own\n");
	assert_int_equal(plan_totals(p)->not_shipped, 8);
	assert_int_equal(plan_totals(p)->refused, 0);
	assert_int_equal(plan_totals(p)->dirs, 1);
}

static void test_sizes_of_block_blobs(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	const uint64_t most = UINT64_C(50000) * 4 * 1024 * 1024;

	(void)state;
	add_file(b, "fits", most);
	add_file(b, "large", most + 1);
	p = finish(b);
	assert_int_equal(plan_count(p), 1);
	assert_int_equal(plan_totals(p)->ranges, 50000);
	assert_int_equal(plan_totals(p)->refused, 1);
	expect_omissions(p, "NOT too-large large: 209715200001 bytes (195 GiB), but a block blob "
			    "holds at most 209715200000\n");
}

static void test_page_blobs(void **state)
{
	struct plan_desc desc = plain;
	struct plan_builder *b;
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct placement file;

	(void)state;
	desc.blob_type = BLOBTYPE_PAGE;
	b = start(&desc);
	add_file(b, "empty", 0);
	add_file(b, "fits", 8 * TiB);
	add_file(b, "large", 8 * TiB + 512);
	add_file(b, "odd", 513);
	p = finish(b);
	assert_int_equal(plan_count(p), 2);
	plan_get(p, 1, &file);
	assert_int_equal(file.blob_type, BLOBTYPE_PAGE);
	expect_omissions(p,
			 "NOT too-large large: 8796093022720 bytes (8.00 TiB), but a page blob "
			 "holds at most 8796093022208\n"
			 "NOT page-size odd: 513 bytes are not a multiple of 512, as a page blob "
			 "must be\n");
}

static void test_names_no_blob_can_have(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	_cleanup_(buf_done) struct buf path = BUF_INIT, want = BUF_INIT;
	char name[256];

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	for (int i = 0; i < 4; i++) {
		buf_puts(&path, i ? "/" : "");
		buf_puts(&path, name);
		add_dir(b, buf_text(&path));
	}
	/* 4 * 256 = 1024, so nothing fits below; in the directory above all is well. */
	buf_puts(&path, "/x");
	add_file(b, buf_text(&path), 1);
	buf_printf(&want, "NOT name %s: blob name: 1025 characters, at most 1024 are allowed\n",
		   buf_text(&path));
	buf_printf(&want,
		   "NOT empty-directory %.1023s: no file is shipped from this directory: a "
		   "container has no directories of its own\n",
		   buf_text(&path));
	path.data[3 * 256] = 'y';
	path.data[3 * 256 + 1] = '\0';
	add_file(b, buf_text(&path), 1);
	p = finish(b);
	expect_omissions(p, buf_text(&want));
	assert_int_equal(plan_count(p), 1);
	assert_int_equal(plan_totals(p)->refused, 1);
}

static void test_too_many_segments(void **state)
{
	struct plan_desc desc = plain;
	struct plan_builder *b;
	_cleanup_(plan_freep) struct plan *p = NULL;
	_cleanup_(buf_done) struct buf path = BUF_INIT;

	(void)state;
	desc.prefix = "p/q";
	b = start(&desc);
	/* 2 of the prefix, 251 directories, the file: 254. */
	for (int i = 0; i < 252; i++) {
		buf_puts(&path, i ? "/d" : "d");
		add_dir(b, buf_text(&path));
		if (i < 250)
			continue;
		buf_puts(&path, "/f");
		add_file(b, buf_text(&path), 1);
		path.len_bytes -= 2;
		path.data[path.len_bytes] = '\0';
	}
	p = finish(b);
	assert_int_equal(plan_count(p), 1);
	assert_int_equal(plan_totals(p)->refused, 1);
}

static void test_renamed_directories_are_told_once(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;

	(void)state;
	add_dir(b, "d\xe9");
	add_file(b, "d\xe9/1", 1);
	add_file(b, "d\xe9/2", 1);
	add_link(b, "d\xe9/l\xe9", 1, 1);
	add_link(b, "d\xe9/m\\", 1, 1);
	p = finish(b);
	expect_omissions(
		p, "renamed d\xe9: blob name: byte 0xE9 is not UTF-8, encoded as %E9\n"
		   "renamed d\xe9/l\xe9: blob name: byte 0xE9 is not UTF-8, encoded as %E9\n"
		   "renamed d\xe9/m\\: blob name: character U+005C is not allowed, encoded as "
		   "%5C\n"
		   "hard-link d\xe9/m\\: hard link to 'd\xe9/l\xe9': shipped as a blob of its "
		   "own with the same content\n");
	assert_int_equal(plan_totals(p)->renamed, 3);
	expect_sound_drive(p);
}

static int stop_at_second(const struct omission *omission, void *arg, struct err *e)
{
	(void)omission;
	(void)e;
	return ++*(int *)arg == 2 ? 42 : 0;
}

static void test_omissions_can_be_stopped(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	int calls = 0;

	(void)state;
	add_dir(b, "1");
	add_dir(b, "2");
	add_dir(b, "3");
	p = finish(b);
	assert_int_equal(plan_omissions(p, stop_at_second, &calls, NULL), 42);
	assert_int_equal(calls, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_no_blob_can_be),
		cmocka_unit_test(test_sizes_of_block_blobs),
		cmocka_unit_test(test_page_blobs),
		cmocka_unit_test(test_names_no_blob_can_have),
		cmocka_unit_test(test_too_many_segments),
		cmocka_unit_test(test_renamed_directories_are_told_once),
		cmocka_unit_test(test_omissions_can_be_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
