/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disk that plays power cuts keeps what it must, and really forgets the rest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/faultfs_disk.h"

#define SEEDS 200

static struct disk *d;

static int setup(void **state)
{
	(void)state;
	d = disk_new();
	return d ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	disk_free(d);
	return 0;
}

static struct node *create(const char *path)
{
	struct node *n;

	assert_int_equal(disk_create(d, path, S_IFREG | 0600, 0, 0, &n), 0);
	return n;
}

static void put(struct node *n, const char *text, uint64_t off_bytes)
{
	size_t len = strlen(text);

	assert_int_equal(disk_write(d, n, text, len, off_bytes), len);
}

static void assert_content(const char *path, const char *want)
{
	char have[64] = "";
	struct node *n = disk_find(d, path);

	assert_non_null(n);
	assert_int_equal(disk_read(d, n, have, sizeof(have) - 1, 0), strlen(want));
	assert_string_equal(have, want);
}

static void test_what_is_synced_stays(void **state)
{
	struct node *n = create("/f");

	(void)state;
	put(n, "durable", 0);
	assert_int_equal(disk_fsync(d, n), 0);
	assert_int_equal(disk_fsync(d, d->root), 0);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		disk_cut(d, seed);
		assert_content("/f", "durable");
	}
}

static void test_what_is_not_synced_may_go_or_stay(void **state)
{
	unsigned went = 0, stayed = 0, unnamed = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct node *n = create("/f");

		put(n, "old", 0);
		assert_int_equal(disk_fsync(d, n), 0);
		if (seed % 2)
			assert_int_equal(disk_fsync(d, d->root), 0);
		put(n, "new", 0);
		disk_cut(d, seed);
		n = disk_find(d, "/f");
		if (!n) {
			assert_int_equal(seed % 2, 0);
			unnamed++;
			continue;
		}
		went += memcmp(n->seen.bytes, "old", 3) == 0;
		stayed += memcmp(n->seen.bytes, "new", 3) == 0;
		assert_int_equal(disk_remove(d, "/f"), 0);
		assert_int_equal(disk_fsync(d, d->root), 0);
	}
	assert_true(went > 10 && stayed > 10 && unnamed > 10);
	assert_int_equal(went + stayed + unnamed, SEEDS);
}

static void test_writes_are_torn_between_sectors_only(void **state)
{
	static uint8_t ones[8 * DISK_SECTOR_BYTES];
	unsigned torn = 0;

	(void)state;
	memset(ones, 1, sizeof(ones));
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct node *n = create("/f");
		unsigned sum = 0;

		assert_int_equal(disk_resize(d, n, sizeof(ones)), 0);
		assert_int_equal(disk_fsync(d, n), 0);
		assert_int_equal(disk_fsync(d, d->root), 0);
		assert_int_equal(disk_write(d, n, ones, sizeof(ones), 0), sizeof(ones));
		disk_cut(d, seed);
		for (unsigned s = 0; s < 8; s++) {
			const uint8_t *sector = n->seen.bytes + (size_t)s * DISK_SECTOR_BYTES;

			for (unsigned i = 1; i < DISK_SECTOR_BYTES; i++)
				assert_int_equal(sector[i], sector[0]);
			sum += sector[0];
		}
		torn += sum > 0 && sum < 8;
		assert_int_equal(disk_remove(d, "/f"), 0);
	}
	assert_true(torn > 10);
}

static void test_rename_replaces_whole_or_not_at_all(void **state)
{
	unsigned old = 0, new = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct node *n = create("/name");

		put(n, "old", 0);
		assert_int_equal(disk_fsync(d, n), 0);
		n = create("/temporary");
		put(n, "new", 0);
		assert_int_equal(disk_fsync(d, n), 0);
		assert_int_equal(disk_fsync(d, d->root), 0);
		assert_int_equal(disk_rename(d, "/temporary", "/name"), 0);
		disk_cut(d, seed);
		n = disk_find(d, "/name");
		assert_non_null(n);
		old += memcmp(n->seen.bytes, "old", 3) == 0;
		new += memcmp(n->seen.bytes, "new", 3) == 0;
		(void)disk_remove(d, "/temporary");
		assert_int_equal(disk_remove(d, "/name"), 0);
	}
	assert_true(old > 10 && new > 10);
	assert_int_equal(old + new, SEEDS);
}

static void test_a_failed_fsync_loses_for_ever(void **state)
{
	struct node *n = create("/f");

	(void)state;
	assert_int_equal(disk_fsync(d, d->root), 0);
	assert_int_equal(disk_add_fault(d, DISK_FSYNC, 1, false, "f"), 0);
	put(n, "lost", 0);
	assert_int_equal(disk_fsync(d, n), -EIO);
	put(n, "kept", 4);
	assert_int_equal(disk_fsync(d, n), 0);
	assert_content("/f", "lostkept");
	disk_cut(d, 1);
	assert_memory_equal(n->seen.bytes, "\0\0\0\0kept", 8);
}

static void test_a_full_disk_writes_what_fits(void **state)
{
	static char data[3 * DISK_BLOCK_BYTES];
	struct node *n = create("/f"), *other;

	(void)state;
	d->capacity_blocks = d->used_blocks + 2;
	assert_int_equal(disk_write(d, n, data, sizeof(data), 0), 2 * DISK_BLOCK_BYTES);
	assert_int_equal(disk_write(d, n, data, 1, 2 * DISK_BLOCK_BYTES), -ENOSPC);
	assert_int_equal(disk_write(d, n, data, 100, 100), 100);
	assert_int_equal(disk_create(d, "/g", S_IFREG | 0600, 0, 0, &other), -ENOSPC);
	assert_int_equal(disk_punch(d, n, 0, DISK_BLOCK_BYTES), 0);
	assert_int_equal(disk_free_blocks(d), 1);
	assert_int_equal(disk_remove(d, "/f"), 0);
	assert_int_equal(disk_free_blocks(d), 3);
}

static void test_faults_strike_when_told(void **state)
{
	struct node *n = create("/00000001.pack");

	(void)state;
	assert_int_equal(disk_add_fault(d, DISK_WRITE, 2, false, "*.pack"), 0);
	put(n, "a", 0);
	assert_int_equal(disk_write(d, n, "b", 1, 1), -EIO);
	put(n, "c", 1);
	assert_int_equal(disk_add_fault(d, DISK_WRITE, 1, true, "*.pack"), 0);
	assert_int_equal(disk_write(d, n, "b", 1, 1), -EIO);
	assert_int_equal(disk_write(d, n, "b", 1, 1), -EIO);
	put(create("/other"), "d", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_synced_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_not_synced_may_go_or_stay, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_writes_are_torn_between_sectors_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_rename_replaces_whole_or_not_at_all, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_failed_fsync_loses_for_ever, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_full_disk_writes_what_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults_strike_when_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
