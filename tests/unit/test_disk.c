/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a disk is: facts, serial numbers, and what makes one no drive by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "exporter/block/disk_impl.h"
#include "tests/unit/sysfs_fixture.h"

static void test_facts(void **state)
{
	struct disk d = get_disk(8, 0);

	(void)state;
	assert_string_equal(d.name, "sda");
	assert_string_equal(d.path, "/dev/sda");
	assert_string_equal(d.model, "WDC WD40EFRX-68N");
	assert_string_equal(d.serial, "WD-WCC7K1234567");
	assert_int_equal(d.serial_from, DISK_SERIAL_HARDWARE);
	assert_string_equal(d.bus, "sata");
	assert_true(d.real && d.rotational && !d.read_only && !d.removable);
	assert_int_equal(d.size_bytes, UINT64_C(4000787030016));
	assert_int_equal(d.logical_sector_bytes, 512);
	assert_int_equal(d.physical_sector_bytes, 4096);
	assert_string_equal(d.reason, "");
}

static void expect_bus(const char *hardware, const char *name, const char *number, unsigned major,
		       const char *bus)
{
	put_disk(hardware, name, number);
	assert_string_equal(get_disk(major, 0).bus, bus);
}

static void test_bus(void **state)
{
	(void)state;
	expect_bus("pci0000:00/0000:01:00.0/nvme/nvme0", "nvme0n1", "259:0", 259, "nvme");
	expect_bus("pci0000:00/0000:00:02.0/virtio1", "vda", "254:0", 254, "virtio");
	expect_bus("pci0/host2/port-2:0/end_device-2:0/target2:0:0/2:0:0:0", "sdx", "65:0", 65,
		   "sas");
	put_attribute("sdx", "device/vendor", "ATA     \n");
	assert_string_equal(get_disk(65, 0).bus, "sata");
	put_attribute("sdx", "device/vendor", "SEAGATE \n");
	put_attribute("sdx", "device/model", "ST4000NM0023    \n");
	assert_string_equal(get_disk(65, 0).model, "SEAGATE ST4000NM0023");
	expect_bus("platform/host7/session1/target7:0:0/7:0:0:0", "sdy", "66:0", 66, "iscsi");
	expect_bus(USB, "sdz", "67:0", 67, "usb");
	expect_bus("platform/soc/mmc_host/mmc0/mmc0:1234", "mmcblk0", "179:0", 179, "mmc");
	expect_bus("pci0/other", "cciss!c0d0", "104:0", 104, "other");
	assert_string_equal(get_disk(104, 0).path, "/dev/cciss/c0d0");
}

/* ---- serial numbers ---- */

static void expect_serial(unsigned major, enum disk_serial from, const char *serial)
{
	struct disk d = get_disk(major, 0);

	assert_string_equal(d.serial, serial);
	assert_int_equal(d.serial_from, from);
}

static void test_serial_sources(void **state)
{
	(void)state;
	put_disk("pci0/nvme/nvme0", "nvme0n1", "259:0");
	expect_serial(259, DISK_SERIAL_NONE, "");
	put_attribute("nvme0n1", "device/serial", "S4EV NX0M 12  \n");
	expect_serial(259, DISK_SERIAL_HARDWARE, "S4EVNX0M12");

	put_disk("pci0/virtio1", "vda", "254:0");
	put_attribute("vda", "serial", "disk-1");
	expect_serial(254, DISK_SERIAL_HARDWARE, "disk-1");

	/* sysfs has none; then udev, then the wwid. */
	put_disk("pci0/ata2/host1/target1:0:0/1:0:0:0", "sdb", "65:0");
	put_attribute("sdb", "device/wwid", "naa.50014ee2b1234567\n");
	expect_serial(65, DISK_SERIAL_NONE, "");
	put_attribute("sdb", "device/wwid",
		      "t10.ATA     WDC WD40EFRX-68N32N0                         WD-WCC7K7654321\n");
	expect_serial(65, DISK_SERIAL_HARDWARE, "WD-WCC7K7654321");
	put("/run/udev/data/b65:0", "S:disk/by-id/x\nE:ID_SERIAL=WDC_X\nE:ID_SERIAL_SHORT=U1\n");
	expect_serial(65, DISK_SERIAL_HARDWARE, "U1");
	put("/run/udev/data/b65:0", "E:ID_SERIAL_SHORT=35000c500\nE:ID_SCSI_SERIAL=Z1Z2\n");
	expect_serial(65, DISK_SERIAL_HARDWARE, "Z1Z2");
	put_vpd("sdb", "V1");
	expect_serial(65, DISK_SERIAL_HARDWARE, "V1");
}

static void test_serial_rubbish(void **state)
{
	static const uint8_t short_page[] = {0, 0x80, 0}, other_page[] = {0, 0x83, 0, 1, 'X'},
			     long_page[] = {0, 0x80, 0, 200, 'A', 'B'};

	(void)state;
	put_vpd("sda", "0000000000000000");
	expect_serial(8, DISK_SERIAL_NONE, "");
	put_vpd("sda", "                ");
	expect_serial(8, DISK_SERIAL_NONE, "");
	put_vpd("sda", "A\x1b[2J");
	expect_serial(8, DISK_SERIAL_NONE, "");
	put_vpd("sda", "A\xff");
	expect_serial(8, DISK_SERIAL_NONE, "");
	put_bytes("/sys/class/block/sda/device/vpd_pg80", short_page, sizeof(short_page));
	expect_serial(8, DISK_SERIAL_NONE, "");
	put_bytes("/sys/class/block/sda/device/vpd_pg80", other_page, sizeof(other_page));
	expect_serial(8, DISK_SERIAL_NONE, "");
	put_bytes("/sys/class/block/sda/device/vpd_pg80", long_page, sizeof(long_page));
	expect_serial(8, DISK_SERIAL_HARDWARE, "AB");
	/* Longer than any: a part of it would be another number. */
	put_vpd("sda", "0123456789012345678901234567890123456789012345678901234567890123456789");
	expect_serial(8, DISK_SERIAL_NONE, "");
}

/* Behind a USB adapter. */
static void test_serial_usb(void **state)
{
	(void)state;
	put_disk(USB, "sdu", "65:0");
	expect_serial(65, DISK_SERIAL_NONE, "");
	put("/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/idVendor", "152d\n");
	put("/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/serial", "DD56419883A21\n");
	expect_serial(65, DISK_SERIAL_BRIDGE, "DD56419883A21");
	put_vpd("sdu", "JM20336");
	expect_serial(65, DISK_SERIAL_BRIDGE, "JM20336");
	put("/run/udev/data/b65:0", "E:ID_SERIAL_SHORT=DD56419883A21\n");
	expect_serial(65, DISK_SERIAL_BRIDGE, "JM20336");
	/* udev has put the question through to the disk. */
	put("/run/udev/data/b65:0", "E:ID_ATA=1\nE:ID_SERIAL_SHORT=WD-1\n");
	expect_serial(65, DISK_SERIAL_HARDWARE, "WD-1");
	assert_string_equal(get_disk(65, 0).reason, "");
}

/* The characters alone, without a NUL behind them. */
static void put_chars(uint8_t *out, const char *text)
{
	while (*text)
		*out++ = (uint8_t)*text++;
}

static void test_identity(void **state)
{
	uint8_t identity[512] = {0x40};
	char serial[64];

	(void)state;
	assert_false(disk_identity_serial(identity, true, serial, sizeof(serial)));
	put_chars(identity + 20, "    DWW-CCK7214365 7");
	assert_true(disk_identity_serial(identity, true, serial, sizeof(serial)));
	assert_string_equal(serial, "WD-WCC7K1234567");
	put_chars(identity + 20, "1234567890ABCDEFGHIJ");
	assert_true(disk_identity_serial(identity, true, serial, sizeof(serial)));
	assert_string_equal(serial, "2143658709BADCFEHGJI");
	assert_true(disk_identity_serial(identity, false, serial, sizeof(serial)));
	assert_string_equal(serial, "1234567890ABCDEFGHIJ");
	identity[25] = 0x7f;
	assert_false(disk_identity_serial(identity, false, serial, sizeof(serial)));
	assert_string_equal(serial, "");
	identity[25] = 'x';
	identity[1] = 0x80; /* an optical drive */
	assert_false(disk_identity_serial(identity, false, serial, sizeof(serial)));
}

/* ---- no drive by itself ---- */

static void test_facts_refused(void **state)
{
	(void)state;
	put_attribute("sda", "queue/logical_block_size", "4096\n");
	expect_refused("logical sectors of 4096 bytes; Azure Import/Export takes");
	put_attribute("sda", "queue/logical_block_size", "512\n");
	put_attribute("sda", "queue/zoned", "host-managed\n");
	expect_refused("SMR");
	put_attribute("sda", "queue/zoned", "none\n");
	put_attribute("sda", "ro", "1\n");
	expect_refused("is read-only");
	put_attribute("sda", "size", "0\n");
	expect_refused("has no medium");
}

static void test_no_disks(void **state)
{
	struct err e = {0};
	struct disk d;

	(void)state;
	put_partition(ATA, "sda", "sda1", "8:1\n");
	expect_err(disk_of_number(machine, 8, 1, &d, &e), &e, EINVAL, ERR_USER,
		   "'/dev/sda1' is a partition");
	expect_err(disk_of_number(machine, 8, 2, &d, &e), &e, ENOENT, ERR_SYSTEM, "8:2");
	put_device("virtual/block", "dm-0", "253:0\n", "1000\n");
	put_attribute("dm-0", "queue/logical_block_size", "512\n");
	assert_non_null(strstr(get_disk(253, 0).reason, "is not a disk"));
	put_disk("pci0/ata3/host2", "sr0", "11:0\n");
	assert_non_null(strstr(get_disk(11, 0).reason, "is not a disk"));
	/* A loop device is as good as a disk to whoever names it. */
	put_device("virtual/block", "loop0", "7:0\n", "1000\n");
	put_attribute("loop0", "queue/logical_block_size", "512\n");
	d = get_disk(7, 0);
	assert_string_equal(d.reason, "");
	assert_false(d.real);
	put("/dev/sdq", "a file");
	expect_err(disk_of_path(machine, "/dev/sdq", &d, &e), &e, EINVAL, ERR_USER, "not a disk");
	expect_err(disk_of_path(machine, "/dev/sdr", &d, &e), &e, ENOENT, ERR_SYSTEM, "sdr");
}

static void test_list(void **state)
{
	static const char *const names[] = {"loop1", "nvme2n1", "nvme10n1", "sda", "sdb", "sdaa"};
	_cleanup_free_ struct disk *disks = NULL;
	struct err e = {0};
	size_t n;

	(void)state;
	put_disk("pci0/ata9/host9", "sdaa", "65:160");
	put_disk("pci0/ata2/host2", "sdb", "8:16");
	put_partition(ATA, "sda", "sda1", "8:1\n");
	put_disk("pci0/nvme/nvme10", "nvme10n1", "259:1");
	put_disk("pci0/nvme/nvme2", "nvme2n1", "259:0");
	put_disk("pci0/nvme/nvme3", "nvme3c3n1", "259:2");
	put_attribute("nvme3c3n1", "hidden", "1\n");
	put_device("virtual/block", "loop0", "7:0\n", "0\n"); /* over nothing */
	put_device("virtual/block", "loop1", "7:1\n", "2048\n");
	expect_ok(disk_list(machine, &disks, &n, &e), &e);
	assert_int_equal(n, ARRAY_SIZE(names));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(disks[i].name, names[i]);
	expect_err(disk_list("/nowhere", &disks, &n, &e), &e, ENOENT, ERR_SYSTEM, "/nowhere/sys");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MACHINE_TEST(test_facts),	   MACHINE_TEST(test_bus),
		MACHINE_TEST(test_serial_sources), MACHINE_TEST(test_serial_rubbish),
		MACHINE_TEST(test_serial_usb),	   cmocka_unit_test(test_identity),
		MACHINE_TEST(test_facts_refused),  MACHINE_TEST(test_no_disks),
		MACHINE_TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
