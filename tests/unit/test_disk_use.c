/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who uses a disk: mounts, swap, what the kernel has built on it, all the way up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/sysfs_fixture.h"

#define MOUNTS "/proc/self/mountinfo"
#define SWAPS  "Filename Type Size Used Priority\n"

/* One line of mountinfo before and behind what is asked for, as there always are. */
static void put_mount(const char *number, const char *point, const char *source)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
		       "30 27 %s / %s rw,relatime shared:1 master:2 - ext4 %s rw\n"
		       "31 27 0:22 / /sys rw - sysfs sysfs rw\n",
		       number, point, source);
	put(MOUNTS, text);
}

static int make_with_partition(void **state)
{
	int r = make_machine(state);

	put_partition(ATA, "sda", "sda1", "8:1\n");
	put_disk("pci0/ata2/host2", "sdb", "8:16");
	put_partition("pci0/ata2/host2", "sdb", "sdb1", "8:17\n");
	return r;
}

static void test_unused(void **state)
{
	(void)state;
	put_mount("8:17", "/", "/dev/sdb1");
	assert_string_equal(get_disk(8, 0).reason, "");
	put("/proc/swaps", SWAPS "/dev/sdb partition 1 0 -2\n/swapfile file 1 0 -2\n");
	put_holder("sdb", "dm-0", "253:0\n");
	assert_string_equal(get_disk(8, 0).reason, "");
}

static void test_mounted(void **state)
{
	(void)state;
	put_mount("8:0", "/mnt", "/dev/sda");
	expect_refused("is in use: sda is mounted at '/mnt'");
	put_mount("8:1", "/mnt/a\\040b\\134", "/dev/sda1");
	expect_refused("is in use: sda1 is mounted at '/mnt/a b\\'");
	/* A file system with a number of its own: btrfs. */
	put_mount("0:44", "/data", "/dev/sda1");
	expect_refused("is in use: sda1 is mounted at '/data'");
	put(MOUNTS, "rubbish\n1 2\n\n8:0\n1 2 8:0\n");
	assert_string_equal(get_disk(8, 0).reason, "");
}

static void test_system(void **state)
{
	(void)state;
	put_mount("8:1", "/", "/dev/sda1");
	expect_refused("holds the running system: '/' is on sda1");
	put_mount("8:1", "/boot/efi", "/dev/sda1");
	expect_refused("holds the running system: '/boot/efi' is on sda1");
	put_mount("8:1", "/bootleg", "/dev/sda1");
	expect_refused("is in use");
	/* What is mounted first does not hide the system behind it. */
	put(MOUNTS, "1 2 8:1 / /home rw - ext4 /dev/sda1 rw\n"
		    "1 2 8:1 / /usr rw - ext4 /dev/sda1 rw\n");
	expect_refused("'/usr' is on sda1");
	/* Through encryption and LVM. */
	put_holder("sda1", "dm-0", "253:0\n");
	put_holder("dm-0", "dm-1", "253:1\n");
	put_mount("253:1", "/", "/dev/mapper/vg-root");
	expect_refused("holds the running system: '/' is on dm-1");
	/* Through RAID on the whole disk. */
	put_holder("sda", "md127", "9:127\n");
	put_mount("9:127", "/usr", "/dev/md127");
	expect_refused("holds the running system: '/usr' is on md127");
}

static void test_no_proc(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s" MOUNTS, machine);
	assert_int_equal(unlink(path), 0);
	expect_refused("cannot be checked");
}

static void test_swap(void **state)
{
	(void)state;
	put("/proc/swaps", SWAPS "/dev/sda1                               partition\t1\t0\t-2\n");
	expect_refused("is in use: sda1 is swap space");
	put_holder("sda1", "dm-2", "253:2\n");
	put("/proc/swaps", SWAPS "/dev/dm-2 partition 1 0 -2\n");
	expect_refused("is in use: dm-2 is swap space");
}

static void test_holders(void **state)
{
	(void)state;
	put_holder("sda1", "dm-3", "253:3\n");
	put_attribute("dm-3", "dm/name", "vg-data\n");
	expect_refused("is in use: dm-3 ('vg-data') is built on it");
}

static void test_raid(void **state)
{
	(void)state;
	put_holder("sda", "md0", "9:0\n");
	put_holder("md0", "md0", "9:0\n"); /* a ring, which no kernel makes, must not hang */
	expect_refused("is in use: md0 is built on it");
}

static void test_loop_on_it(void **state)
{
	(void)state;
	put_device("virtual/block", "loop0", "7:0\n", "1000\n");
	put_attribute("loop0", "loop/backing_file", "/srv/sda1\n");
	put_device("virtual/block", "loop3", "7:3\n", "1000\n");
	put_attribute("loop3", "loop/backing_file", "/dev/sda1\n");
	expect_refused("is in use: loop3 is built on it");
	put_mount("7:3", "/mnt", "/dev/loop3");
	expect_refused("is in use: loop3 is mounted at '/mnt'");
}

static void test_btrfs_member(void **state)
{
	(void)state;
	put("/sys/fs/btrfs/1234-5678/devices/sdb", "");
	assert_string_equal(get_disk(8, 0).reason, "");
	put("/sys/fs/btrfs/1234-5678/devices/sda1", "");
	expect_refused("part of a mounted btrfs");
}

#define USE_TEST(f) cmocka_unit_test_setup_teardown(f, make_with_partition, remove_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		USE_TEST(test_unused),	USE_TEST(test_mounted),	   USE_TEST(test_system),
		USE_TEST(test_no_proc), USE_TEST(test_swap),	   USE_TEST(test_holders),
		USE_TEST(test_raid),	USE_TEST(test_loop_on_it), USE_TEST(test_btrfs_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
