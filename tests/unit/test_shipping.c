/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shipping.db: jobs and drives come out as they went in; who may open it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "schema/schema.h"
#include "tests/lib/shipping_fixture.h"

static void drop(char **text)
{
	free(take_ptr(*text));
}

static void expect_same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void expect_same_job(const struct job *a, const struct job *b)
{
	/* The texts stand between id and created_ns. */
	char *const *x = &a->name, *const *y = &b->name;

	assert_int_equal(a->id, b->id);
	assert_int_equal(a->created_ns, b->created_ns);
	assert_int_equal(offsetof(struct job, created_ns) - offsetof(struct job, name),
			 23 * sizeof(char *));
	for (size_t i = 0; i < 23; i++)
		expect_same_text(x[i], y[i]);
}

static void test_jobs(void **state)
{
	_cleanup_(job_done) struct job job = example_job("nightly"), bare = example_job("bare");
	_cleanup_(job_done) struct job seen = {0}, seen_bare = {0}, updated = {0};
	_cleanup_(job_list_done) struct job_list list = {0};
	struct err e = {0};
	uint64_t session = 0;

	(void)state;
	drop(&bare.blob_prefix);
	drop(&bare.publish_settings);
	drop(&bare.street2);
	drop(&bare.state);
	drop(&bare.carrier);
	drop(&bare.carrier_account);
	expect_ok(job_insert(s, &job, &e), &e);
	expect_ok(job_insert(s, &bare, &e), &e);
	assert_int_equal(job_insert(s, &job, &e), -EEXIST);
	reopen();
	expect_ok(job_get(s, "nightly", &seen, &e), &e);
	expect_same_job(&seen, &job);
	expect_ok(job_get(s, "bare", &seen_bare, &e), &e);
	expect_same_job(&seen_bare, &bare);
	expect_err(job_get(s, "other", &seen, &e), &e, ENOENT, ERR_SYSTEM, "no job 'other'");
	expect_ok(job_next_session(s, job.id, &session, &e), &e);
	assert_int_equal(session, 1);
	expect_ok(job_next_session(s, job.id, &session, &e), &e);
	assert_int_equal(session, 2);
	assert_int_equal(job_next_session(s, 99, &session, &e), -ENOENT);
	free(job.email);
	job.email = strdup("new@b.c");
	expect_ok(job_update(s, &job, &e), &e);
	expect_ok(job_get(s, "nightly", &updated, &e), &e);
	expect_same_job(&updated, &job);
	assert_int_equal(updated.sessions, 2);
	expect_ok(job_list(s, &list, &e), &e);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.items[0].name, "bare");
	assert_string_equal(list.items[1].name, "nightly");
	job.id = 99;
	assert_int_equal(job_update(s, &job, &e), -ENOENT);
}

static void test_constraints(void **state)
{
	_cleanup_(job_done) struct job job = example_job("a");
	struct err e = {0};

	(void)state;
	drop(&job.carrier);
	assert_int_equal(job_insert(s, &job, &e), -EEXIST); /* an account without its carrier */
	drop(&job.carrier_account);
	free(job.blob_type);
	job.blob_type = strdup("append");
	assert_int_equal(job_insert(s, &job, &e), -EEXIST);
	assert_non_null(strstr(e.text, "blob_type"));
}

static void expect_same_drive(const struct shipping_drive *a, const struct shipping_drive *b)
{
	expect_same_text(a->target, b->target);
	expect_same_text(a->drive_id, b->drive_id);
	expect_same_text(a->session_id, b->session_id);
	expect_same_text(a->cipher, b->cipher);
	expect_same_text(a->recovery_key_id, b->recovery_key_id);
	expect_same_text(a->journal_path, b->journal_path);
	expect_same_text(a->layout_path, b->layout_path);
	expect_same_text(a->manifest_path, b->manifest_path);
	/* From phase on there are no pointers. */
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->job_id, b->job_id);
	assert_int_equal(a->phase, b->phase);
	assert_int_equal(a->phase_ns, b->phase_ns);
	assert_int_equal(a->created_ns, b->created_ns);
	assert_int_equal(a->size_bytes, b->size_bytes);
	assert_int_equal(a->partition_start_bytes, b->partition_start_bytes);
	assert_int_equal(a->partition_bytes, b->partition_bytes);
	assert_int_equal(a->cluster_bytes, b->cluster_bytes);
	assert_memory_equal(a->fve_meta_off_bytes, b->fve_meta_off_bytes,
			    sizeof(a->fve_meta_off_bytes));
	assert_int_equal(a->fve_vbb_off_bytes, b->fve_vbb_off_bytes);
	assert_int_equal(a->fve_ice_off_bytes, b->fve_ice_off_bytes);
	assert_int_equal(a->manifest_bytes, b->manifest_bytes);
	assert_int_equal(a->has_manifest_md5, b->has_manifest_md5);
	assert_memory_equal(a->manifest_md5, b->manifest_md5, sizeof(a->manifest_md5));
	assert_memory_equal(a->plan_digest, b->plan_digest, sizeof(a->plan_digest));
	assert_int_equal(a->streamed_bytes, b->streamed_bytes);
}

static void test_drives(void **state)
{
	int64_t job = insert_job("nightly");
	_cleanup_(shipping_drive_done) struct shipping_drive d = example_drive(job, "WX1"),
							     seen = {0}, sealed = {0};
	_cleanup_(shipping_drive_list_done) struct shipping_drive_list list = {0};
	struct err e = {0};

	(void)state;
	expect_ok(shipping_drive_insert(s, &d, &e), &e);
	assert_int_equal(shipping_drive_insert(s, &d, &e), -EEXIST);
	reopen();
	expect_ok(shipping_drive_get(s, job, "WX1", &seen, &e), &e);
	expect_same_drive(&seen, &d);
	assert_int_equal(shipping_drive_get(s, job, "WX2", &seen, &e), -ENOENT);
	d.recovery_key_id = strdup("4967d63b-2e29-4ad8-8399-f6a339e3d001");
	d.has_manifest_md5 = true;
	memset(d.manifest_md5, 0xcd, sizeof(d.manifest_md5));
	expect_ok(shipping_drive_update(s, &d, &e), &e);
	d.phase = SHIPPING_SEALED;
	d.phase_ns = 77;
	expect_ok(shipping_drive_set_phase(s, d.id, SHIPPING_SEALED, 77, &e), &e);
	expect_ok(shipping_drive_get(s, job, "WX1", &sealed, &e), &e);
	expect_same_drive(&sealed, &d);
	expect_ok(shipping_drive_list(s, job, &list, &e), &e);
	assert_int_equal(list.n, 1);
	expect_ok(shipping_drive_delete(s, d.id, &e), &e);
	assert_int_equal(shipping_drive_set_phase(s, d.id, SHIPPING_VERIFIED, 1, &e), -ENOENT);
	assert_int_equal(shipping_drive_update(s, &d, &e), -ENOENT);
}

/*
 * Number i lies at (N - i) MiB, so the two orders are opposite; every third is a link of the one
 * before.
 */
static void test_one_writer_many_readers(void **state)
{
	_cleanup_(shipping_freep) struct shipping *reader = NULL, *second = NULL;
	_cleanup_(job_done) struct job seen = {0};
	struct err e = {0};

	(void)state;
	(void)insert_job("nightly");
	expect_err(shipping_open(store, SHIPPING_WRITE, &second, &e), &e, EBUSY, ERR_SYSTEM,
		   "another seedship");
	assert_null(second);
	expect_ok(shipping_open(store, SHIPPING_READ, &reader, &e), &e);
	expect_ok(job_get(reader, "nightly", &seen, &e), &e);
	assert_int_equal(job_insert(reader, &seen, &e), -EROFS);
}

static void run_sql(const char *text)
{
	_cleanup_(sql_closep) struct sql *db = NULL;
	char path[128];
	struct err e;

	(void)snprintf(path, sizeof(path), "%s/shipping.db", store);
	expect_ok(sql_open(path, SQL_READ_WRITE, &db, &e), &e);
	expect_ok(sql_exec(db, text, &e), &e);
}

static void test_refused_databases(void **state)
{
	struct shipping *other = NULL;
	char query[64];
	struct err e = {0};

	(void)state;
	shipping_free(take_ptr(s));
	(void)snprintf(query, sizeof(query), "PRAGMA user_version = %zu",
		       schema_shipping.n_steps + 1);
	run_sql(query);
	expect_err(shipping_open(store, SHIPPING_WRITE, &other, &e), &e, ENOTSUP, ERR_SYSTEM,
		   "this program knows");
	assert_non_null(strstr(e.hint, "or newer"));
	assert_int_equal(shipping_open(store, SHIPPING_READ, &other, &e), -ENOTSUP);
	(void)snprintf(query, sizeof(query), "PRAGMA user_version = %zu", schema_shipping.n_steps);
	run_sql(query);
	run_sql("PRAGMA application_id = 7");
	assert_int_equal(shipping_open(store, SHIPPING_WRITE, &other, &e), -EMEDIUMTYPE);
	assert_null(other);
	assert_int_equal(shipping_open("/tmp/nowhere", SHIPPING_READ, &other, &e), -ENOENT);
	assert_int_equal(shipping_open("/tmp/nowhere", SHIPPING_WRITE, &other, &e), -ENOENT);
}

/* The statements that run once per file must find their rows by an index. */
static void test_hot_queries_use_an_index(void **state)
{
	static const char *const hot[] = {
		"SELECT * FROM placements WHERE drive = 1 AND seq >= 2 ORDER BY seq LIMIT 3",
		"SELECT * FROM placements WHERE drive = 1 AND volume_off >= 2 ORDER BY volume_off",
		"SELECT * FROM extents WHERE placement = 1 ORDER BY file_off",
		"SELECT idx, md5 FROM hashes WHERE placement = 1 AND idx >= 2 ORDER BY idx LIMIT 3",
		"SELECT 1 FROM placements WHERE ino = 1 AND content_version = 2 AND path = 'x'",
		"DELETE FROM omissions WHERE job = 1 AND drive IS NULL",
	};
	_cleanup_(sql_closep) struct sql *db = NULL;
	char path[128], query[256];
	struct err e;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/shipping.db", store);
	expect_ok(sql_open(path, SQL_READ_WRITE, &db, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(hot); i++) {
		_cleanup_(sql_finalizep) struct sql_stmt *plan = NULL;

		(void)snprintf(query, sizeof(query), "EXPLAIN QUERY PLAN %s", hot[i]);
		expect_ok(sql_prepare(db, query, &plan, &e), &e);
		while (sql_step(plan, &e) > 0) {
			const char *detail = sql_col_text(plan, 3);

			if (strstr(detail, "SCAN") || strstr(detail, "TEMP B-TREE"))
				fail_msg("%s: %s", hot[i], detail);
		}
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_jobs),
		TEST(test_constraints),
		TEST(test_drives),
		TEST(test_one_writer_many_readers),
		TEST(test_refused_databases),
		TEST(test_hot_queries_use_an_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
