/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drive id of a disk, and whether a disk is the one that was begun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exporter/cmd/disk_target.h"
#include "exporter/drive/drive_impl.h"
#include "tests/lib/shipping_fixture.h"
#include "tests/lib/target_mem.h"

#define DISK_BYTES (16 * MiB + 512) /* no number of MiB: most disks are none */
#define KEY_ID	   "de64a2ed-418b-4bf2-901a-40b2b1d9254c"

/* ---- drive id ---- */

static struct disk disk_with(enum disk_serial from, const char *serial)
{
	struct disk d = {.path = "/dev/sdx", .serial_from = from};

	(void)snprintf(d.serial, sizeof(d.serial), "%s", serial);
	return d;
}

static void expect_id(enum disk_serial from, const char *serial, const char *given,
		      const char *want)
{
	struct disk d = disk_with(from, serial);
	char id[DRIVE_ID_MAX + 1];
	struct err e = {0};

	expect_ok(disk_drive_id(&d, given, id, &e), &e);
	assert_string_equal(id, want);
}

static void expect_no_id(enum disk_serial from, const char *serial, const char *given,
			 const char *text)
{
	struct disk d = disk_with(from, serial);
	char id[DRIVE_ID_MAX + 1];
	struct err e = {0};

	expect_err(disk_drive_id(&d, given, id, &e), &e, EINVAL, ERR_USER, text);
}

static void test_drive_id(void **state)
{
	(void)state;
	expect_id(DISK_SERIAL_HARDWARE, "WD-1", NULL, "WD-1");
	expect_id(DISK_SERIAL_HARDWARE, "WD-1", "WD-1", "WD-1");
	expect_no_id(DISK_SERIAL_HARDWARE, "WD-1", "WD-2",
		     "has the serial number 'WD-1', not 'WD-2'");
	expect_no_id(DISK_SERIAL_HARDWARE, "WD-1", "wd-1", "not 'wd-1'");
	expect_no_id(DISK_SERIAL_HARDWARE, "../1", NULL, "'.' is not a letter");
	expect_no_id(DISK_SERIAL_HARDWARE, "0123456789012345678901234567890123456789", NULL,
		     "1 to 32");
	expect_id(DISK_SERIAL_BRIDGE, "JM1", "WD-1", "WD-1");
	expect_no_id(DISK_SERIAL_BRIDGE, "JM1", NULL, "'JM1', is told by a USB adapter");
	expect_id(DISK_SERIAL_NONE, "", "WD-1", "WD-1");
	expect_no_id(DISK_SERIAL_NONE, "", NULL, "'/dev/sdx' has no serial number");
	expect_no_id(DISK_SERIAL_NONE, "", "a/b", "'/' is not a letter");
	expect_no_id(DISK_SERIAL_NONE, "", "", "1 to 32");
}

/* ---- recognising a disk ---- */

static struct target *disk;
static struct job job = {.name = (char *)"nightly"};

static int setup(void **state)
{
	int r = open_store(state);

	job.id = insert_job("nightly");
	return r < 0 ? r : target_mem_new(DISK_BYTES, 512, &disk);
}

static int teardown(void **state)
{
	target_close(disk);
	return close_store(state);
}

static void begin_drive(enum shipping_phase phase, uint64_t size_bytes)
{
	_cleanup_(shipping_drive_done) struct shipping_drive d = example_drive(job.id, "WX1");
	struct err e = {0};

	d.phase = phase;
	d.size_bytes = size_bytes;
	d.recovery_key_id = strdup(KEY_ID);
	expect_ok(shipping_drive_insert(s, &d, &e), &e);
}

/* The partition table of the drive whose recovery key has this id. */
static void put_table(const char *key_id)
{
	struct shipping_drive row = {.recovery_key_id = (char *)key_id};
	struct gpt_partition data = {0};
	struct err e = {0};

	expect_ok(gpt_plan(DISK_BYTES, 512, &data, &e), &e);
	drive_partition_guids(&row, &data);
	expect_ok(gpt_write(disk, &data, &e), &e);
}

static int recognise(bool sure, bool *ret, struct err *e)
{
	struct drive_request request = {
		.shipping = s, .job = &job, .disk = disk, .serial = "WX1", .target = "/dev/sdx"};

	return drive_recognise(&request, sure, ret, e);
}

static void expect_recognised(bool sure, bool want)
{
	struct err e = {0};
	bool ours = !want;

	expect_ok(recognise(sure, &ours, &e), &e);
	assert_int_equal(ours, want);
}

static void expect_other(const char *text)
{
	struct err e = {0};
	bool ours = true;

	expect_err(recognise(true, &ours, &e), &e, EINVAL, ERR_USER, text);
	assert_false(ours);
}

static void test_never_begun(void **state)
{
	(void)state;
	put_table(KEY_ID);
	expect_recognised(true, false);
}

/* Nothing was written yet: what the disk says of itself is all there is. */
static void test_laid_out(void **state)
{
	(void)state;
	begin_drive(SHIPPING_LAID_OUT, DISK_BYTES);
	expect_recognised(true, true);
	expect_recognised(false, false);
	put_table("4967d63b-2e29-4ad8-8399-f6a339e3d001");
	expect_recognised(false, false);
	put_table(KEY_ID);
	expect_recognised(false, true);
}

static void test_streaming(void **state)
{
	(void)state;
	begin_drive(SHIPPING_STREAMING, DISK_BYTES);
	expect_other("is not the disk that drive WX1 was begun on");
	put_table("4967d63b-2e29-4ad8-8399-f6a339e3d001");
	expect_other("is not the disk that drive WX1 was begun on");
	put_table(KEY_ID);
	expect_recognised(false, true);
	expect_recognised(true, true);
}

static void test_other_size(void **state)
{
	(void)state;
	begin_drive(SHIPPING_LAID_OUT, DISK_BYTES - 512);
	put_table(KEY_ID);
	expect_other("was begun on a disk of 16777216 bytes");
}

/* RFC 4122 has no example of version 5; this one is Python's uuid5(NAMESPACE_DNS, ...). */
static void test_guid_of_name(void **state)
{
	uint8_t space[GUID_BYTES], guid[GUID_BYTES];
	char text[GUID_TEXT_BYTES];

	(void)state;
	assert_int_equal(guid_parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8", space), 0);
	guid_of_name(space, "www.example.com", guid);
	assert_string_equal(guid_format(guid, text), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

#define DISK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drive_id), DISK_TEST(test_never_begun),
		DISK_TEST(test_laid_out),	 DISK_TEST(test_streaming),
		DISK_TEST(test_other_size),	 cmocka_unit_test(test_guid_of_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
