/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is on a disk, in words. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/le.h"
#include "exporter/block/disk_content.h"
#include "exporter/block/gpt.h"
#include "exporter/block/target_file.h"
#include "tests/lib/expect.h"

#define DISK_BYTES (16 * MiB)

static char path[64];
static struct target *disk;

static int setup(void **state)
{
	struct err e = {0};
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_disk_content.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && close(fd) == 0);
	expect_ok(target_file_create(path, DISK_BYTES, &disk, &e), &e);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	target_close(disk);
	return unlink(path);
}

static void expect_content(bool empty, const char *text)
{
	struct disk_content content;
	struct err e = {0};

	expect_ok(disk_content_read(disk, &content, &e), &e);
	assert_string_equal(content.text, text);
	assert_int_equal(content.empty, empty);
}

static void put(uint64_t off_bytes, const void *data, size_t len_bytes)
{
	struct err e = {0};

	expect_ok(target_pwrite(disk, data, len_bytes, off_bytes, &e), &e);
}

/* The characters alone, without a NUL behind them. */
static void put_chars(uint8_t *out, const char *text)
{
	while (*text)
		*out++ = (uint8_t)*text++;
}

/* Swap space (linux/swap.h: union swap_header) over four pages. */
static void put_swap(uint64_t off_bytes, const char *label)
{
	uint8_t page[4096] = {0};

	le32_store(page + 1024, 1);
	le32_store(page + 1028, 3);
	put_chars(page + 1036, "0123456789abcdef");
	(void)snprintf((char *)page + 1052, 16, "%s", label);
	put_chars(page + sizeof(page) - 10, "SWAPSPACE2");
	put(off_bytes, page, sizeof(page));
}

static void test_empty(void **state)
{
	(void)state;
	expect_content(true, "empty");
	put(5 * MiB, "far from both ends", 18);
	expect_content(true, "empty");
}

static void test_unknown(void **state)
{
	(void)state;
	put(DISK_BYTES - 7, "x", 1);
	expect_content(false, "data of an unknown kind");
	put(DISK_BYTES - 7, "", 1);
	put(MiB - 1, "x", 1);
	expect_content(false, "data of an unknown kind");
}

static void test_file_system(void **state)
{
	(void)state;
	put_swap(0, "spare");
	expect_content(false, "swap 'spare'");
	/* A label is anybody's bytes, and this goes to a terminal. */
	put_swap(0, "a\x1b[2J\xff");
	expect_content(false, "swap 'a?[2J?'");
}

static void test_partitions(void **state)
{
	struct gpt_partition data = {0};
	struct err e = {0};

	(void)state;
	expect_ok(gpt_plan(DISK_BYTES, 512, &data, &e), &e);
	guid_random(data.guid);
	guid_random(data.disk_guid);
	expect_ok(gpt_write(disk, &data, &e), &e);
	expect_content(false, "gpt: something (14.0 MiB)");
	put_swap(MiB, "inside");
	expect_content(false, "gpt: swap 'inside' (14.0 MiB)");
	/* The backup table alone is a table, too. */
	put(0, (uint8_t[1024]){0}, 1024);
	expect_content(false, "gpt: swap 'inside' (14.0 MiB)");
}

/* One primary partition from sector 2048 on. */
static void test_mbr(void **state)
{
	uint8_t sector[512] = {0};

	(void)state;
	sector[446 + 4] = 0x83;
	le32_store(sector + 446 + 8, 2048);
	le32_store(sector + 446 + 12, 4096);
	le16_store(sector + 510, 0xaa55);
	put(0, sector, sizeof(sector));
	expect_content(false, "dos: something (2.00 MiB)");
	put_swap(MiB, "");
	expect_content(false, "dos: swap (2.00 MiB)");
	/* A partition that is not on the disk. */
	le32_store(sector + 446 + 8, 1 << 30);
	put(0, sector, sizeof(sector));
	expect_content(false, "dos without partitions");
}

#define CONTENT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTENT_TEST(test_empty),	CONTENT_TEST(test_unknown),
		CONTENT_TEST(test_file_system), CONTENT_TEST(test_partitions),
		CONTENT_TEST(test_mbr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
