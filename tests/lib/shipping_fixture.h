/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store with an open shipping.db, and rows to put into it; include behind cmocka.h. */
#ifndef SEEDSHIP_TESTS_SHIPPING_FIXTURE_H
#define SEEDSHIP_TESTS_SHIPPING_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/sql.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/jobs.h"
#include "tests/lib/expect.h"

static char store[64];
static struct shipping *s;

static int open_store(void **state)
{
	struct err e;

	(void)state;
	strcpy(store, "/tmp/test_shipping.XXXXXX");
	if (!mkdtemp(store))
		return -1;
	expect_ok(shipping_open(store, SHIPPING_WRITE, &s, &e), &e);
	return 0;
}

static inline int close_store(void **state)
{
	static const char *const names[] = {"shipping.db", "shipping.db-wal", "shipping.db-shm",
					    "shipping.lock"};
	char path[128];

	(void)state;
	shipping_free(s);
	s = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", store, names[i]);
		(void)unlink(path);
	}
	return rmdir(store);
}

static inline void reopen(void)
{
	struct err e;

	shipping_free(s);
	s = NULL;
	expect_ok(shipping_open(store, SHIPPING_WRITE, &s, &e), &e);
}

/* Every text differs, so that two that are swapped show. */
static inline struct job example_job(const char *name)
{
	struct job job = {.created_ns = 1234567890123456789};

	job.name = strdup(name);
	job.staging_location = strdup("/staging");
	job.subscription_id = strdup("sub");
	job.resource_group = strdup("group");
	job.storage_account = strdup("account");
	job.storage_resource_group = strdup("account-group");
	job.container = strdup("seed");
	job.blob_prefix = strdup("pre/fix");
	job.location = strdup("westeurope");
	job.publish_settings = strdup("/p.settings");
	job.blob_type = strdup("page");
	job.cipher = strdup("aes256");
	job.recipient = strdup("Ann");
	job.street = strdup("Street 1");
	job.street2 = strdup("Floor 2");
	job.city = strdup("City");
	job.state = strdup("State");
	job.postal_code = strdup("12345");
	job.country = strdup("Country");
	job.phone = strdup("+1");
	job.email = strdup("a@b.c");
	job.carrier = strdup("FedEx");
	job.carrier_account = strdup("989");
	return job;
}

static inline int64_t insert_job(const char *name)
{
	_cleanup_(job_done) struct job job = example_job(name);
	struct err e;

	expect_ok(job_insert(s, &job, &e), &e);
	return job.id;
}

static inline struct shipping_drive example_drive(int64_t job_id, const char *drive_id)
{
	struct shipping_drive d = {
		.job_id = job_id,
		.phase = SHIPPING_LAID_OUT,
		.phase_ns = 2,
		.created_ns = 1,
		.size_bytes = 100,
		.partition_start_bytes = 101,
		.partition_bytes = 102,
		.cluster_bytes = 4096,
		.fve_meta_off_bytes = {103, 104, 105},
		.fve_vbb_off_bytes = 106,
		.fve_ice_off_bytes = 107,
		.manifest_bytes = 108,
		.streamed_bytes = 109,
	};

	d.target = strdup("/dev/sdx");
	d.drive_id = strdup(drive_id);
	d.session_id = strdup("nightly-1");
	d.cipher = strdup("aes256");
	d.journal_path = strdup("/j/WX.jrn");
	d.layout_path = strdup("/l/WX.img");
	d.manifest_path = strdup("\\DriveManifest.xml");
	memset(d.plan_digest, 0xab, sizeof(d.plan_digest));
	return d;
}

static inline int64_t insert_drive(int64_t job, const char *drive_id, enum shipping_phase phase,
				   uint64_t streamed_bytes)
{
	_cleanup_(shipping_drive_done) struct shipping_drive d = example_drive(job, drive_id);
	struct err e;

	d.phase = phase;
	d.streamed_bytes = streamed_bytes;
	expect_ok(shipping_drive_insert(s, &d, &e), &e);
	return d.id;
}

static inline int64_t count_rows(const char *query)
{
	_cleanup_(sql_closep) struct sql *db = NULL;
	char path[128];
	struct err e;
	int64_t n;

	(void)snprintf(path, sizeof(path), "%s/shipping.db", store);
	expect_ok(sql_open(path, SQL_READ_ONLY, &db, &e), &e);
	expect_ok(sql_get_i64(db, query, &n, &e), &e);
	return n;
}

#endif
