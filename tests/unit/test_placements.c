/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shipping.db: placements in both orders, hashes and progress, what is left out, the life of a
 * drive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "exporter/shipping/hashes.h"
#include "exporter/shipping/omissions.h"
#include "exporter/shipping/placements.h"
#include "tests/lib/shipping_fixture.h"

#define N_PLACEMENTS 600 /* more than two pages */

static void insert_placements(int64_t drive)
{
	struct err e;

	expect_ok(shipping_begin(s, &e), &e);
	for (uint64_t i = 0; i < N_PLACEMENTS; i++) {
		struct shipping_extent extents[2] = {
			{0, (N_PLACEMENTS - i) * MiB, 4096},
			{4096, (N_PLACEMENTS - i) * MiB + 65536, 8192}};
		char path[32], blob[32], on_drive[32];
		struct shipping_placement p = {.drive = drive,
					       .seq = i * 2,
					       .ino = 100 + i,
					       .content_version = i % 7,
					       .size_bytes = i,
					       .path = path,
					       .blob_path = blob,
					       .drive_path = on_drive,
					       .page_blob = i % 2 == 1,
					       .link_of = SHIPPING_NO_LINK,
					       .n_extents = 2,
					       .extents = extents};

		(void)snprintf(path, sizeof(path), i == 5 ? "b\xff%03u" : "a/%03u", (unsigned)i);
		(void)snprintf(blob, sizeof(blob), "seed/%03u", (unsigned)i);
		(void)snprintf(on_drive, sizeof(on_drive), "\\s\\%03u", (unsigned)i);
		if (i % 3 == 2) {
			p.link_of = (i - 1) * 2;
			p.n_extents = 0;
		}
		expect_ok(shipping_placement_insert(s, &p, &e), &e);
		assert_true(p.id > 0);
	}
	expect_ok(shipping_commit(s, &e), &e);
}

struct walk {
	uint64_t n;
	uint64_t last;
	enum shipping_order order;
	uint64_t stop_after;
};

static int check_placement(const struct shipping_placement *p, void *arg, struct err *e)
{
	struct walk *w = arg;
	uint64_t i = p->seq / 2, key = w->order == SHIPPING_BY_SEQ ? p->seq : 0;
	char path[32];

	(void)snprintf(path, sizeof(path), i == 5 ? "b\xff%03u" : "a/%03u", (unsigned)i);
	assert_string_equal(p->path, path);
	assert_int_equal(p->ino, 100 + i);
	assert_int_equal(p->content_version, i % 7);
	assert_int_equal(p->size_bytes, i);
	assert_int_equal(p->page_blob, i % 2 == 1);
	assert_int_equal(p->state, SHIPPING_FILE_PLANNED);
	assert_null(p->note);
	assert_int_equal(strtoul(p->blob_path + 5, NULL, 10), i);
	assert_int_equal(strtoul(p->drive_path + 3, NULL, 10), i);
	if (i % 3 == 2) {
		assert_int_equal(p->link_of, (i - 1) * 2);
		assert_int_equal(p->n_extents, 0);
	} else {
		assert_true(p->link_of == SHIPPING_NO_LINK);
		assert_int_equal(p->n_extents, 2);
		assert_int_equal(p->extents[0].volume_off_bytes, (N_PLACEMENTS - i) * MiB);
		assert_int_equal(p->extents[1].file_off_bytes, 4096);
		assert_int_equal(p->extents[1].len_bytes, 8192);
	}
	if (w->order == SHIPPING_BY_PLACE)
		key = p->extents[0].volume_off_bytes;
	assert_true(w->n == 0 || key > w->last);
	w->last = key;
	w->n++;
	return w->n == w->stop_after ? err_set(e, ECANCELED, "enough") : 0;
}

static void test_placements_in_order(void **state)
{
	int64_t job = insert_job("nightly"), drive = insert_drive(job, "WX1", SHIPPING_LAID_OUT, 0);
	int64_t other = insert_drive(job, "WX2", SHIPPING_LAID_OUT, 0);
	struct walk all = {.order = SHIPPING_BY_SEQ}, placed = {.order = SHIPPING_BY_PLACE};
	struct walk rest = {.order = SHIPPING_BY_PLACE},
		    some = {.order = SHIPPING_BY_SEQ, .stop_after = 300};
	struct walk none = {0};
	struct err e = {0};

	(void)state;
	insert_placements(drive);
	expect_ok(shipping_placement_each(s, drive, SHIPPING_BY_SEQ, 0, check_placement, &all, &e),
		  &e);
	assert_int_equal(all.n, N_PLACEMENTS);
	expect_ok(shipping_placement_each(s, drive, SHIPPING_BY_PLACE, 0, check_placement, &placed,
					  &e),
		  &e);
	assert_int_equal(placed.n, N_PLACEMENTS / 3 * 2);
	expect_ok(shipping_placement_each(s, drive, SHIPPING_BY_PLACE, 591 * MiB, check_placement,
					  &rest, &e),
		  &e);
	assert_int_equal(rest.n, 7); /* 591 to 600 MiB without 592, 595, 598: the links */
	assert_int_equal(
		shipping_placement_each(s, drive, SHIPPING_BY_SEQ, 0, check_placement, &some, &e),
		-ECANCELED);
	assert_int_equal(some.n, 300);
	expect_ok(shipping_placement_each(s, other, SHIPPING_BY_SEQ, 0, check_placement, &none, &e),
		  &e);
	assert_int_equal(none.n, 0);
}

static void test_placement_refusals(void **state)
{
	int64_t drive = insert_drive(insert_job("nightly"), "WX1", SHIPPING_LAID_OUT, 0);
	struct shipping_placement p = {.drive = drive,
				       .path = "a",
				       .blob_path = "b",
				       .drive_path = "c",
				       .link_of = SHIPPING_NO_LINK};
	struct err e = {0};

	(void)state;
	expect_ok(shipping_placement_insert(s, &p, &e), &e);
	assert_int_equal(shipping_placement_insert(s, &p, &e), -EEXIST); /* seq */
	p.seq = 1;
	p.link_of = 7; /* of nothing */
	assert_int_equal(shipping_placement_insert(s, &p, &e), -EEXIST);
	p.link_of = 0;
	expect_ok(shipping_placement_insert(s, &p, &e), &e);
	p.seq = 2;
	p.drive = 99;
	p.link_of = SHIPPING_NO_LINK;
	assert_int_equal(shipping_placement_insert(s, &p, &e), -EEXIST);
	assert_int_equal(shipping_placement_set_state(s, 99, SHIPPING_FILE_SEALED, NULL, &e),
			 -ENOENT);
}

static void test_rollback_and_delete(void **state)
{
	int64_t job = insert_job("nightly");
	_cleanup_(shipping_drive_done) struct shipping_drive d = example_drive(job, "WX1");
	struct shipping_placement p = {
		.path = "a", .blob_path = "b", .drive_path = "c", .link_of = SHIPPING_NO_LINK};
	int64_t drive;
	struct err e = {0};

	(void)state;
	expect_ok(shipping_begin(s, &e), &e);
	expect_ok(shipping_drive_insert(s, &d, &e), &e);
	p.drive = d.id;
	expect_ok(shipping_placement_insert(s, &p, &e), &e);
	shipping_rollback(s);
	assert_int_equal(count_rows("SELECT count(*) FROM drives"), 0);
	drive = insert_drive(job, "WX1", SHIPPING_LAID_OUT, 0);
	insert_placements(drive);
	assert_int_equal(count_rows("SELECT count(*) FROM extents"), N_PLACEMENTS / 3 * 4);
	expect_ok(shipping_drive_delete(s, drive, &e), &e);
	assert_int_equal(count_rows("SELECT (SELECT count(*) FROM placements) + (SELECT count(*) "
				    "FROM extents)"),
			 0);
}

static void test_progress_and_hashes(void **state)
{
	int64_t drive = insert_drive(insert_job("nightly"), "WX1", SHIPPING_STREAMING, 0);
	struct shipping_placement p = {.drive = drive,
				       .path = "a",
				       .blob_path = "b",
				       .drive_path = "c",
				       .link_of = SHIPPING_NO_LINK};
	struct shipping_hash hashes[5];
	uint8_t md5[5 * SHIPPING_MD5_BYTES];
	struct err e = {0};
	size_t n = 99;

	(void)state;
	expect_ok(shipping_placement_insert(s, &p, &e), &e);
	for (uint64_t i = 0; i < 5; i++) {
		hashes[i] = (struct shipping_hash){.placement = p.id, .idx = i == 4 ? 9 : i};
		memset(hashes[i].md5, (int)i, SHIPPING_MD5_BYTES);
	}
	expect_ok(shipping_commit_progress(s, drive, 1000, hashes, 3, &e), &e);
	hashes[2].md5[0] = 0x77; /* repeated after a crash */
	expect_ok(shipping_commit_progress(s, drive, 2000, hashes + 2, 3, &e), &e);
	reopen();
	assert_int_equal(count_rows("SELECT streamed_bytes FROM drives"), 2000);
	expect_ok(shipping_hashes_read(s, p.id, 0, 5, md5, &n, &e), &e);
	assert_int_equal(n, 4); /* up to the gap */
	assert_int_equal(md5[2 * SHIPPING_MD5_BYTES], 0x77);
	assert_int_equal(md5[3 * SHIPPING_MD5_BYTES], 3);
	expect_ok(shipping_hashes_read(s, p.id, 1, 2, md5, &n, &e), &e);
	assert_int_equal(n, 2);
	assert_int_equal(md5[0], 1);
	expect_ok(shipping_hashes_read(s, p.id, 9, 5, md5, &n, &e), &e);
	assert_int_equal(n, 1);
	expect_ok(shipping_hashes_read(s, p.id, 4, 5, md5, &n, &e), &e);
	assert_int_equal(n, 0);
	/* All or nothing: a hash of no placement takes the position back too. */
	hashes[0].placement = 99;
	assert_int_equal(shipping_commit_progress(s, drive, 3000, hashes, 1, &e), -EEXIST);
	assert_int_equal(shipping_commit_progress(s, 99, 3000, NULL, 0, &e), -ENOENT);
	assert_int_equal(count_rows("SELECT streamed_bytes FROM drives"), 2000);
}

static void insert_file(int64_t drive, uint64_t seq, const char *path, uint64_t off_bytes,
			int64_t *ret_id)
{
	struct shipping_extent extent = {0, off_bytes, 4096};
	struct shipping_placement p = {.drive = drive,
				       .seq = seq,
				       .ino = 10 + seq,
				       .content_version = 3,
				       .size_bytes = 1000,
				       .path = path,
				       .blob_path = "seed/x",
				       .drive_path = "\\s\\x",
				       .link_of = SHIPPING_NO_LINK,
				       .n_extents = 1,
				       .extents = &extent};
	struct err e;

	expect_ok(shipping_placement_insert(s, &p, &e), &e);
	*ret_id = p.id;
}

static int count_omission(const char *path, const char *kind, const char *reason, void *arg,
			  struct err *e)
{
	char *list = arg;

	(void)e;
	(void)sprintf(list + strlen(list), "%s:%s:%s;", path, kind, reason);
	return 0;
}

static void test_life_of_a_drive(void **state)
{
	int64_t job = insert_job("nightly"),
		drive = insert_drive(job, "WX1", SHIPPING_STREAMING, 0);
	struct shipping_omission link = {
		.job_id = job, .path = "l", .kind = "symlink", .reason = "is one"};
	struct shipping_omission hard = {.job_id = job,
					 .drive = drive,
					 .path = "h",
					 .kind = "hard-link",
					 .reason = "own blob",
					 .shipped = true};
	struct job_progress p;
	int64_t a, b, c;
	char list[256] = "";
	struct err e = {0};
	bool there = false;

	(void)state;
	insert_file(drive, 0, "a", 10000, &a);
	insert_file(drive, 1, "b", 20000, &b);
	insert_file(drive, 2, "c", 30000, &c);
	expect_ok(shipping_commit_progress(s, drive, 24096, NULL, 0, &e), &e);
	expect_ok(job_progress(s, "nightly", &p, &e), &e);
	assert_int_equal(p.drives, 1);
	assert_int_equal(p.drives_sealed, 0);
	assert_int_equal(p.files, 3);
	assert_int_equal(p.size_bytes, 3000);
	assert_int_equal(p.streamed_bytes, 2000);
	assert_int_equal(count_rows("SELECT count(*) FROM drive_contents WHERE state = 'streamed'"),
			 2);
	expect_ok(shipping_placement_set_state(s, b, SHIPPING_FILE_CHANGED, "grew", &e), &e);
	expect_ok(shipping_placement_exists(s, job, 10, 3, "a", &there, &e), &e);
	assert_true(there);
	expect_ok(shipping_placement_exists(s, job, 11, 3, "b", &there, &e), &e);
	assert_false(there); /* it changed: still to be shipped */
	expect_ok(shipping_placement_exists(s, job, 10, 4, "a", &there, &e), &e);
	assert_false(there);
	expect_ok(shipping_placement_exists(s, job + 1, 10, 3, "a", &there, &e), &e);
	assert_false(there);
	expect_ok(shipping_drive_set_phase(s, drive, SHIPPING_SEALED, 5, &e), &e);
	expect_ok(shipping_drive_set_phase(s, drive, SHIPPING_VERIFIED, 6, &e), &e);
	expect_ok(job_progress(s, "nightly", &p, &e), &e);
	assert_int_equal(p.drives_sealed, 1);
	assert_int_equal(p.drives_verified, 1);
	assert_int_equal(p.files_sealed, 2);
	assert_int_equal(p.files_verified, 2);
	assert_int_equal(p.files_changed, 1);
	assert_int_equal(p.streamed_bytes, 3000);
	expect_ok(shipping_omission_insert(s, &link, &e), &e);
	expect_ok(shipping_omission_insert(s, &hard, &e), &e);
	expect_ok(shipping_not_shipped_each(s, "nightly", count_omission, list, &e), &e);
	assert_string_equal(list, "l:symlink:is one;b:changed:grew;");
	expect_ok(shipping_omissions_delete(s, job, &e), &e);
	list[0] = '\0';
	expect_ok(shipping_not_shipped_each(s, "nightly", count_omission, list, &e), &e);
	assert_string_equal(list, "b:changed:grew;");
	assert_int_equal(count_rows("SELECT count(*) FROM omissions"), 1);
	expect_ok(job_progress(s, "nightly", &p, &e), &e);
	assert_int_equal(job_progress(s, "other", &p, &e), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_placements_in_order), TEST(test_placement_refusals),
		TEST(test_rollback_and_delete), TEST(test_progress_and_hashes),
		TEST(test_life_of_a_drive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
