/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The partition table: golden bytes made by sgdisk, damage, hostile tables, and sgdisk's own
 * verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/le.h"
#include "exporter/block/gpt_layout.h"
#include "exporter/block/target_file.h"
#include "tests/lib/expect.h"
#include "tests/lib/target_fault.h"
#include "tests/lib/target_mem.h"

#define DISK_BYTES (64 * MiB)
#define BACKUP	   (DISK_BYTES - 512)

static struct gpt_partition planned(uint64_t disk_bytes, uint32_t sector_bytes)
{
	struct gpt_partition p;
	struct err e = {0};

	expect_ok(gpt_plan(disk_bytes, sector_bytes, &p, &e), &e);
	assert_int_equal(guid_parse("00112233-4455-6677-8899-aabbccddeeff", p.disk_guid), 0);
	assert_int_equal(guid_parse("01234567-89ab-cdef-0123-456789abcdef", p.guid), 0);
	return p;
}

static struct target *written(uint64_t disk_bytes, uint32_t sector_bytes)
{
	struct gpt_partition p = planned(disk_bytes, sector_bytes);
	struct target *t;
	struct err e = {0};

	assert_int_equal(target_mem_new(disk_bytes, sector_bytes, &t), 0);
	expect_ok(gpt_write(t, &p, &e), &e);
	return t;
}

static void test_plan(void **state)
{
	struct gpt_partition p;
	struct err e = {0};

	(void)state;
	p = planned(DISK_BYTES, 512);
	assert_int_equal(p.off_bytes, 2048 * 512);
	assert_int_equal(p.size_bytes, 62 * MiB);
	/* The backup table just fits behind the last MiB, and just does not. */
	p = planned(10 * MiB + 33 * 512, 512);
	assert_int_equal(p.off_bytes + p.size_bytes, 10 * MiB);
	p = planned(10 * MiB + 32 * 512, 512);
	assert_int_equal(p.off_bytes + p.size_bytes, 9 * MiB);
	p = planned(UINT64_C(18000207937536), 512); /* an 18 TB drive */
	assert_int_equal(p.off_bytes + p.size_bytes, UINT64_C(18000206888960));
	expect_err(gpt_plan(2 * MiB, 512, &p, &e), &e, EINVAL, ERR_USER, "too small");
	expect_err(gpt_plan(DISK_BYTES, 520, &p, &e), &e, EINVAL, ERR_USER, "sectors of 520");
}

static void test_golden(void **state)
{
	struct target *t = written(DISK_BYTES, 512);
	const uint8_t *d = target_mem_data(t);

	(void)state;
	/* UEFI wants the true end in CHS or FFFFFF; the rest as sgdisk writes it. */
	expect_hex(d + 446, 66,
		   "00000200eeffffff01000000ffff0100 00000000000000000000000000000000"
		   "00000000000000000000000000000000 00000000000000000000000000000000 55aa");
	expect_hex(d + 512, 92,
		   "4546492050415254000001005c00000087b7303700000000010000000000"
		   "0000ffff0100000000002200000000000000deff01000000000033221100"
		   "554477668899aabbccddeeff020000000000000080000000800000003e97671d");
	expect_hex(d + 1024, 128,
		   "a2a0d0ebe5b9334487c068b6b72699c767452301ab89efcd0123456789ab"
		   "cdef0008000000000000fff7010000000000000000000000000042006100"
		   "730069006300200064006100740061002000700061007200740069007400"
		   "69006f006e00000000000000000000000000000000000000000000000000"
		   "0000000000000000");
	expect_hex(d + BACKUP, 92,
		   "4546492050415254000001005c000000427b3cb900000000ffff01000000"
		   "000001000000000000002200000000000000deff01000000000033221100"
		   "554477668899aabbccddeeffdfff01000000000080000000800000003e97671d");
	assert_memory_equal(d + 1024, d + BACKUP - GPT_ENTRIES_BYTES, GPT_ENTRIES_BYTES);
	target_close(t);
}

/*
 * Nothing of the disk's former life is left outside the partition, and nothing inside is touched.
 */
static void test_wipes_around(void **state)
{
	struct gpt_partition p = planned(DISK_BYTES, 512);
	size_t left = 0, touched = 0;
	struct err e = {0};
	struct target *t;
	uint8_t *d;

	(void)state;
	assert_int_equal(target_mem_new(DISK_BYTES, 512, &t), 0);
	d = target_mem_data(t);
	memset(d, 0xa5, DISK_BYTES);
	expect_ok(gpt_write(t, &p, &e), &e);

	for (uint64_t i = 0; i < DISK_BYTES; i++) {
		if (i >= p.off_bytes && i < p.off_bytes + p.size_bytes)
			touched += d[i] != 0xa5;
		else
			left += d[i] == 0xa5;
	}
	assert_int_equal(touched, 0);
	assert_int_equal(left, 0);
	target_close(t);
}

static void expect_planned(struct target *t, bool primary_damaged)
{
	struct gpt_partition p, want = planned(t->size_bytes, t->sector_bytes);
	struct err e = {0};

	expect_ok(gpt_read(t, &p, &e), &e);
	assert_int_equal(p.off_bytes, want.off_bytes);
	assert_int_equal(p.size_bytes, want.size_bytes);
	assert_memory_equal(p.guid, want.guid, GUID_BYTES);
	assert_memory_equal(p.disk_guid, want.disk_guid, GUID_BYTES);
	assert_int_equal(p.primary_damaged, primary_damaged);
}

static void test_read(void **state)
{
	struct target *t = written(DISK_BYTES, 512);

	(void)state;
	expect_planned(t, false);
	target_close(t);
	t = written(DISK_BYTES, 4096);
	assert_memory_equal(target_mem_data(t) + 4096, "EFI PART", 8);
	expect_planned(t, false);
	target_close(t);
}

/* Any changed byte of the primary table sends the reader to the backup, and of both to an error. */
static void test_damage(void **state)
{
	struct target *t = written(DISK_BYTES, 512);
	uint8_t *d = target_mem_data(t);
	struct gpt_partition p;
	struct err e = {0};

	(void)state;
	/*
	 * Every byte of the header and of two entries, then some; behind the header the sector is
	 * unused.
	 */
	for (size_t i = 512; i < 1024 + GPT_ENTRIES_BYTES; i += i < 1280 ? 1 : 997) {
		if (i >= 512 + GPT_HEADER_BYTES && i < 1024)
			continue;
		d[i] ^= 0x40;
		expect_planned(t, true);
		d[i] ^= 0x40;
	}
	expect_planned(t, false);
	for (size_t i = 0; i < GPT_HEADER_BYTES; i++) {
		d[512] ^= 1;
		d[BACKUP + i] ^= 0x10;
		expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, "signature missing");
		d[512] ^= 1;
		d[BACKUP + i] ^= 0x10;
	}
	target_close(t);
}

static void test_no_table(void **state)
{
	struct target *t = written(DISK_BYTES, 512);
	uint8_t *d = target_mem_data(t);
	struct gpt_partition p;
	struct err e = {0};

	(void)state;
	d[446 + 4] = 0x07; /* an MBR disk */
	expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, "MBR partition table");
	d[446 + 4] = 0xee;
	d[511] = 0;
	expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, "no partition table");
	target_close(t);
	assert_int_equal(target_mem_new(1024, 512, &t), 0);
	expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, "too small");
	target_close(t);
}

/* Changes a field of both headers and makes the checksums right again. */
static void forge_header(struct target *t, size_t off, uint64_t v, size_t bytes)
{
	uint8_t *d = target_mem_data(t);

	for (int copy = 0; copy < 2; copy++) {
		uint8_t *header = copy ? d + BACKUP : d + 512;

		for (size_t i = 0; i < bytes; i++)
			header[off + i] = (uint8_t)(v >> 8 * i);
		le32_store(header + GPT_OFF_HEADER_CRC, 0);
		le32_store(header + GPT_OFF_HEADER_CRC, crc32_of(header, GPT_HEADER_BYTES));
	}
}

static void forge_entry(struct target *t, size_t off, uint64_t v)
{
	uint8_t *d = target_mem_data(t);

	le64_store(d + 1024 + off, v);
	memcpy(d + BACKUP - GPT_ENTRIES_BYTES, d + 1024, GPT_ENTRIES_BYTES);
	forge_header(t, GPT_OFF_ENTRIES_CRC, crc32_of(d + 1024, GPT_ENTRIES_BYTES), 4);
}

static void test_hostile_headers(void **state)
{
	static const struct {
		size_t off, bytes;
		uint64_t value;
		const char *text;
	} forged[] = {
		{GPT_OFF_REVISION, 4, 0x00020000, "revision"},
		{GPT_OFF_HEADER_BYTES, 4, 0, "header of 0"},
		{GPT_OFF_HEADER_BYTES, 4, UINT32_MAX, "header of 4294967295"},
		{GPT_OFF_MY_LBA, 8, 7, "another place"},
		{GPT_OFF_FIRST_USABLE_LBA, 8, UINT64_MAX, "usable sectors"},
		{GPT_OFF_LAST_USABLE_LBA, 8, DISK_BYTES / 512, "usable sectors"},
		{GPT_OFF_LAST_USABLE_LBA, 8, 33, "usable sectors"},
		{GPT_OFF_ENTRIES_LBA, 8, 1, "entries at"},
		{GPT_OFF_ENTRIES_LBA, 8, DISK_BYTES / 512 - 31, "entries at"},
		{GPT_OFF_ENTRIES_LBA, 8, UINT64_MAX, "entries at"},
		{GPT_OFF_ENTRY_COUNT, 4, UINT32_MAX, "entries of"},
		{GPT_OFF_ENTRY_COUNT, 4, 0, "entries of"},
		{GPT_OFF_ENTRY_BYTES, 4, 0, "entries of"},
		{GPT_OFF_ENTRY_BYTES, 4, 129, "entries of"},
		{GPT_OFF_ENTRY_BYTES, 4, 0x80000000, "entries of"},
		{GPT_OFF_ENTRIES_CRC, 4, 0, "checksum of the entries"},
	};
	struct gpt_partition p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		struct target *t = written(DISK_BYTES, 512);
		struct err e = {0};

		forge_header(t, forged[i].off, forged[i].value, forged[i].bytes);
		expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, forged[i].text);
		target_close(t);
	}
}

static void test_hostile_entries(void **state)
{
	struct target *t = written(DISK_BYTES, 512);
	uint64_t last = 63 * 2048 - 1;
	struct gpt_partition p;
	struct err e = {0};

	(void)state;
	forge_entry(t, GPT_ENTRY_OFF_FIRST_LBA, 1);
	expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, "partition from sector 1");
	forge_entry(t, GPT_ENTRY_OFF_FIRST_LBA, last + 1);
	expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, "partition from");
	forge_entry(t, GPT_ENTRY_OFF_FIRST_LBA, 2048);
	forge_entry(t, GPT_ENTRY_OFF_LAST_LBA, UINT64_MAX);
	expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, "partition from");
	forge_entry(t, GPT_ENTRY_OFF_LAST_LBA, last);
	expect_planned(t, false);
	forge_entry(t, GPT_ENTRY_OFF_TYPE, 0x1234);
	expect_err(gpt_read(t, &p, &e), &e, EBADMSG, ERR_CORRUPT, "no data partition");
	target_close(t);
}

/* A partition that is not the planned one is not written. */
static void test_write_refuses(void **state)
{
	struct gpt_partition p = planned(DISK_BYTES, 512);
	struct target *t;
	struct err e = {0};

	(void)state;
	assert_int_equal(target_mem_new(DISK_BYTES, 512, &t), 0);
	p.size_bytes += MiB;
	expect_err(gpt_write(t, &p, &e), &e, EINVAL, ERR_SYSTEM, "not planned");
	target_close(t);
}

/* Whatever fails, gpt_write() says so; and it ends with a flush. */
static void test_write_faults(void **state)
{
	struct gpt_partition p = planned(DISK_BYTES, 512);
	struct target *base, *disk;
	struct err e = {0};
	uint64_t calls;

	(void)state;
	assert_int_equal(target_mem_new(DISK_BYTES, 512, &base), 0);
	assert_int_equal(target_fault_new(base, &disk), 0);
	expect_ok(gpt_write(disk, &p, &e), &e);
	expect_planned(base, false);
	calls = target_fault_count(disk, FAULT_PWRITE) + target_fault_count(disk, FAULT_FLUSH);
	for (uint64_t nth = 1; nth <= calls; nth++) {
		struct fault_plan plan = {.op = FAULT_ANY, .nth = nth, .kind = FAULT_POWER_CUT};

		target_fault_arm(disk, &plan);
		expect_err(gpt_write(disk, &p, &e), &e, EIO, ERR_SYSTEM, "write partition table");
	}
	target_close(disk);
	target_close(base);
}

/* An independent judge. */
static void test_sgdisk(void **state)
{
	char dir[] = "/tmp/seedship-gpt-XXXXXX", path[64], command[128], line[256];
	struct gpt_partition p = planned(3 * TiB, 512);
	bool sound = false, partition = false;
	struct target *t;
	struct err e = {0};
	FILE *out;

	(void)state;
	if (system("command -v sgdisk >/dev/null") != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/disk", dir);
	expect_ok(target_file_create(path, 3 * TiB, &t, &e), &e);
	expect_ok(gpt_write(t, &p, &e), &e);
	expect_planned(t, false);
	target_close(t);
	(void)snprintf(command, sizeof(command), "sgdisk -v -p %s 2>&1", path);
	out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof(line), out)) {
		sound = sound || strstr(line, "No problems found");
		partition =
			partition || (strstr(line, "0700") && strstr(line, "Basic data partition"));
	}
	assert_int_equal(pclose(out), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_true(sound);
	assert_true(partition);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_wipes_around),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_hostile_headers),
		cmocka_unit_test(test_hostile_entries),
		cmocka_unit_test(test_write_refuses),
		cmocka_unit_test(test_write_faults),
		cmocka_unit_test(test_sgdisk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
