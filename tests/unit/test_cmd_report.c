/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship report: from shipping.db, which another seedship holds, to a page; and the sums it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/fdio.h"
#include "exporter/cmd/commands.h"
#include "exporter/shipping/placements.h"
#include "exporter/shipping/totals.h"
#include "tests/lib/run_command.h"
#include "tests/lib/shipping_fixture.h"

static struct run_command ran;
static char page_path[128];

/* shipping.db stays open for writing, with its lock: the command only reads. */
static int make_store(void **state)
{
	char path[128];
	int r = open_store(state), fd;

	(void)snprintf(path, sizeof(path), "%s/index.db", store);
	(void)snprintf(page_path, sizeof(page_path), "%s/slip.html", store);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return r < 0 || fd < 0 ? -1 : close(fd);
}

static int remove_store(void **state)
{
	char path[128];

	(void)unlink(page_path);
	(void)snprintf(path, sizeof(path), "%s/index.db", store);
	(void)unlink(path);
	return close_store(state);
}

/* Runs "seedship report LINE --store STORE" and expects this exit code. */
static void expect_run(int code, const char *line)
{
	char whole[1024];

	(void)snprintf(whole, sizeof(whole), "seedship report %s --store %s", line, store);
	run_command(&ran, &command_seedship, whole);
	if (ran.code != code)
		fail_msg("'%s' ended with %d: %s", line, ran.code, ran.said);
}

static void expect_refused(int code, const char *line, const char *text)
{
	expect_run(code, line);
	assert_string_equal(ran.out, "");
	if (!strstr(ran.said, text))
		fail_msg("'%s' said '%s', not '%s'", line, ran.said, text);
}

static void put_placement(int64_t drive, uint64_t seq, uint64_t size_bytes, uint64_t link_of,
			  enum shipping_state state)
{
	struct shipping_placement p = {.drive = drive,
				       .seq = seq,
				       .ino = seq,
				       .size_bytes = size_bytes,
				       .path = "p",
				       .blob_path = "b",
				       .drive_path = "d",
				       .link_of = link_of,
				       .state = state};
	struct err e;

	expect_ok(shipping_placement_insert(s, &p, &e), &e);
}

/* A drive of two files, one of them under two names, and one that changed. */
static int64_t put_drive(int64_t job, const char *drive_id, enum shipping_phase phase)
{
	int64_t drive = insert_drive(job, drive_id, phase, 0);

	put_placement(drive, 1, 100, SHIPPING_NO_LINK, SHIPPING_FILE_SEALED);
	put_placement(drive, 2, 100, 1, SHIPPING_FILE_SEALED);
	put_placement(drive, 3, 1000, SHIPPING_NO_LINK, SHIPPING_FILE_PLANNED);
	put_placement(drive, 4, 50000, SHIPPING_NO_LINK, SHIPPING_FILE_CHANGED);
	return drive;
}

static void test_totals(void **state)
{
	struct shipping_totals totals = {1, 1, 1};
	int64_t job = insert_job("nightly"), drive, empty;
	struct err e;

	(void)state;
	drive = put_drive(job, "WX1", SHIPPING_SEALED);
	empty = insert_drive(job, "WX2", SHIPPING_LAID_OUT, 0);
	expect_ok(shipping_drive_totals(s, drive, &totals, &e), &e);
	assert_int_equal(totals.files, 3);
	assert_int_equal(totals.size_bytes, 1200);
	assert_int_equal(totals.content_bytes, 1100);
	expect_ok(shipping_drive_totals(s, empty, &totals, &e), &e);
	assert_int_equal(totals.files, 0);
	assert_int_equal(totals.size_bytes, 0);
	assert_int_equal(totals.content_bytes, 0);
}

static char *read_page(void)
{
	char *page;
	struct err e;

	expect_ok(read_file(page_path, 1 * MiB, &page, NULL, &e), &e);
	return page;
}

static void test_page_in_file(void **state)
{
	int64_t job = insert_job("nightly");
	_cleanup_free_ char *page = NULL;
	char line[256];
	struct stat st;

	(void)state;
	(void)put_drive(job, "WX1", SHIPPING_VERIFIED);
	(void)put_drive(job, "WX2", SHIPPING_STREAMING);
	(void)snprintf(line, sizeof(line), "nightly --output %s", page_path);
	(void)umask(022);
	expect_run(0, line);
	assert_string_equal(ran.out, "");
	assert_non_null(strstr(ran.said, "The packing slip is in '"));
	assert_non_null(strstr(ran.said, "1 of 2 drives is not finished"));
	assert_int_equal(stat(page_path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	page = read_page();
	assert_non_null(strstr(page, "<h1>nightly</h1>"));
	assert_non_null(
		strstr(page, ">Drive 2 of 2</span><span class=\"state\">DO NOT SHIP</span>"));
	assert_non_null(
		strstr(page, "<dd class=\"mono\">WX.jrn</dd>")); /* no folder of this host */
	assert_non_null(strstr(page, "<dd>1.17 KiB (1,200 bytes)</dd>"));
	assert_non_null(strstr(page, "<dt>Container</dt><dd>seed/pre/fix</dd>"));
	assert_non_null(
		strstr(page, "\xe2\x80\xa2</dd>")); /* of an account of three digits, none */
	assert_null(strstr(page, "989"));
	/* Again: it takes the place of the old one. */
	expect_run(0, line);
}

static void test_page_on_stdout(void **state)
{
	static const char begin[] = "<!DOCTYPE html>\n<html ";
	int64_t job = insert_job("nightly");

	(void)state;
	(void)put_drive(job, "WX1", SHIPPING_VERIFIED);
	expect_run(0, "nightly");
	assert_string_equal(ran.said, "");
	assert_int_equal(strncmp(ran.out, begin, strlen(begin)), 0);
}

static void test_more_than_one_parcel(void **state)
{
	_cleanup_free_ char *page = NULL;
	int64_t job = insert_job("nightly");
	char line[256], id[8];

	(void)state;
	for (int i = 0; i < 11; i++) {
		(void)snprintf(id, sizeof(id), "WX%d", i);
		(void)insert_drive(job, id, SHIPPING_SEALED, 0);
	}
	(void)snprintf(line, sizeof(line), "nightly -o %s", page_path);
	expect_run(0, line);
	page = read_page();
	assert_non_null(strstr(page, "<h1>nightly</h1>"));
	assert_non_null(strstr(page, "<h1>nightly-2</h1>"));
	assert_non_null(strstr(page, ">Drive 10 of 10<"));
	assert_non_null(strstr(page, ">Drive 1 of 1<"));
}

static void test_refusals(void **state)
{
	int64_t job = insert_job("nightly");
	char line[256], link[128];

	(void)state;
	expect_refused(1, "other", "there is no job 'other'");
	expect_refused(1, "nightly", "job 'nightly' has no drives yet");
	assert_non_null(strstr(ran.said, "hint: prepare them with 'seedship export'"));
	(void)put_drive(job, "WX1", SHIPPING_VERIFIED);
	expect_refused(2, "nightly --output /dev/null", "'/dev/null' is not a regular file");
	expect_refused(2, "nightly --output /tmp", "'/tmp' is not a regular file");
	(void)snprintf(line, sizeof(line), "nightly --output %s/no/slip.html", store);
	expect_refused(1, line, "cannot create");
	(void)snprintf(link, sizeof(link), "%s/link", store);
	(void)snprintf(line, sizeof(line), "nightly --output %s", link);
	assert_int_equal(symlink("index.db", link), 0);
	expect_refused(2, line, "is not a regular file");
	assert_int_equal(unlink(link), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_store, remove_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_totals),	   TEST(test_page_in_file),
		TEST(test_page_on_stdout), TEST(test_more_than_one_parcel),
		TEST(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
