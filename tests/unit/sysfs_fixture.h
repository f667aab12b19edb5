/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A made-up machine: a folder with the parts of /sys, /proc, /run and /dev that tell of disks; include
 * behind cmocka.h.
 */
#ifndef SEEDSHIP_TESTS_SYSFS_FIXTURE_H
#define SEEDSHIP_TESTS_SYSFS_FIXTURE_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "exporter/block/disk.h"
#include "tests/lib/expect.h"

#define ATA "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0"
#define USB "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0"

static char machine[64];

static inline void make_parents(char *path)
{
	for (char *c = path + strlen(machine) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*c = '/';
	}
}

static inline void put_bytes(const char *path, const void *data, size_t len_bytes)
{
	char whole[512];
	int fd;

	(void)snprintf(whole, sizeof(whole), "%s%s", machine, path);
	make_parents(whole);
	fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, data, len_bytes), 0);
	assert_int_equal(close(fd), 0);
}

/* path: below the machine's root. */
static inline void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

/* An attribute of a block device. */
static inline void put_attribute(const char *name, const char *attribute, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/%s", name, attribute);
	put(path, text);
}

static inline void put_link(const char *path, const char *target)
{
	char whole[512];

	(void)snprintf(whole, sizeof(whole), "%s%s", machine, path);
	make_parents(whole);
	assert_int_equal(symlink(target, whole), 0);
}

/* A block device called name at the folder `at` of /sys/devices, with its link in /sys/class/block. */
static inline void put_device(const char *at, const char *name, const char *number,
			      const char *sectors)
{
	char path[512], target[512];

	(void)snprintf(target, sizeof(target), "../../devices/%s/%s", at, name);
	(void)snprintf(path, sizeof(path), "/sys/devices/%s/%s/dev", at, name);
	put(path, number);
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", name);
	put_link(path, target);
	put_attribute(name, "size", sectors);
	put_attribute(name, "ro", "0\n");
	put_attribute(name, "removable", "0\n");
}

/* A disk with hardware behind it. */
static inline void put_disk(const char *hardware, const char *name, const char *number)
{
	char at[256], path[320];

	(void)snprintf(at, sizeof(at), "%s/block", hardware);
	put_device(at, name, number, "7814037168\n");
	put_attribute(name, "queue/logical_block_size", "512\n");
	put_attribute(name, "queue/physical_block_size", "4096\n");
	put_attribute(name, "queue/rotational", "1\n");
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/device", name);
	put_link(path, "../..");
}

static inline void put_partition(const char *hardware, const char *disk, const char *name,
				 const char *number)
{
	char at[256];

	(void)snprintf(at, sizeof(at), "%s/block/%s", hardware, disk);
	put_device(at, name, number, "1000\n");
	put_attribute(name, "partition", "1\n");
}

/* Something the kernel has built on a device. */
static inline void put_holder(const char *below, const char *name, const char *number)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/sys/class/block/%s", machine, name);
	if (access(path, F_OK) < 0)
		put_device("virtual/block", name, number, "1000\n");
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/holders/%s", below, name);
	put_link(path, "../../..");
}

/* The vital product data page that holds a serial number. */
static inline void put_vpd(const char *name, const char *serial)
{
	char path[256];
	uint8_t page[256] = {0, 0x80, 0, (uint8_t)strlen(serial)};

	memcpy(page + 4, serial, strlen(serial));
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/device/vpd_pg80", name);
	put_bytes(path, page, 4 + strlen(serial));
}

static inline int make_machine(void **state)
{
	(void)state;
	strcpy(machine, "/tmp/test_disk.XXXXXX");
	if (!mkdtemp(machine))
		return -1;
	put("/proc/self/mountinfo", "");
	put("/proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	put("/sys/fs/btrfs/features/x", "");
	put_disk(ATA, "sda", "8:0\n");
	put_attribute("sda", "device/vendor", "ATA     \n");
	put_attribute("sda", "device/model", "WDC WD40EFRX-68N\n");
	put_vpd("sda", "     WD-WCC7K1234567");
	return 0;
}

static inline int remove_machine(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", machine);
	return system(command); /* NOLINT(cert-env33-c): a path of our own making */
}

static inline struct disk get_disk(unsigned major, unsigned minor)
{
	struct disk d = {0};
	struct err e = {0};

	expect_ok(disk_of_number(machine, major, minor, &d, &e), &e);
	return d;
}

/* sda is refused, and this is why. */
static inline void expect_refused(const char *text)
{
	struct disk d = get_disk(8, 0);

	if (!strstr(d.reason, text))
		fail_msg("the reason is '%s', not '%s'", d.reason, text);
}

#define MACHINE_TEST(f) cmocka_unit_test_setup_teardown(f, make_machine, remove_machine)

#endif
